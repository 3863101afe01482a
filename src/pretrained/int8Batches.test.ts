import { expect, it } from 'vitest';
import '../node/install.js';
import { type LoadOptions, loadModel } from './loadModel.js';

/*
 * What the card of models/summarize-software and docs/guides/devices.md say of int8: the rounding of a text's activations
 * depends on what shares its batch; batchSize 1 and float32 rule that out.
 */

const texts = [
  'The program draws graphs of functions and prints them.',
  'This package contains a tool to convert files from one format to another, and a library that does the same.',
  'A free game in which you build cities and roads.',
  'Fonts for the languages of South Asia, hinted for screens.',
].map((text) => ({ text }));

async function scores(load: LoadOptions, batchSize: number): Promise<number[][]> {
  const model = await loadModel('models/summarize-software', { cache: false, ...load });
  const together = await model.generate(texts, { numBeams: 4 }, { batchSize });
  const alone = await Promise.all(
    texts.map(async (text) => (await model.generate([text], { numBeams: 4 }))[0]),
  );
  await model.dispose();
  return [together, alone].map((results) => results.map(({ sequences }) => sequences[0].score));
}

it.each<[LoadOptions, number]>([
  [{}, 1],
  [{ weightPrecision: 'float32' }, 4],
])('a text has one result with %j and batchSize %i', async (load, batchSize) => {
  const [together, alone] = await scores(load, batchSize);
  expect(together).toEqual(alone);
});

it('a text may have another result in a batch of the model as it is stored', async () => {
  const [together, alone] = await scores({}, 4);
  expect(together).not.toEqual(alone);
});
