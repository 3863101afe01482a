import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { expectNBest } from '../../test/support/generation/run.js';
import '../node/install.js';
import type { GenerationOptions } from '../generation/options.js';
import { loadModel } from './loadModel.js';

/*
 * What CTranslate2 4.8.5 and Marian 1.12 make of the checkpoints in test/fixtures/conventions
 * (tools/makeConventionsFixtures.py): ids of n-best lists, and scores. fairseq and UniLM: see
 * src/generation/conventions.test.ts.
 */

interface Fixture {
  version: string;
  inputs: number[][];
  cases: {
    options: GenerationOptions & { prompt?: number[] };
    /** Per input: [ids, score], best first. */
    outputs: [number[], number][][];
  }[];
}

const directory = new URL('../../test/fixtures/conventions/', import.meta.url);
const checkpoints = [
  ['ctranslate2', 'marian'],
  ['marian', 'marian-sines'],
] as const;

for (const [conventions, checkpoint] of checkpoints) {
  const path = new URL(`${conventions}.json`, directory);
  const { version, inputs, cases } = JSON.parse(readFileSync(path, 'utf8')) as Fixture;
  const model = await loadModel(new URL(checkpoint, directory).pathname, { device: 'cpu' });
  afterAll(() => model.dispose());

  describe(`conventions '${conventions}' equal version ${version}`, () => {
    it.each(cases.map((one) => [JSON.stringify(one.options), one] as const))('%s', async (_, one) => {
      const { prompt, ...options } = one.options;
      const results = await model.generate(
        inputs.map((inputIds) => ({ inputIds, decoderInputIds: prompt })),
        { ...options, conventions },
      );
      expectNBest(results, one.outputs, 1e-3);
    });

    it('is not what Hugging Face does', async () => {
      let different = 0;
      for (const { options, outputs } of cases.filter((one) => (one.options.numBeams ?? 1) > 2).slice(0, 8)) {
        const { prompt, ...rest } = options;
        const results = await model.generate(
          inputs.map((inputIds) => ({ inputIds, decoderInputIds: prompt })),
          rest,
        );
        const same = results.every(({ sequences }, i) =>
          sequences.every(({ ids }, j) => String(ids) === String(outputs[i][j]?.[0])),
        );
        if (!same) different++;
      }
      expect(different).toBeGreaterThan(3);
    });
  });
}

it('a dead end of renormalized scores ends no other output', async () => {
  const model = await loadModel('test/fixtures/models/marian');
  const inputs = [
    [5, 9, 12, 0],
    [50, 60, 0],
  ].map((inputIds) => ({ inputIds }));
  const dead = { allowedSequences: [[5], [12, 9]], badWordsIds: [[9]], maxNewTokens: 6 };
  for (const numBeams of [1, 2, 4]) {
    const results = await model.generate(inputs, { ...dead, numBeams, conventions: 'ctranslate2' });
    // With one beam, what is likelier at first may lead to the dead end.
    const ids = results.map(({ sequences }) => sequences[0].ids);
    if (numBeams > 1)
      expect(ids).toEqual([
        [5, 0],
        [5, 0],
      ]);
    else for (const one of ids) expect([[5, 0], [12]]).toContainEqual(one);
  }
  await model.dispose();
});
