import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createFakeModel, hashLogits, scriptedLogits } from '../../../test/support/generation/fakeModel.js';
import { decode, idsOf } from '../../../test/support/generation/run.js';
import type { GenerationOptions } from '../options.js';

const letters = '.$abcdefghij';
const text = (ids: readonly number[]) => ids.map((id) => letters[id]).join('');
const decodeAll = (outputs: number[][]) => outputs.map(text);
const model = (seed: number) =>
  createFakeModel(12, hashLogits({ vocabSize: 12, eosTokenIds: [1], endBias: -1, seed }));

const searches: GenerationOptions[] = [
  { maxNewTokens: 25 },
  { maxNewTokens: 25, numBeams: 3, numReturnSequences: 3 },
  { maxNewTokens: 25, doSample: true, seed: 3, numReturnSequences: 3 },
];

it('ends every output with the first stop string in it, and changes nothing before', async () => {
  let stopped = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...searches),
      fc.uniqueArray(fc.constantFrom('a', 'bc', 'ef', 'dd', 'hij', 'cab'), { minLength: 1, maxLength: 3 }),
      fc.integer(),
      async (options, stopStrings, seed) => {
        const inputs = [[3], [4, 5], [6]];
        const results = await decode(model(seed), inputs, { ...options, stopStrings, decode: decodeAll });
        const free = await decode(model(seed), inputs, options);
        results.forEach(({ sequences }, input) => {
          sequences.forEach(({ ids }, rank) => {
            const holds = (some: string) => stopStrings.some((stop) => some.includes(stop));
            expect(holds(text(ids.slice(0, -1)))).toBe(false);
            if (holds(text(ids))) stopped++;
            // Rows that choose for themselves are those of the free search, cut.
            if (!options.numBeams) expect(free[input].sequences[rank].ids.slice(0, ids.length)).toEqual(ids);
          });
        });
      },
    ),
    { numRuns: 60 },
  );
  expect(stopped).toBeGreaterThan(20);
});

it('is to a beam what an end token would be', async () => {
  for (let seed = 0; seed < 20; seed++) {
    const options = { numBeams: 3, numReturnSequences: 3, maxNewTokens: 12 };
    const stop = { stopStrings: ['a', 'b'], decode: async (outputs: number[][]) => decodeAll(outputs) };
    const byText = await decode(model(seed), [[3], [5]], { ...options, ...stop });
    expect(byText).toEqual(await decode(model(seed), [[3], [5]], { ...options, eosTokenId: [1, 2, 3] }));
  }
});

it('finishes a hypothesis that stops, and goes on with the others', async () => {
  const script = { '': { 2: 0.6, 3: 0.4 }, '3': { 4: 0.9, 1: 0.1 }, '3 4': { 1: 1 } };
  const scripted = createFakeModel(6, scriptedLogits(6, script));
  const results = await decode(scripted, [[5]], {
    numBeams: 2,
    numReturnSequences: 2,
    lengthPenalty: 0,
    stopStrings: 'a',
    decode: decodeAll,
  });
  expect(idsOf(results)).toEqual([[[2], [3, 4, 1]]]);
});

it('does not read the decoder prompt', async () => {
  const input = { inputIds: [3], decoderInputIds: [2, 3] };
  const free = await decode(model(1), [input], { maxNewTokens: 4 });
  const stop = { stopStrings: 'ab', decode: decodeAll };
  expect(await decode(model(1), [input], { maxNewTokens: 4, ...stop })).toEqual(free);
});
