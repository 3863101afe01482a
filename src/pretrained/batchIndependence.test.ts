import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import '../node/install.js';
import type { GenerationOptions } from '../generation/options.js';
import { loadModel } from './loadModel.js';
import type { Model } from './model.js';

/*
 * What a sentence becomes does not depend on what shares its batch, nor on the order: bit for bit, on ONNX Runtime in float32.
 */

const root = 'test/fixtures/models';
const read = (name: string) => JSON.parse(readFileSync(`${root}/${name}/expected.json`, 'utf8'));
const names = readdirSync(root).filter((name) => read(name).generate?.length);

const searches: GenerationOptions[] = [
  {},
  { numBeams: 4, numReturnSequences: 3 },
  { numBeams: 3, noRepeatNgramSize: 2, repetitionPenalty: 1.3, lengthPenalty: 0.5 },
  { doSample: true, seed: 3, numReturnSequences: 2 },
];

describe.each(names)('%s', (name) => {
  let model: Model;
  const rows: number[][] = read(name).inputs.input_ids;
  const known = [...new Set(rows.flat())];
  // What a source begins with may say its languages.
  const source = fc
    .tuple(fc.constantFrom(...rows), fc.array(fc.constantFrom(...known), { minLength: 1, maxLength: 12 }))
    .map(([row, rest]) => [...row.slice(0, 2), ...rest]);

  beforeAll(async () => {
    model = await loadModel(`${root}/${name}`, { threads: 2 });
  });
  afterAll(() => model.dispose());

  test('gives each sentence the same alone and in any batch', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(source, { minLength: 2, maxLength: 7 }),
        fc.constantFrom(...searches),
        fc.integer({ min: 2, max: 7 }),
        async (sources, search, batchSize) => {
          const options = { ...search, maxNewTokens: 6 };
          const inputs = sources.map((inputIds) => ({ inputIds }));
          const together = await model.generate(inputs, options, { batchSize });
          for (const [firstIndex, input] of inputs.entries()) {
            const [alone] = await model.generate([input], options, { firstIndex });
            expect(together[firstIndex]).toEqual(alone);
          }
        },
      ),
      { numRuns: 12 },
    );
  });
});
