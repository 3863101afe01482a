import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createFakeModel, hashLogits } from '../../../test/support/generation/fakeModel.js';
import { decode, fakeRules } from '../../../test/support/generation/run.js';
import type { GenerationOptions } from '../options.js';

const phrases = fc.array(fc.array(fc.integer({ min: 2, max: 7 }), { minLength: 1, maxLength: 3 }), {
  minLength: 1,
  maxLength: 4,
});
const searches = fc.constantFrom<GenerationOptions>(
  { maxNewTokens: 12, minNewTokens: 8 },
  { maxNewTokens: 12, minNewTokens: 8, numBeams: 3, numReturnSequences: 3 },
  { maxNewTokens: 12, doSample: true, seed: 3, topK: 0, numReturnSequences: 3 },
);
const model = (seed: number) =>
  createFakeModel(8, hashLogits({ vocabSize: 8, eosTokenIds: [1], endBias: 0, seed }));

const holds = (ids: readonly number[], phrase: readonly number[]) =>
  ` ${ids.join(' ')} `.includes(` ${phrase.join(' ')} `);

it('never produces a forbidden phrase, in any search, even one that a prompt begins', async () => {
  let mattered = 0;
  await fc.assert(
    fc.asyncProperty(phrases, searches, fc.integer(), async (badWordsIds, options, seed) => {
      const input = { inputIds: [3, 4], decoderInputIds: [5, badWordsIds[0][0]] };
      const [free] = await decode(model(seed), [input], options);
      const [{ sequences }] = await decode(model(seed), [input], { ...options, badWordsIds });
      for (const { ids } of sequences) {
        for (const phrase of badWordsIds) {
          // What the prompt says alone stands.
          if (phrase.length > 1 || phrase[0] !== badWordsIds[0][0])
            expect(holds(ids.slice(1), phrase)).toBe(false);
        }
      }
      if (JSON.stringify(free.sequences) !== JSON.stringify(sequences)) mattered++;
    }),
    { numRuns: 60 },
  );
  expect(mattered).toBeGreaterThan(10);
});

it('forbids by -Infinity just as by a very large negative bias', async () => {
  const options = { maxNewTokens: 12, numBeams: 3 };
  const list = [[4], [5, 6], [2, 3, 7]];
  const forbidden = await decode(model(2), [[3]], { ...options, badWordsIds: list });
  const biased = await decode(model(2), [[3]], {
    ...options,
    sequenceBias: list.map((ids): [number[], number] => [ids, -1e4]),
  });
  expect(biased).toEqual(forbidden);
});

it('takes the bias given last, and adds up those of one token', async () => {
  const flat = createFakeModel(5, () => [0, -9, 0, 0, 0]);
  const options = { maxNewTokens: 3, numBeams: 2, forcedBosTokenId: 2 };
  const [one] = await decode(flat, [[3]], {
    ...options,
    sequenceBias: [
      [[3], 9],
      [[3], 1],
      [[2, 3], 1.5],
      [[4], 2],
    ],
  });
  expect(one.sequences[0].ids).toEqual([2, 3, 4]);
});

it('forbids no end token alone', async () => {
  const [bad] = await decode(model(2), [[3]], { badWordsIds: [[1]] });
  expect(bad).toEqual((await decode(model(2), [[3]], {}))[0]);
});

it.each<[GenerationOptions, string]>([
  [{ sequenceBias: [[[2, 8], 1]] }, 'sequenceBias'],
  [{ forcedBosTokenId: 8 }, 'forcedBosTokenId'],
  [{ forcedEosTokenId: [1, 8] }, 'forcedEosTokenId'],
  [{ badWordsIds: [[2], [8]] }, 'badWordsIds'],
  [{ badWordsIds: [[2, 8]] }, 'badWordsIds'],
  [{ suppressTokens: [2, 8] }, 'suppressTokens'],
  [{ beginSuppressTokens: [8] }, 'beginSuppressTokens'],
  [{ eosTokenId: 8 }, 'eosTokenId'],
  [{ eosTokenId: [1, 8] }, 'eosTokenId'],
  [{ noRepeatNgramSize: 2, noRepeatNgramIgnore: [8] }, 'noRepeatNgramIgnore'],
  [{ numBeams: 2, forceWordsIds: [[2], [[3], [4, 8]]] }, 'forceWordsIds'],
  [{ allowedSequences: [[2], [3, 8]] }, 'allowedSequences'],
])('refuses %j, which is not in the vocabulary', async (options, name) => {
  await expect(decode(model(1), [[3]], options)).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: expect.stringContaining(`${name} cannot hold token 8`),
  });
});

it('lets options replace what the model says', async () => {
  const rules = { ...fakeRules, eosTokenIds: [1], forcedEosTokenIds: [1], forcedBosTokenId: 4 };
  const [{ sequences }] = await decode(
    model(3),
    [[3]],
    { maxNewTokens: 4, minNewTokens: 4, forcedBosTokenId: 5, forcedEosTokenId: [6], eosTokenId: 6 },
    {},
    rules,
  );
  expect(sequences[0].ids[0]).toBe(5);
  expect(sequences[0].ids.at(-1)).toBe(6);
});
