import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createFakeModel, hashLogits } from '../../test/support/generation/fakeModel.js';
import { decode, expectNBest } from '../../test/support/generation/run.js';
import type { GenerationOptions } from './options.js';

/*
 * What the searches of fairseq 0.12.2 and of UniLM make of logits that are a hash (tools/makeConventionsFixtures.py).
 * CTranslate2 and Marian: src/pretrained/conventions.test.ts.
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

/** The same in tools/makeConventionsFixtures.py. */
const model = () =>
  createFakeModel(16, hashLogits({ vocabSize: 16, eosTokenIds: [1], endBias: 1.5, seed: 7 }));

for (const conventions of ['fairseq', 'unilm'] as const) {
  const path = new URL(`../../test/fixtures/conventions/${conventions}.json`, import.meta.url);
  const { version, inputs, cases } = JSON.parse(readFileSync(path, 'utf8')) as Fixture;
  const search = async (options: Fixture['cases'][number]['options'], more: GenerationOptions) => {
    const { prompt, ...rest } = options;
    const given = inputs.map((inputIds) => ({ inputIds, decoderInputIds: prompt }));
    return decode(model(), given, { ...rest, ...more });
  };

  describe(`conventions '${conventions}' equal ${version}`, () => {
    it.each(cases.map((one) => [JSON.stringify(one.options), one] as const))('%s', async (_, one) => {
      const results = await search(one.options, { conventions });
      expectNBest(results, one.outputs, 1e-4);
    });

    it('are not what Hugging Face does', async () => {
      let different = 0;
      for (const { options, outputs } of cases.filter((one) => (one.options.numBeams ?? 1) > 1)) {
        const results = await search(options, {});
        const same = results.every(({ sequences }, i) =>
          sequences.every(({ ids }, j) => String(ids) === String(outputs[i][j]?.[0])),
        );
        if (!same) different++;
      }
      expect(different).toBeGreaterThan(10);
    });
  });
}
