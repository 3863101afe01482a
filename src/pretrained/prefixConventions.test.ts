import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { expectNBest } from '../../test/support/generation/run.js';
import '../node/install.js';
import type { GenerationOptions } from '../generation/options.js';
import { loadModel } from './loadModel.js';

/*
 * What CTranslate2 4.8.5 and transformers 5.23 make of prefixes with the checkpoint test/fixtures/conventions/marian
 * (tools/makePrefixFixtures.py): ids of n-best lists, and scores.
 */

interface Fixture {
  version: string;
  inputs: number[][];
  cases: {
    options: GenerationOptions & { prefix: number[] };
    /** Per input: [ids, score]. */
    outputs: [number[], number][][];
  }[];
}

const directory = new URL('../../test/fixtures/conventions/', import.meta.url);
const model = await loadModel(new URL('marian', directory).pathname, { device: 'cpu' });
afterAll(() => model.dispose());

for (const [name, conventions] of [
  ['prefix-ctranslate2', 'ctranslate2'],
  ['prefix-transformers', 'huggingface'],
  ['alternatives-ctranslate2', 'ctranslate2'],
] as const) {
  const path = new URL(`${name}.json`, directory);
  const { version, inputs, cases } = JSON.parse(readFileSync(path, 'utf8')) as Fixture;

  describe(`${name}, ${version}`, () => {
    it.each(cases.map((one) => [JSON.stringify(one.options), one] as const))('%s', async (_, one) => {
      const { prefix, ...options } = one.options;
      const results = await model.generate(
        inputs.map((inputIds) => ({ inputIds, prefix })),
        { ...options, conventions },
      );
      expectNBest(results, one.outputs, 1e-3);
    });

    if (name.startsWith('alternatives')) return;

    it('has cases in which the prefix is met, left and never taken', () => {
      const agreed = cases.flatMap(({ options: { prefix }, outputs }) =>
        outputs.map(([[ids]]) => prefix.filter((id, at) => ids[at] === id).length / prefix.length),
      );
      expect(agreed.filter((part) => part === 1).length).toBeGreaterThan(10);
      expect(agreed.filter((part) => part === 0).length).toBeGreaterThan(2);
    });
  });
}

// CTranslate2 4.8.5: target_prefix, max_decoding_length one more, beam_size and num_hypotheses 4.
it("one new token after a prefix has all hypotheses with conventions 'ctranslate2'", async () => {
  const inputs = [
    [41, 61, 70, 52, 22, 28, 2, 6, 35, 0],
    [52, 13, 19, 65, 13, 40, 21, 0],
  ].map((inputIds) => ({ inputIds, prefix: [40] }));
  const options = {
    numBeams: 4,
    numReturnSequences: 4,
    maxNewTokens: 1,
    conventions: 'ctranslate2',
  } as const;
  const results = await model.generate(inputs, options);
  const wanted = [
    [
      [[40, 61], -0.181481],
      [[40, 64], -1.229252],
      [[40, 43], -1.880765],
      [[40, 67], -1.915797],
    ],
    [
      [[40, 13], -0.28505],
      [[40, 14], -1.322186],
      [[40, 16], -1.536718],
      [[40, 11], -1.797149],
    ],
  ] as const;
  expectNBest(results, wanted, 1e-5);
  // Of 30 continuations the last ends: only the best hypothesis may, and the place of another is lost.
  const [many] = await model.generate([{ ...inputs[1], prefix: [11, 25] }], {
    ...options,
    numBeams: 30,
    numReturnSequences: 30,
    minNewTokens: 0,
  });
  expect(many.sequences).toHaveLength(29);
  expect(many.sequences[28].ids).toEqual([11, 25, 37]);
});
