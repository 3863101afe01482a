import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createFakeModel,
  hashAttention,
  hashLogits,
  logSumExp,
  type Script,
  scriptedAttention,
  scriptedLogits,
} from '../../../test/support/generation/fakeModel.js';
import { decode, idsOf } from '../../../test/support/generation/run.js';
import type { GenerationOptions } from '../options.js';

const log = Math.log;

describe('coveragePenalty on a table of probabilities and attention', () => {
  const script: Script = {
    '': { 1: 0.5, 2: 0.3, 3: 0.2 },
    '2': { 1: 0.75, 4: 0.25 },
    '3': { 1: 1 },
    '2 4': { 1: 1 },
  };
  // Of the choice after each history, over a source of two tokens.
  const attention = { '': [0.9, 0.1], '2': [0.4, 0.6], '3': [0.05, 0.95], '2 4': [0.2, 0.8] };
  const model = () => createFakeModel(5, scriptedLogits(5, script), undefined, scriptedAttention(attention));
  const all = { numBeams: 5, numReturnSequences: 4, lengthPenalty: 0, maxNewTokens: 3 } as GenerationOptions;

  it('adds b times the logarithms of what is covered, at most 1, end tokens included', async () => {
    const [{ sequences }] = await decode(model(), [[8, 9]], { ...all, coveragePenalty: 0.5 });
    const found = new Map(sequences.map(({ ids, score }) => [ids.join(' '), score]));
    expect(found.get('1')).toBeCloseTo(log(0.5) + 0.5 * (log(0.9) + log(0.1)), 5);
    expect(found.get('2 1')).toBeCloseTo(log(0.225) + 0.5 * log(0.7), 5);
    expect(found.get('3 1')).toBeCloseTo(log(0.2) + 0.5 * log(0.95), 5);
    expect(found.get('2 4 1')).toBeCloseTo(log(0.075), 5);
    expect([...found.keys()]).toEqual(['3 1', '2 1', '1', '2 4 1']);
    const [plain] = idsOf(await decode(model(), [[8, 9]], all));
    expect(plain.map((ids) => ids.join(' '))).toEqual(['1', '2 1', '3 1', '2 4 1']);
  });

  it('comes after the length penalty, whichever that is', async () => {
    const scoreOf = async (more: GenerationOptions) => {
      const given = { ...all, lengthPenalty: undefined, coveragePenalty: 2, ...more };
      const [{ sequences }] = await decode(model(), [[8, 9]], given);
      return sequences.find(({ ids }) => ids.join(' ') === '2 1')?.score;
    };
    const penalty = 2 * log(0.7);
    expect(await scoreOf({ lengthPenalty: 2 })).toBeCloseTo(log(0.225) / 4 + penalty, 5);
    expect(await scoreOf({ gnmtLengthPenalty: 0.6 })).toBeCloseTo(log(0.225) / (7 / 6) ** 0.6 + penalty, 5);
    expect(await scoreOf({ wordReward: 0.3 })).toBeCloseTo(log(0.225) + 0.6 + penalty, 5);
  });

  it('counts what a given beginning covers, and no padding', async () => {
    const inputs = [
      { inputIds: [8, 9], decoderInputIds: [2] },
      { inputIds: [5, 6, 7], decoderInputIds: [2] },
    ];
    const table = scriptedAttention(attention);
    const blind = createFakeModel(5, scriptedLogits(5, script), undefined, (source, history, spec) =>
      source.length === 2 ? table(source, history, spec) : source.map(() => 1 / source.length),
    );
    const [{ sequences }] = await decode(blind, inputs, {
      ...all,
      numReturnSequences: 2,
      coveragePenalty: 1,
    });
    expect(sequences.map(({ ids }) => ids)).toEqual([
      [2, 1],
      [2, 4, 1],
    ]);
    expect(sequences[0].score).toBeCloseTo(log(0.75) + log(0.7), 5);
    expect(sequences[1].score).toBeCloseTo(log(0.25), 5);
  });

  it('does not stop for a hypothesis that an open one beats should it come to cover everything', async () => {
    const options = { ...all, numBeams: 2, numReturnSequences: 1, patience: 0.5 };
    expect(idsOf(await decode(model(), [[8, 9]], options))).toEqual([[[1]]]);
    // Ended: log 0.5 + log 0.09 = -3.1. Open after the first token: log 0.3 = -1.2, or -3.6 with what
    // it covers so far. In the end 3 1 has log 0.2 + log 0.95 = -1.7.
    const asked = model();
    expect(idsOf(await decode(asked, [[8, 9]], { ...options, coveragePenalty: 1 }))).toEqual([[[3, 1]]]);
    expect(asked.log.steps.length).toBeGreaterThan(0);
  });

  it('is finite where a source token is not read at all', async () => {
    const half = createFakeModel(5, scriptedLogits(5, script), undefined, () => [1, 0]);
    const [{ sequences }] = await decode(half, [[8, 9]], { ...all, coveragePenalty: 0.1 });
    expect(sequences).toHaveLength(4);
    for (const { score } of sequences) expect(score).toBeGreaterThan(-20);
  });

  it('is refused by a model without attention, and with one beam', async () => {
    const blind = createFakeModel(5, scriptedLogits(5, script));
    const refused = decode(blind, [[8, 9]], { numBeams: 2, coveragePenalty: 1 });
    await expect(refused).rejects.toMatchObject({
      code: 'ATTENTION_MISSING',
      message: expect.stringContaining('coveragePenalty needs attention'),
    });
    expect(blind.log.starts).toEqual([]);
    await expect(decode(model(), [[8, 9]], { coveragePenalty: 1 })).rejects.toMatchObject({
      code: 'OPTION_CONFLICT',
    });
  });
});

it('finds the best of all outputs when the beam drops nothing', async () => {
  const source = [7, 5, 3];
  const spec = { layer: 1, heads: [0, 2] };
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 1e6 }), fc.constantFrom(0.2, 1, 3), async (seed, beta) => {
      const logits = hashLogits({ vocabSize: 4, eosTokenIds: [1], endBias: 0.5, seed });
      const found: { ids: number[]; score: number }[] = [];
      const extend = (ids: number[], total: number) => {
        const row = logits(source, [0, ...ids]);
        for (let token = 0; token < 4; token++) {
          const next = [...ids, token];
          const sum = total + row[token] - logSumExp(row);
          if (token !== 1 && next.length < 4) extend(next, sum);
          else {
            const rows = next.map((_, at) => hashAttention(source, [0, ...next.slice(0, at)], spec));
            const covered = source.map((_, place) => rows.reduce((all, one) => all + one[place], 0));
            const penalty = covered.reduce((all, one) => all + log(Math.min(one, 1)), 0);
            found.push({ ids: next, score: sum / next.length ** 0.7 + beta * penalty });
          }
        }
      };
      extend([], 0);
      found.sort((a, b) => b.score - a.score);
      const model = createFakeModel(4, logits, undefined, hashAttention);
      for (const earlyStopping of [false, 'never'] as const) {
        const [{ sequences }] = await decode(model, [source], {
          numBeams: 128,
          numReturnSequences: 9,
          maxNewTokens: 4,
          lengthPenalty: 0.7,
          coveragePenalty: beta,
          alignmentLayer: 1,
          alignmentHeads: [0, 2],
          earlyStopping,
        });
        expect(sequences.map(({ ids }) => ids)).toEqual(found.slice(0, 9).map(({ ids }) => ids));
        sequences.forEach(({ score }, at) => {
          expect(score).toBeCloseTo(found[at].score, 4);
        });
      }
    }),
    { numRuns: 20 },
  );
});
