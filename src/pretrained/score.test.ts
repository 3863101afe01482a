import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import '../node/install.js';
import { loadModel } from './loadModel.js';

const root = 'test/fixtures/models';
/** Tiny random checkpoints that generate. */
const names = readdirSync(root).filter(
  (name) => JSON.parse(readFileSync(`${root}/${name}/expected.json`, 'utf8')).generate?.length > 0,
);

describe.each(names)('score of %s', (name) => {
  test('is what the search reported, whatever the batch', async () => {
    const model = await loadModel(`${root}/${name}`);
    const forcesEnd = /forced_eos_token_id": \d/.test(
      readFileSync(`${root}/${name}/generation_config.json`, 'utf8'),
    );
    // Two languages begin the sources of some.
    const languages = [...(model.languages.before?.ids.values() ?? [])].slice(0, 2);
    const inputs = [[11, 10, 16, 36, 0], [7, 3, 5, 0], [12]].map((ids) => ({
      inputIds: [...languages, ...ids],
    }));
    for (const [numBeams, lengthPenalty] of [
      [1, 1],
      [3, 0.7],
    ]) {
      const outputs = await model.generate(inputs, {
        ...(numBeams > 1 && { numBeams, lengthPenalty, numReturnSequences: numBeams }),
        maxNewTokens: 9,
        doSample: false,
      });
      const found = outputs.flatMap(({ sequences }, index) =>
        sequences.map(({ ids, score, tokenLogProbabilities }) => ({
          source: inputs[index],
          // A model that continues its input returns it, too.
          target: ids.length > tokenLogProbabilities.length ? ids.slice(-tokenLogProbabilities.length) : ids,
          score,
        })),
      );
      // An end token that is forced at the length limit cannot be told from one that was chosen.
      const whole = found.filter(({ target }) => !forcesEnd || target.length < 9);
      expect(whole.length).toBeGreaterThan(0);
      const scores = await model.score(whole, {
        lengthPenalty: numBeams > 1 ? lengthPenalty : 1,
        batchSize: 4,
      });
      scores.forEach(({ score, ids, tokenLogProbabilities }, index) => {
        expect(ids).toEqual(whole[index].target);
        expect(tokenLogProbabilities).toHaveLength(ids.length);
        expect(Math.abs(score - whole[index].score), `${numBeams} beams, ${ids}`).toBeLessThan(1e-4);
      });
    }
    await model.dispose();
  });
});

test('refuses what cannot be scored', async () => {
  const model = await loadModel(`${root}/marian`);
  const source = { inputIds: [11, 10, 0] };
  await expect(model.score([{ source, target: [5, 99999] }])).rejects.toMatchObject({
    code: 'INPUT_INVALID',
  });
  await expect(model.score([{ source, target: 'text' }])).rejects.toMatchObject({
    code: 'TOKENIZER_MISSING',
  });
  await expect(model.score([{ source, target: [5] }], { to: 'fr' })).rejects.toMatchObject({
    code: 'LANGUAGE_UNKNOWN',
  });
  expect(await model.score([{ source: { inputIds: [] }, target: [5] }])).toEqual([
    { ids: [5], score: 0, tokenLogProbabilities: [] },
  ]);
  await model.dispose();
});
