import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createFakeModel, hashLogits, logSumExp } from '../../../test/support/generation/fakeModel.js';
import { decode, fakeRules, idsOf } from '../../../test/support/generation/run.js';
import type { GenerationOptions } from '../options.js';

const logits = (seed: number) => hashLogits({ vocabSize: 12, eosTokenIds: [1], endBias: 0, seed });
const model = (seed: number) => createFakeModel(12, logits(seed));

const sequences = fc.uniqueArray(fc.array(fc.integer({ min: 2, max: 5 }), { minLength: 1, maxLength: 4 }), {
  minLength: 1,
  maxLength: 12,
  selector: String,
});

it('finds the best of the allowed sequences, as scoring each of them does', async () => {
  await fc.assert(
    fc.asyncProperty(sequences, fc.integer(), async (allowedSequences, seed) => {
      const score = (ids: readonly number[]) =>
        [...ids, 1].reduce((total, id, i) => {
          const row = logits(seed)([3, 4], [0, ...ids.slice(0, i)]);
          return total + row[id] - logSumExp(row);
        }, 0);
      const wanted = allowedSequences
        .map((ids) => ({ ids: [...ids, 1], score: score(ids) }))
        .sort((a, b) => b.score - a.score);
      const [result] = await decode(model(seed), [[3, 4]], {
        numBeams: 12,
        numReturnSequences: 12,
        lengthPenalty: 0,
        earlyStopping: 'never',
        allowedSequences,
      });
      expect(result.sequences.map(({ ids }) => ids)).toEqual(wanted.map(({ ids }) => ids));
      result.sequences.forEach((sequence, i) => {
        expect(sequence.score).toBeCloseTo(wanted[i].score, 4);
      });
    }),
    { numRuns: 60 },
  );
});

it.each<GenerationOptions>([
  {},
  { numBeams: 2 },
  { doSample: true, seed: 1, numReturnSequences: 5 },
  { doSample: true, seed: 1, topK: 0, numReturnSequences: 5 },
  { numBeams: 3, forcedBosTokenId: 9 },
])('gives nothing but allowed sequences, with %j', async (options) => {
  await fc.assert(
    fc.asyncProperty(sequences, fc.integer(), async (allowedSequences, seed) => {
      const results = await decode(model(seed), [[3], [4, 5]], { ...options, allowedSequences });
      const possible = allowedSequences.map((ids) => [...ids, 1].join(' '));
      for (const ids of idsOf(results).flat()) {
        const rest = options.forcedBosTokenId === undefined ? ids : ids.slice(1);
        expect(possible).toContain(rest.join(' '));
      }
    }),
    { numRuns: 25 },
  );
});

it('says the same as a function as it does as a list', async () => {
  const allowedSequences = [[2, 3], [2, 4, 5], [6]];
  const prefixAllowedTokens = (_: number, ids: readonly number[]) => {
    const begun = allowedSequences.filter((one) => one.join(' ').startsWith(ids.slice(1).join(' ')));
    // Nothing follows an end token: a row that has ended must not be asked about.
    return begun.map((one) => one[ids.length - 1] ?? 1);
  };
  for (const options of [
    {},
    { numBeams: 3, numReturnSequences: 3 },
    { doSample: true, seed: 3, numReturnSequences: 6 },
  ]) {
    const byList = await decode(model(2), [[3], [4]], { ...options, allowedSequences });
    expect(await decode(model(2), [[3], [4]], { ...options, prefixAllowedTokens })).toEqual(byList);
  }
});

it('tells the function the index of the input among all, and all its ids', async () => {
  const calls: [number, number[]][] = [];
  const prefixAllowedTokens = (input: number, ids: readonly number[]) => {
    calls.push([input, [...ids]]);
    return [ids.length < 4 ? 7 : 1];
  };
  const inputs = [{ inputIds: [3] }, { inputIds: [4, 5], decoderInputIds: [8] }];
  const results = await decode(model(1), inputs, { prefixAllowedTokens }, { firstIndex: 10 });
  expect(idsOf(results)).toEqual([[[7, 7, 7, 1]], [[8, 7, 7, 1]]]);
  expect(calls).toContainEqual([10, [0, 7, 7]]);
  expect(calls).toContainEqual([11, [0, 8, 7]]);
});

it.each([[[]], [[12]], [[-1]], [[1.5]]])('refuses a function that returns %j', async (list) => {
  const running = decode(model(1), [[3]], { prefixAllowedTokens: () => list });
  await expect(running).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: expect.stringContaining('prefixAllowedTokens returned'),
  });
});

it('refuses sequences that do not fit, cannot end or are not in the vocabulary', async () => {
  const long = { allowedSequences: [[2], [2, 3, 4, 5]], maxNewTokens: 4 };
  await expect(decode(model(1), [[3]], long)).rejects.toMatchObject({ code: 'OPTION_CONFLICT' });
  expect(await decode(model(1), [[3]], { ...long, maxNewTokens: 5 })).toHaveLength(1);
  const endless = { ...fakeRules, eosTokenIds: [] };
  const short = { allowedSequences: [[2]] };
  await expect(decode(model(1), [[3]], short, {}, endless)).rejects.toMatchObject({
    code: 'OPTION_CONFLICT',
  });
  const foreign = { allowedSequences: [[2, 12]] };
  await expect(decode(model(1), [[3]], foreign)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
});
