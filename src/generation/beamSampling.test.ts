import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createFakeModel, hashLogits, type LogitsFunction } from '../../test/support/generation/fakeModel.js';
import { decode, fakeRules, idsOf } from '../../test/support/generation/run.js';
import { type GenerationOptions, resolveGenerationOptions } from './options.js';
import { createShaper, keepLargest } from './sampling.js';

/** Five tokens with probabilities that depend on what came before; 1 ends. */
function table(history: readonly number[]): number[] {
  const turn = history.reduce((sum, id) => 3 * sum + id, 1) % 7;
  const weights = [2 + turn, 2 + ((turn * 3) % 5), 1 + ((turn * 5) % 4), 1.5, 2.5 + (turn % 2)];
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
}

const tabled: LogitsFunction = (_, history) => [Number.NEGATIVE_INFINITY, ...table(history).map(Math.log)];

interface Hypothesis {
  ids: number[];
  score: number;
}

/**
 * The probability of every best output of beam sampling with two beams, by going through all orders in which
 * continuations can be drawn.
 */
function exact(options: GenerationOptions): Map<string, number> {
  const { temperature = 1, topK = 50, maxNewTokens = 3, lengthPenalty = 1 } = options;
  const outcomes = new Map<string, number>();

  function visit(open: Hypothesis[], finished: Hypothesis[], count: number, probability: number): void {
    const best = [...finished].sort((a, b) => b.score - a.score).slice(0, 2);
    const over = count > maxNewTokens || open.length === 0;
    const settled =
      over || (best.length === 2 && open[0].score / (count - 1) ** lengthPenalty <= best[1].score);
    if (settled) {
      const name = best[0].ids.join(' ');
      outcomes.set(name, (outcomes.get(name) ?? 0) + probability);
      return;
    }
    const pool = open.flatMap(({ ids, score }) => {
      const row = table([0, ...ids]).map((p, i) => ({ token: i + 1, logProbability: Math.log(p) }));
      // One more than there are end tokens is always kept.
      const kept = row
        .sort((a, b) => b.logProbability - a.logProbability)
        .slice(0, topK === 0 ? 5 : Math.max(topK, 2));
      return kept.map(({ token, logProbability }) => ({
        ids: [...ids, token],
        score: score + logProbability / temperature,
      }));
    });
    draw(pool, [], count === maxNewTokens, finished, count, probability);
  }

  function draw(
    pool: Hypothesis[],
    drawn: Hypothesis[],
    last: boolean,
    finished: Hypothesis[],
    count: number,
    probability: number,
  ): void {
    if (pool.length === 0 || drawn.length === (last ? 2 : 4)) {
      const ended = drawn.slice(0, 2).filter(({ ids }) => last || ids.at(-1) === 1);
      const more = ended.map(({ ids, score }) => ({ ids, score: score / count ** lengthPenalty }));
      const open = last ? [] : drawn.filter(({ ids }) => ids.at(-1) !== 1);
      open.sort((a, b) => b.score - a.score);
      visit(open.slice(0, 2), [...finished, ...more], count + 1, probability);
      return;
    }
    const sum = pool.reduce((total, { score }) => total + Math.exp(score), 0);
    pool.forEach((one, i) => {
      draw(
        pool.toSpliced(i, 1),
        [...drawn, one],
        last,
        finished,
        count,
        (probability * Math.exp(one.score)) / sum,
      );
    });
  }

  visit([{ ids: [], score: 0 }], [], 1, 1);
  return outcomes;
}

const draws = 6000;

async function frequencies(options: GenerationOptions): Promise<Map<string, number>> {
  const inputs = Array.from({ length: draws }, () => [2]);
  const common = { doSample: true, numBeams: 2, maxNewTokens: 3, seed: 5 };
  const results = await decode(
    createFakeModel(6, tabled),
    inputs,
    { ...common, ...options },
    { batchSize: 500 },
  );
  const counts = new Map<string, number>();
  for (const [ids] of idsOf(results)) counts.set(ids.join(' '), (counts.get(ids.join(' ')) ?? 0) + 1);
  return counts;
}

/** Pearson's statistic minus its degrees of freedom, in standard deviations; rare outcomes are taken together. */
function deviation(counts: ReadonlyMap<string, number>, wanted: ReadonlyMap<string, number>): number {
  const rare = { expected: 0, found: draws };
  let statistic = 0;
  let freedom = 0;
  for (const [name, probability] of wanted) {
    const expected = probability * draws;
    if (expected < 10) continue;
    rare.found -= counts.get(name) ?? 0;
    statistic += ((counts.get(name) ?? 0) - expected) ** 2 / expected;
    freedom++;
  }
  rare.expected = draws * [...wanted.values()].filter((p) => p * draws < 10).reduce((a, b) => a + b, 0);
  if (rare.expected > 0) statistic += (rare.found - rare.expected) ** 2 / rare.expected;
  else if (rare.found > 0) return Number.POSITIVE_INFINITY;
  return (statistic - freedom) / Math.sqrt(2 * freedom);
}

const settings: GenerationOptions[] = [
  { topK: 0, maxNewTokens: 2 },
  { topK: 4, maxNewTokens: 2, temperature: 3 },
  { topK: 3 },
  { topK: 3, temperature: 0.4 },
  { topK: 3, temperature: 3 },
  { topK: 3, temperature: 0.6, lengthPenalty: 0 },
];
const distributions = settings.map(exact);

describe('beam sampling', () => {
  it.each(settings.map((_, at) => at))(
    'follows the distribution of all orders of draws: setting %i',
    async (own) => {
      const counts = await frequencies(settings[own]);
      // The same counts must reject the other settings, or the test could not fail.
      for (const [at, wanted] of distributions.entries()) {
        expect([...wanted.values()].reduce((a, b) => a + b)).toBeCloseTo(1, 9);
        expect(wanted.size).toBeGreaterThan(4);
        if (at === own) expect(deviation(counts, wanted)).toBeLessThan(4);
        else expect(deviation(counts, wanted)).toBeGreaterThan(8);
      }
    },
  );

  it('keeps at least one token more than there are end tokens', async () => {
    const run = async (topK: number) =>
      decode(createFakeModel(6, tabled), [[2], [3]], {
        doSample: true,
        numBeams: 2,
        numReturnSequences: 2,
        seed: 3,
        topK,
      });
    const fewest = await run(1);
    expect(fewest.map(({ sequences }) => sequences.length)).toEqual([2, 2]);
    expect(fewest).toEqual(await run(2));
    expect(fewest).not.toEqual(await run(3));
  });

  it('is beam search where the temperature is next to 0', async () => {
    for (let seed = 0; seed < 15; seed++) {
      const model = () =>
        createFakeModel(14, hashLogits({ vocabSize: 14, eosTokenIds: [1], endBias: 1, seed }));
      const options = { numBeams: 3, numReturnSequences: 3, maxNewTokens: 8, minNewTokens: seed % 3 };
      const inputs = [[3], [4, 5], [6]];
      const sampled = await decode(model(), inputs, { ...options, doSample: true, temperature: 1e-4, seed });
      const searched = await decode(model(), inputs, options);
      expect(idsOf(sampled)).toEqual(idsOf(searched));
      for (const [at, { sequences }] of sampled.entries()) {
        for (const [rank, { score }] of sequences.entries()) {
          expect(score * 1e-4).toBeCloseTo(searched[at].sequences[rank].score, 5);
        }
      }
    }
  });

  it('sums log-probabilities as the filters leave them; scaled anew where the model says so', async () => {
    const rules = { ...fakeRules, renormalize: true };
    const options = { doSample: true, numBeams: 2, maxNewTokens: 3, temperature: 0.5, topK: 2, seed: 8 };
    for (const renormalize of [false, true]) {
      const [{ sequences }] = await decode(
        createFakeModel(6, tabled),
        [[2]],
        options,
        {},
        renormalize ? rules : fakeRules,
      );
      const [{ ids, tokenLogProbabilities, score }] = sequences;
      ids.forEach((id, at) => {
        const row = table([0, ...ids.slice(0, at)]);
        const kept = [...row].sort((a, b) => b - a).slice(0, 2);
        const sum = kept.reduce((total, p) => total + p ** 2, 0);
        const wanted = 2 * Math.log(row[id - 1]) - (renormalize ? Math.log(sum) : 0);
        expect(tokenLogProbabilities[at]).toBeCloseTo(wanted, 5);
      });
      expect(score).toBeCloseTo(tokenLogProbabilities.reduce((a, b) => a + b) / ids.length, 5);
    }
  });

  it('stops at stop strings, whether it sees the best candidates or the vocabulary', async () => {
    const decoder = (outputs: number[][]) => outputs.map((ids) => ids.map((id) => ` ${id}`).join(''));
    const model = createFakeModel(14, hashLogits({ vocabSize: 14, eosTokenIds: [1], endBias: -9, seed: 4 }));
    const inputs = Array.from({ length: 6 }, (_, i) => [i + 2]);
    for (const topK of [0, 5]) {
      const options = { doSample: true, numBeams: 3, numReturnSequences: 3, maxNewTokens: 9, seed: 1, topK };
      const stopped = idsOf(
        await decode(model, inputs, { ...options, stopStrings: [' 7', ' 5'], decode: decoder }),
      ).flat();
      const stops = (id: number) => id === 5 || id === 7;
      expect(stopped.filter((ids) => stops(ids.at(-1) as number)).length).toBeGreaterThan(2);
      for (const ids of stopped) expect(ids.slice(0, -1).some(stops)).toBe(false);
    }
  });

  // What sampling has, each with a value that shows beside several beams.
  const telling: Record<string, GenerationOptions> = {
    temperature: { temperature: 0.2 },
    topK: { topK: 2 },
    topP: { topP: 0.3 },
    minP: { minP: 0.5 },
    typicalP: { typicalP: 0.3 },
    epsilonCutoff: { epsilonCutoff: 0.2 },
    etaCutoff: { etaCutoff: 0.4 },
    seed: { seed: 2 },
    numBeams: { numBeams: 2 },
    lengthPenalty: { lengthPenalty: -2 },
    earlyStopping: { earlyStopping: true },
    patience: { patience: 3 },
    wordReward: { wordReward: 3 },
    gnmtLengthPenalty: { gnmtLengthPenalty: 6 },
    repetitionPenalty: { repetitionPenalty: 1.6 },
    forcedBosTokenId: { forcedBosTokenId: 9 },
  };

  it.each(Object.keys(telling))('lets %s change a result', async (name) => {
    const inputs = Array.from({ length: 12 }, (_, i) => [i + 2, i + 3]);
    const hash = hashLogits({ vocabSize: 14, eosTokenIds: [1], endBias: 2, seed: 3 });
    const common = { doSample: true, numBeams: 4, numReturnSequences: 2, seed: 1, topK: 0, maxNewTokens: 12 };
    const run = async (options: GenerationOptions) =>
      idsOf(await decode(createFakeModel(14, hash), inputs, { ...common, ...options }));
    expect(await run(telling[name])).not.toEqual(await run({}));
  });

  it('refuses groups and penalties of siblings', () => {
    for (const options of [{ numBeamGroups: 2, diversityPenalty: 1 }, { siblingPenalty: 1 }]) {
      expect(() => resolveGenerationOptions({ doSample: true, numBeams: 4, ...options })).toThrow(
        /does not go with doSample true/,
      );
    }
  });
});

const fixture = JSON.parse(
  readFileSync(new URL('../../test/fixtures/generation/transformers.json', import.meta.url), 'utf8'),
) as { beamWarped: { logits: number[]; rows: { options: GenerationOptions; probabilities: number[] }[] } };

it.each(fixture.beamWarped.rows)('filters as transformers does beside beams, with $options', (row) => {
  const { logits } = fixture.beamWarped;
  const { topK, ...options } = resolveGenerationOptions({ ...row.options, doSample: true });
  const places = Int32Array.from(logits.keys());
  const values = Float64Array.from(logits);
  const cut = topK === 0 ? logits.length : Math.min(Math.max(topK, 2), logits.length);
  keepLargest(values, places, logits.length, cut);
  const weights = new Float64Array(logits.length);
  const { count, sum } = createShaper(options, logits.length, 2)(values, places, cut, weights);
  const found = logits.map(() => 0);
  for (let i = 0; i < count; i++) found[places[i]] = weights[i] / sum;
  found.forEach((p, i) => {
    expect(p).toBeCloseTo(row.probabilities[i], 6);
  });
});
