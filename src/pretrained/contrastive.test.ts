import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import '../node/install.js';
import { loadEnsemble } from './loadEnsemble.js';
import { loadModel } from './loadModel.js';

/* What a plain reference over PyTorch's models chooses (tools/makeContrastiveFixtures.py). */

interface Case {
  model: string;
  options: Record<string, number>;
  input_ids: number[];
  ids: number[];
  log_probabilities: number[];
}

const root = 'test/fixtures';
const { cases } = JSON.parse(readFileSync(`${root}/generation/contrastive.json`, 'utf8')) as {
  cases: Case[];
};
const names = [...new Set(cases.map(({ model }) => model))];

test.each(names)('%s chooses as the reference does, in batches of mixed lengths', async (name) => {
  const own = cases.filter(({ model }) => model === name);
  expect(own.length).toBeGreaterThan(5);
  const model = await loadModel(`${root}/models/${name}`);
  const settings = [...new Set(own.map(({ options }) => JSON.stringify(options)))];
  let different = 0;
  for (const text of settings) {
    const group = own.filter((one) => JSON.stringify(one.options) === text);
    const options = Object.fromEntries(
      Object.entries(JSON.parse(text)).map(([key, value]) => [
        key.replace(/_(\w)/g, (_, c) => c.toUpperCase()),
        value,
      ]),
    );
    const inputs = group.map(({ input_ids: inputIds }) => ({ inputIds }));
    const found = await model.generate(inputs, options);
    const greedy = await model.generate(inputs, { ...options, penaltyAlpha: 0, topK: undefined });
    for (const [at, { ids, log_probabilities: logs }] of group.entries()) {
      const [sequence] = found[at].sequences;
      expect(sequence.ids.slice(-ids.length)).toEqual(ids);
      sequence.tokenLogProbabilities.forEach((value, place) => {
        expect(value).toBeCloseTo(logs[place], 3);
      });
      different += Number(greedy[at].sequences[0].ids.join() !== sequence.ids.join());
    }
  }
  expect(different).toBeGreaterThan(2);
  await model.dispose();
});

test('an ensemble refuses it by name', async () => {
  const ensemble = await loadEnsemble([`${root}/models/marian`, `${root}/models/marian`]);
  await expect(
    ensemble.generate([{ inputIds: [5, 0] }], { penaltyAlpha: 0.6, topK: 4 }),
  ).rejects.toMatchObject({ code: 'OPTION_CONFLICT', message: expect.stringContaining('penaltyAlpha') });
  await ensemble.dispose();
});
