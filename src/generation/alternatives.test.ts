import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeModel, hashAttention, hashLogits } from '../../test/support/generation/fakeModel.js';
import { decode, fakeRules, idsOf } from '../../test/support/generation/run.js';
import { type GenerationOptions, resolveGenerationOptions } from './options.js';
import { streamGeneration } from './stream.js';

const logitsOf = (seed: number) => hashLogits({ vocabSize: 10, eosTokenIds: [1], endBias: 1, seed });
const hashModel = (seed: number) => createFakeModel(10, logitsOf(seed), undefined, hashAttention);

const sentence = fc.record({
  inputIds: fc.array(fc.integer({ min: 2, max: 9 }), { minLength: 1, maxLength: 4 }),
  prefix: fc.array(fc.integer({ min: 2, max: 9 }), { maxLength: 4 }),
});
const searches = fc.constantFrom<GenerationOptions>(
  {},
  { numBeams: 3 },
  { numBeams: 4, numBeamGroups: 2, diversityPenalty: 1 },
  { numBeams: 2, noRepeatNgramSize: 2, repetitionPenalty: 1.3, minNewTokens: 4 },
  { numBeams: 3, lengthPenalty: 0.4, coveragePenalty: 0.3, patience: 2 },
  { numBeams: 2, conventions: 'unilm' },
);

describe('returnAlternatives', () => {
  it('gives what forcing each of the next tokens gives, in the order of their probabilities', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(sentence, { minLength: 1, maxLength: 4 }),
        searches,
        fc.integer({ min: 0, max: 99 }),
        async (inputs, search, seed) => {
          const options = { maxNewTokens: 6, ...search };
          const found = await decode(hashModel(seed), inputs, {
            ...options,
            numReturnSequences: 4,
            returnAlternatives: true,
          });
          for (const [at, { inputIds, prefix }] of inputs.entries()) {
            const { sequences } = found[at];
            const begun = sequences.map(({ ids }) => ids.slice(0, prefix.length + 1));
            expect(sequences).toHaveLength(4);
            expect(new Set(begun.map(String)).size).toBe(4);
            let before = 0;
            for (const { ids, score, tokenLogProbabilities } of sequences) {
              const [first, ...rest] = tokenLogProbabilities;
              expect(first).toBeLessThanOrEqual(before);
              before = first;
              const least = Math.max(0, (options.minNewTokens ?? 0) - 1);
              const [{ sequences: forced }] = await decode(
                hashModel(seed),
                [{ inputIds, prefix: ids.slice(0, prefix.length + 1) }],
                // The default of unilm counts the prefix.
                { ...options, maxNewTokens: 5, ...(options.conventions ? {} : { minNewTokens: least }) },
              );
              expect(ids).toEqual(forced[0].ids);
              expect(score).toBeCloseTo(first + forced[0].score, 5);
              expect(rest).toEqual(forced[0].tokenLogProbabilities);
            }
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('takes the most probable tokens, end tokens aside', async () => {
    const prefix = [4, 7];
    for (let seed = 0; seed < 20; seed++) {
      const row = Array.from(logitsOf(seed)([2, 3], [0, ...prefix]));
      const total = Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0));
      const best = row
        .map((value, token) => ({ token, value: value - total }))
        .filter(({ token }) => token !== 1)
        .sort((a, b) => b.value - a.value);
      const options = { numReturnSequences: 3, returnAlternatives: true, maxNewTokens: 5 };
      const [{ sequences }] = await decode(hashModel(seed), [{ inputIds: [2, 3], prefix }], options);
      expect(sequences.map(({ ids }) => ids[2])).toEqual(best.slice(0, 3).map(({ token }) => token));
      sequences.forEach(({ tokenLogProbabilities }, rank) => {
        expect(tokenLogProbabilities[0]).toBeCloseTo(best[rank].value, 5);
      });
      const least = Math.exp((best[0].value + best[1].value) / 2);
      for (const [minAlternativeExpansionProb, left] of [
        [least, 1],
        [1, 1],
        [Math.exp(best[2].value) * 0.999, 3],
      ] as const) {
        const given = { ...options, minAlternativeExpansionProb };
        const [few] = await decode(hashModel(seed), [{ inputIds: [2, 3], prefix }], given);
        expect(few.sequences).toEqual(sequences.slice(0, left));
      }
    }
  });

  it('gives all there are of a small vocabulary, and single tokens where there is room for no more', async () => {
    const options = { numReturnSequences: 30, returnAlternatives: true, maxNewTokens: 1 };
    const [{ sequences }] = await decode(hashModel(3), [{ inputIds: [2, 3], prefix: [5] }], {
      ...options,
      returnAttention: true,
    });
    expect(sequences.map(({ ids }) => ids.length)).toEqual(Array(9).fill(2));
    expect(new Set(sequences.map(({ ids }) => ids[1])).size).toBe(9);
    expect(sequences[0].attention).toHaveLength(2);
    expect(sequences[0].score).toBe(sequences[0].tokenLogProbabilities[0]);
  });

  it('comes with logits and attention of the whole', async () => {
    const [{ sequences }] = await decode(hashModel(3), [{ inputIds: [2, 3], prefix: [5, 6] }], {
      numReturnSequences: 3,
      returnAlternatives: true,
      returnLogits: true,
      returnAttention: true,
      maxNewTokens: 5,
    });
    for (const { ids, logits, attention, tokenLogProbabilities } of sequences) {
      expect(attention).toHaveLength(ids.length);
      expect(logits).toHaveLength(tokenLogProbabilities.length);
      expect(logits?.[0]).toEqual(logitsOf(3)([2, 3], [0, 5, 6]));
    }
  });

  it('follows a first token that is forced, and never ends at once', async () => {
    const rules = { ...fakeRules, forcedBosTokenId: 5, forcedEosTokenIds: [1] };
    const options = { numReturnSequences: 9, returnAlternatives: true, maxNewTokens: 4 };
    const [found] = idsOf(await decode(hashModel(3), [[2, 3]], options, {}, rules));
    expect(found.map((ids) => ids[0])).toEqual(Array(9).fill(5));
    expect(new Set(found.map((ids) => ids[1])).size).toBe(9);
    expect(found.map((ids) => ids[1])).not.toContain(1);
  });

  it('is the end where nothing else may follow, and the prefix where nothing may', async () => {
    const options = {
      numReturnSequences: 3,
      returnAlternatives: true,
      maxNewTokens: 4,
      returnAttention: true,
    };
    const prefixAllowedTokens = (input: number) => (input === 1 ? [1] : [1, 4, 6]);
    const inputs = [[2], [3, 4], [5, 6, 7]].map((inputIds) => ({ inputIds, prefix: [5, 6] }));
    const results = await decode(hashModel(3), inputs, { ...options, prefixAllowedTokens });
    const [only] = results[1].sequences;
    const row = Array.from(logitsOf(3)([3, 4], [0, 5, 6]));
    const end = row[1] - Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0));
    expect(results[1].sequences).toHaveLength(1);
    expect(only.ids).toEqual([5, 6, 1]);
    expect(only.score).toBeCloseTo(end, 5);
    expect(only.tokenLogProbabilities).toEqual([only.score]);
    expect(only.attention).toHaveLength(3);
    for (const { sequences } of [results[0], results[2]]) {
      expect(sequences.map(({ ids }) => ids[2]).sort()).toEqual([4, 6]);
    }
    const [dead] = await decode(hashModel(3), inputs.slice(1, 2), {
      ...options,
      prefixAllowedTokens: () => [1],
      minNewTokens: 2,
    });
    expect(dead.sequences).toMatchObject([{ ids: [5, 6], score: 0, tokenLogProbabilities: [] }]);
    expect(dead.sequences[0].attention).toHaveLength(2);
  });

  it('is a forced end where there is room for nothing else', async () => {
    const rules = { ...fakeRules, forcedEosTokenIds: [1] };
    const options = { numReturnSequences: 3, returnAlternatives: true, maxNewTokens: 1 };
    const [{ sequences }] = await decode(hashModel(3), [{ inputIds: [2], prefix: [5] }], options, {}, rules);
    expect(sequences).toEqual([{ ids: [5, 1], score: 0, tokenLogProbabilities: [0] }]);
  });

  it('frees all states', async () => {
    const model = hashModel(3);
    await decode(model, [[2], [3, 4]], { numReturnSequences: 3, returnAlternatives: true });
    expect(model.log.alive).toBe(0);
  });

  it.each<[GenerationOptions, string]>([
    [{ doSample: true }, 'doSample true'],
    [{ penaltyAlpha: 0.5, topK: 4 }, 'penaltyAlpha 0.5'],
    [{ prefixBiasBeta: 0.5 }, 'prefixBiasBeta 0.5'],
    [{ numBeams: 2, forceWordsIds: [[2]] }, 'forceWordsIds'],
    [{ allowedSequences: [[2]] }, 'allowedSequences'],
    [{ conventions: 'fairseq' }, 'conventions fairseq'],
  ])('is refused beside %j', async (other, name) => {
    const given = { returnAlternatives: true, ...other };
    await expect(decode(hashModel(4), [{ inputIds: [2], prefix: [3] }], given)).rejects.toMatchObject({
      code: 'OPTION_CONFLICT',
      message: expect.stringContaining(`returnAlternatives true does not go with ${name}`),
    });
  });

  it('is refused in streams and beside constraints of one input; its least probability without it', async () => {
    const inputs = [{ inputIds: [2], forceWordsIds: [[2]] }];
    await expect(
      decode(hashModel(4), inputs, { returnAlternatives: true, numBeams: 2 }),
    ).rejects.toMatchObject({ code: 'OPTION_CONFLICT' });
    await expect(decode(hashModel(4), [[2]], { minAlternativeExpansionProb: 0.5 })).rejects.toMatchObject({
      code: 'OPTION_CONFLICT',
      message: expect.stringContaining('minAlternativeExpansionProb 0.5 has no effect'),
    });
    const options = resolveGenerationOptions({ returnAlternatives: true });
    const stream = streamGeneration(hashModel(4), [{ inputIds: [2] }], options, fakeRules);
    await expect(
      (async () => {
        for await (const _ of stream) break;
      })(),
    ).rejects.toMatchObject({ code: 'OPTION_CONFLICT', message: expect.stringContaining('streams') });
  });
});
