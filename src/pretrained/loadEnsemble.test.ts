import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import '../node/install.js';
import { temporaryDirectory } from '../text/tokenizer.contract.js';
import { loadEnsemble } from './loadEnsemble.js';
import { loadModel } from './loadModel.js';
import { readBytes } from './openWeights.js';
import { readSafetensors, type TensorToWrite, writeSafetensors } from './safetensors.js';

const root = 'test/fixtures/models';
const inputs = [
  [11, 10, 16, 36, 0],
  [7, 3, 5, 0],
].map((inputIds) => ({ inputIds }));

describe('loadEnsemble', () => {
  test('of a model and itself is the model, and scores as it searches', async () => {
    const alone = await loadModel(`${root}/marian`);
    const twice = await loadEnsemble([`${root}/marian`, `${root}/marian-sharded`], { weights: [1, 3] });
    const options = { numBeams: 3, maxNewTokens: 9, numReturnSequences: 2 };
    const wanted = await alone.generate(inputs, options);
    const found = await twice.generate(inputs, options);
    for (const [index, { sequences }] of found.entries()) {
      expect(sequences.map(({ ids }) => ids)).toEqual(wanted[index].sequences.map(({ ids }) => ids));
      const pairs = sequences.map(({ ids }) => ({ source: inputs[index], target: ids }));
      const scores = await twice.score(pairs, { lengthPenalty: 1 });
      scores.forEach(({ score }, rank) => {
        expect(score).toBeCloseTo(wanted[index].sequences[rank].score, 4);
      });
    }
    await alone.dispose();
    await twice.dispose();
  });

  test('is more than its first member, and refuses to score log-linearly', async () => {
    const members = [`${root}/bart`, `${root}/mbart`];
    const configs = await Promise.all(members.map((directory) => loadModel(directory)));
    const ensemble = await loadEnsemble(members, { combine: 'logLinear' });
    const options = { numBeams: 2, maxNewTokens: 9 };
    const [first, together] = [
      await configs[0].generate(inputs, options),
      await ensemble.generate(inputs, options),
    ];
    expect(together).not.toEqual(first);
    await expect(ensemble.score([{ source: inputs[0], target: [5] }])).rejects.toMatchObject({
      code: 'OPTION_CONFLICT',
    });
    for (const model of [...configs, ensemble]) await model.dispose();
  });

  test('refuses ids of a source that a member does not know', async () => {
    const small = temporaryDirectory();
    cpSync(`${root}/encoder-decoder`, small, { recursive: true });
    const { encoder, ...config } = JSON.parse(readFileSync(`${small}/config.json`, 'utf8'));
    writeFileSync(
      `${small}/config.json`,
      JSON.stringify({ ...config, encoder: { ...encoder, vocab_size: 50 } }),
    );
    const path = `${small}/model.safetensors`;
    const tensors: TensorToWrite[] = [];
    for (const [name, weight] of await readSafetensors(path)) {
      const rows = name === 'encoder.embeddings.word_embeddings.weight' ? 50 : weight.shape[0];
      const data = await readBytes(weight);
      const part = data.slice(0, (data.length / weight.shape[0]) * rows);
      tensors.push({ name, format: weight.format, shape: [rows, ...weight.shape.slice(1)], data: part });
    }
    await writeSafetensors(path, tensors);
    const ensemble = await loadEnsemble([`${root}/encoder-decoder`, small]);
    expect(await ensemble.generate([{ inputIds: [49] }], { maxNewTokens: 2 })).toHaveLength(1);
    await expect(ensemble.generate([{ inputIds: [50] }], { maxNewTokens: 2 })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: 'Input 1: inputIds holds 50; give ids from 0 to 49.',
    });
    await ensemble.dispose();
  });

  test('refuses models that do not fit together', async () => {
    await expect(loadEnsemble([])).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(loadEnsemble([`${root}/marian`, `${root}/bert`])).rejects.toMatchObject({
      code: 'MODEL_CANNOT_GENERATE',
    });
    await expect(loadEnsemble([`${root}/marian`, 'models/en-fr-software'])).rejects.toMatchObject({
      code: 'ENSEMBLE_MISMATCH',
    });
  });
});
