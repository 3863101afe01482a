import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import '../node/install.js';
import { loadModel } from './loadModel.js';
import type { ScoreOptions } from './score.js';

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

test('reads no padding, as transformers does not', async () => {
  const model = await loadModel(`${root}/marian`);
  const target = [5, 5, 12, 12, 12, 12];
  const padded = { inputIds: [5, 9, 12, 71, 71, 71], attentionMask: [1, 1, 1, 0, 0, 0] };
  const [alone, masked] = await model.score([
    { source: { inputIds: [5, 9, 12] }, target },
    { source: padded, target },
  ]);
  expect(masked.score).toBeCloseTo(-0.9009, 4);
  expect(masked.score).toBeCloseTo(alone.score, 5);
  const nothing = { inputIds: [5, 9], attentionMask: [0, 0] };
  expect(await model.score([{ source: nothing, target }])).toEqual([
    { ids: target, score: 0, tokenLogProbabilities: [] },
  ]);
  await model.dispose();
});

test('scores a first token as 0 only where it is forced', async () => {
  const model = await loadModel(`${root}/m2m100`);
  const source = { inputIds: [5, 9, 12] };
  const target = [5, 8, 8];
  const [free, forced] = await model.score([
    { source: { ...source, decoderInputIds: [9] }, target },
    { source, target },
  ]);
  // log_softmax of transformers' logits.
  [-4.853479, -1.879084, -2.392969].forEach((value, token) => {
    expect(free.tokenLogProbabilities[token]).toBeCloseTo(value, 4);
  });
  expect(forced.tokenLogProbabilities[0]).toBe(0);
  // Nothing but the forced token and the end.
  const [empty] = await model.score([{ source, target: [] }]);
  expect(empty.ids).toEqual([5, 2]);
  expect(empty.tokenLogProbabilities[0]).toBe(0);
  expect(empty.tokenLogProbabilities[1]).toBeCloseTo(-8.201018, 4);
  await model.dispose();
});

test('an empty target is an end, as probable as the model finds it', async () => {
  const marian = await loadModel(`${root}/marian`);
  // log_softmax of transformers' logits.
  const [end] = await marian.score([{ source: { inputIds: [5, 9, 12] }, target: [] }]);
  expect(end.ids).toEqual([0]);
  expect(end.score).toBeCloseTo(-11.319203, 4);
  await marian.dispose();
  const model = await loadModel('models/en-fr-software');
  const source = 'a free game';
  for (const target of ['', ' ', [], [1]]) {
    expect((await model.score([{ source, target }]))[0].score).toBeCloseTo(-10.64, 2);
  }
  expect((await model.score([{ source: '', target: '' }]))[0].score).toBe(0);
  await model.dispose();
});

test('scores lengths as the search does', async () => {
  const model = await loadModel(`${root}/marian`);
  const inputs = [{ inputIds: [11, 10, 16, 36, 0] }];
  for (const scoring of [{ gnmtLengthPenalty: 0.8 }, { wordReward: 0.3 }, { lengthPenalty: 0 }]) {
    const options = { numBeams: 3, numReturnSequences: 3, maxNewTokens: 6, ...scoring };
    const [{ sequences }] = await model.generate(inputs, options);
    const pairs = sequences.map(({ ids }) => ({ source: inputs[0], target: ids }));
    const scores = await model.score(pairs, scoring);
    scores.forEach(({ score }, at) => {
      expect(score).toBeCloseTo(sequences[at].score, 4);
    });
  }
  await model.dispose();
});

test.each([
  [{ batchSize: 0 }, 'OPTION_INVALID', 'batchSize cannot be 0'],
  [{ batchSize: 1.5 }, 'OPTION_INVALID', 'batchSize cannot be 1.5'],
  [{ batchSize: Number.NaN }, 'OPTION_INVALID', 'batchSize cannot be NaN'],
  [{ lengthPenalty: Number.NaN }, 'OPTION_INVALID', 'lengthPenalty cannot be NaN'],
  [{ lengthPenalty: '1' }, 'OPTION_INVALID', 'lengthPenalty cannot be'],
  [{ numBeams: 4 }, 'OPTION_UNKNOWN', 'score has no option "numBeams"'],
  [{ temperature: 0.5 }, 'OPTION_UNKNOWN', 'score has no option "temperature"'],
  [{ batchsize: 4 }, 'OPTION_UNKNOWN', 'score has no option "batchsize"'],
  [{ lengthPenalty: 2, wordReward: 1 }, 'OPTION_CONFLICT', 'exclude each other'],
])('refuses %j', async (options, code, message) => {
  const model = await loadModel(`${root}/marian`);
  const run = model.score([{ source: { inputIds: [5, 9] }, target: [5] }], options as ScoreOptions);
  await expect(run).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  await model.dispose();
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
  const idle = { inputIds: [11, 10, 0], forceWordsIds: [[5]] };
  await expect(model.score([{ source: idle, target: [5] }])).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: expect.stringContaining('leave forceWordsIds out'),
  });
  expect(await model.score([{ source: { inputIds: [] }, target: [5] }])).toEqual([
    { ids: [5], score: 0, tokenLogProbabilities: [] },
  ]);
  await model.dispose();
});
