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
