import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeModel } from '../../test/support/generation/fakeModel.js';
import { decode } from '../../test/support/generation/run.js';
import { type GenerationOptions, resolveGenerationOptions } from './options.js';
import { uniformAt } from './random.js';
import { createShaper } from './sampling.js';

const logits = [0.2, 1.5, -1, 2.1, 0.9, 0.2 - 1e-3, -3, 1.1];
const draws = 12_000;

/** Exact probabilities after temperature, top-k and top-p, written from their definitions with full sorts. */
function exact({ temperature = 1, topK = 50, topP = 1 }: GenerationOptions, from = logits): number[] {
  const order = from.map((_, i) => i).sort((a, b) => from[b] - from[a]);
  const kept = topK === 0 ? order : order.slice(0, topK);
  const weights = kept.map((i) => Math.exp(from[i] / temperature));
  const sum = weights.reduce((a, b) => a + b, 0);
  const nucleus: number[] = [];
  let reached = 0;
  for (let i = 0; i < kept.length && (i === 0 || reached < topP); i++) {
    nucleus.push(kept[i]);
    reached += weights[i] / sum;
  }
  return from.map((_, i) => (nucleus.includes(i) ? weights[kept.indexOf(i)] / sum / reached : 0));
}

/** Probabilities as the sampler has them, after a plain top-k. */
function shaped(options: GenerationOptions, from: readonly number[]): number[] {
  const { topK, ...shape } = resolveGenerationOptions({ topK: 0, ...options, doSample: true });
  const order = [...from.keys()].sort((a, b) => from[b] - from[a]);
  const places = Int32Array.from(topK === 0 ? from.keys() : order.slice(0, topK));
  const weights = new Float64Array(places.length);
  const kept = Float64Array.from(places, (i) => from[i]);
  const { count, sum } = createShaper(shape, from.length)(kept, places, places.length, weights);
  const result = from.map(() => 0);
  for (let i = 0; i < count; i++) result[places[i]] = weights[i] / sum;
  return result;
}

/** How often each token came first, over many samples of a few sentences. */
async function frequencies(options: GenerationOptions, from = logits): Promise<number[]> {
  const model = createFakeModel(from.length, () => from);
  const perSentence = draws / 4;
  const results = await decode(model, [[2], [3], [4], [5]], {
    doSample: true,
    seed: 99,
    maxNewTokens: 1,
    numReturnSequences: perSentence,
    ...options,
  });
  const counts = new Array(from.length).fill(0);
  for (const { sequences } of results) for (const { ids } of sequences) counts[ids[0]]++;
  return counts;
}

/** Pearson's statistic minus its degrees of freedom, in standard deviations; Infinity for an impossible outcome. */
function deviation(counts: readonly number[], probabilities: readonly number[]): number {
  let statistic = 0;
  for (let i = 0; i < counts.length; i++) {
    if (probabilities[i] === 0) {
      if (counts[i] > 0) return Number.POSITIVE_INFINITY;
      continue;
    }
    const expected = probabilities[i] * draws;
    statistic += (counts[i] - expected) ** 2 / expected;
  }
  const freedom = probabilities.filter((p) => p > 0).length - 1;
  return freedom === 0 ? 0 : (statistic - freedom) / Math.sqrt(2 * freedom);
}

const settings: GenerationOptions[] = [
  {},
  { topK: 0 },
  { temperature: 0.5 },
  { temperature: 2, topK: 0 },
  { topK: 3 },
  { topK: 3, temperature: 0.7 },
  { topP: 0.6 },
  { topP: 0.6, topK: 0 },
  { topP: 0.9, topK: 4, temperature: 1.5 },
  { topP: 0.85, topK: 0, temperature: 1.5 },
];

const fixture = JSON.parse(
  readFileSync(new URL('../../test/fixtures/generation/transformers.json', import.meta.url), 'utf8'),
) as { warped: { logits: number[]; rows: { options: GenerationOptions; probabilities: number[] }[] } };

describe('sampling', () => {
  it.each(fixture.warped.rows)('draws from the distribution of transformers with $options', (row) => {
    const got = shaped(row.options, fixture.warped.logits);
    got.forEach((p, i) => {
      expect(p).toBeCloseTo(row.probabilities[i], 6);
    });
  });

  it.each(fixture.warped.rows)('samples what transformers can sample with $options', async (row) => {
    const counts = await frequencies(row.options, fixture.warped.logits);
    expect(deviation(counts, row.probabilities)).toBeLessThan(4);
  });

  it('keeps by typical-p, epsilon, eta and min-p what a full sort keeps', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -6, max: 6, noNaN: true }), { minLength: 1, maxLength: 30 }),
        fc.double({ min: 0.02, max: 0.98, noNaN: true }),
        (values, limit) => {
          const sum = values.reduce((total, value) => total + Math.exp(value), 0);
          const p = values.map((value) => Math.exp(value) / sum);
          const most = Math.max(...p);
          const h = -p.reduce((total, one) => total + one * Math.log(one), 0);
          const eta = Math.min(limit, Math.sqrt(limit) * Math.exp(-h));
          const near = p.map((one) => Math.abs(-Math.log(one) - h));
          const byNear = [...near.keys()].sort((a, b) => near[a] - near[b]);
          let reached = 0;
          const count = byNear.findIndex((i) => {
            reached += p[i];
            return reached >= limit;
          });
          const farthest = near[byNear[count < 0 ? p.length - 1 : count]];
          const wanted: [GenerationOptions, (p: number, i: number) => boolean][] = [
            [{ minP: limit }, (one) => one >= limit * most],
            [{ epsilonCutoff: limit }, (one) => one >= limit || one === most],
            [{ etaCutoff: limit }, (one) => one >= eta || one === most],
            [{ typicalP: limit }, (_, i) => near[i] <= farthest],
          ];
          for (const [options, keeps] of wanted) {
            const kept = p.map((one, i) => (keeps(one, i) ? one : 0));
            const total = kept.reduce((a, b) => a + b);
            // A candidate within rounding of the edge may fall on either side.
            fc.pre(
              p.every((one) => [limit, eta, limit * most].every((edge) => Math.abs(one - edge) > 1e-12)),
            );
            fc.pre(Math.abs(reached - limit) > 1e-9);
            fc.pre(near.every((one, i) => near.every((two, j) => i === j || Math.abs(one - two) > 1e-9)));
            shaped(options, values).forEach((got, i) => {
              expect(got).toBeCloseTo(kept[i] / total, 9);
            });
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each(settings)('follows the exact distribution with %j', async (options) => {
    const counts = await frequencies(options);
    expect(deviation(counts, exact(options))).toBeLessThan(4);
    // The same counts must reject every other setting's distribution, or the test could not fail.
    for (const other of settings) {
      const distinct = exact(other).some((p, i) => Math.abs(p - exact(options)[i]) > 1e-9);
      if (distinct) expect(deviation(counts, exact(other))).toBeGreaterThan(8);
    }
  });

  it('applies the repetition penalty to raw logits before everything else', async () => {
    // The decoder start token 0 is in every history.
    const penalized = logits.map((value, i) => (i === 0 ? value / 4 : value));
    const positive = await frequencies({ repetitionPenalty: 4, topK: 0 });
    expect(deviation(positive, exact({ topK: 0 }, penalized))).toBeLessThan(4);
    const negative = logits.map((value, i) => (i === 0 ? -0.5 : value));
    const doubled = negative.map((value, i) => (i === 0 ? value * 2 : value));
    const counts = await frequencies({ repetitionPenalty: 2, topK: 3, temperature: 3 }, negative);
    expect(deviation(counts, exact({ topK: 3, temperature: 3 }, doubled))).toBeLessThan(4);
  });

  it('never ends before minNewTokens, whether it sees all logits or the top k', async () => {
    const allowed = logits.map((value, i) => (i === 1 ? Number.NEGATIVE_INFINITY : value));
    for (const topK of [0, 2, 5]) {
      const counts = await frequencies({ minNewTokens: 1, topK });
      expect(deviation(counts, exact({ topK }, allowed))).toBeLessThan(4);
    }
  });

  it('takes the best token alone where topP is 0 or topK 1', async () => {
    for (const options of [{ topP: 0 }, { topK: 1 }, { topP: 0, topK: 0 }]) {
      expect((await frequencies(options))[3]).toBe(draws);
    }
  });

  it('asks the model for the top k only', async () => {
    const model = createFakeModel(200, () => new Array(200).fill(0));
    await decode(model, [[2]], { doSample: true, maxNewTokens: 2 });
    await decode(model, [[2]], { doSample: true, maxNewTokens: 2, topK: 7, minNewTokens: 1 });
    await decode(model, [[2]], { doSample: true, maxNewTokens: 2, topK: 0 });
    await decode(model, [[2]], { doSample: true, maxNewTokens: 2, topK: 200 });
    expect(model.log.starts.map(({ candidates }) => candidates)).toEqual([50, 8, 0, 0]);
  });

  it("scores by the model's own log-probabilities, whatever shaped the choice", async () => {
    const sum = Math.log(logits.reduce((total, value) => total + Math.exp(value), 0));
    const options = {
      doSample: true,
      seed: 4,
      maxNewTokens: 6,
      temperature: 3,
      topK: 6,
      topP: 0.9,
      repetitionPenalty: 2,
    };
    const [{ sequences }] = await decode(
      createFakeModel(8, () => logits),
      [[2]],
      { ...options, numReturnSequences: 5 },
    );
    for (const { ids, score, tokenLogProbabilities } of sequences) {
      ids.forEach((id, i) => {
        expect(tokenLogProbabilities[i]).toBeCloseTo(logits[id] - sum, 5);
      });
      expect(score).toBeCloseTo(tokenLogProbabilities.reduce((a, b) => a + b) / ids.length, 5);
    }
  });
});

describe('random numbers', () => {
  it('depends on every argument, seeds above 2^32 included', () => {
    const base = [2 ** 40 + 3, 5, 6, 7] as const;
    const value = uniformAt(...base);
    expect(uniformAt(...base)).toBe(value);
    expect(value).toBeGreaterThanOrEqual(0);
    expect(value).toBeLessThan(1);
    expect(uniformAt(2 ** 41 + 3, 5, 6, 7)).not.toBe(value);
    expect(uniformAt(2 ** 40 + 4, 5, 6, 7)).not.toBe(value);
    expect(uniformAt(2 ** 40 + 3, 6, 5, 7)).not.toBe(value);
    expect(uniformAt(2 ** 40 + 3, 5, 6, 8)).not.toBe(value);
  });
});
