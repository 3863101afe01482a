import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reversedPairs } from '../../test/support/tinyDirectories.js';
import { finetune, loadModel, parseFinetuneConfig } from '../node.js';
import { isTensorflowBert } from './modelDirectory.js';
import { openWeights } from './openWeights.js';
import { convertModel } from './saveModel.js';
import { openTensorflowBert } from './tensorflowBert.js';

const google = 'test/fixtures/pretrained/tensorflow-bert';
let root: string;
let converted: string;
let expected: {
  inputs: { input_ids: number[][]; token_type_ids: number[][] };
  last_hidden_state: number[][][];
  pooler_output: number[][];
  weights: Record<string, number[]>;
  shapes: Record<string, number[]>;
};

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'polybeam-tensorflow-'));
  converted = join(root, 'bert');
  await convertModel(google, converted, 'float32');
  expected = JSON.parse(await readFile(join(google, 'expected.json'), 'utf8'));
});

afterAll(() => rm(root, { recursive: true, force: true }));

/** A copy of the checkpoint, to be changed. */
async function copy(name: string): Promise<string> {
  const directory = join(root, name);
  await cp(google, directory, { recursive: true });
  return directory;
}

describe('a BERT checkpoint of TensorFlow', () => {
  test('becomes the weights that transformers makes of it, by its names', async () => {
    const weights = await openWeights(converted);
    // The projection repeats the embeddings.
    const {
      'cls.predictions.decoder.weight': _,
      'cls.predictions.decoder.bias': __,
      ...own
    } = expected.weights;
    expect([...weights.names()].sort()).toEqual(Object.keys(own).sort());
    for (const [name, first] of Object.entries(own)) {
      expect(weights.get(name)!.shape, name).toEqual(expected.shapes[name]);
      const found = (await weights.read(name)).slice(0, first.length);
      expect([...found], name).toEqual(first.map(Math.fround));
    }
  });

  test('computes what transformers computes', async () => {
    const model = await loadModel(converted);
    for (const [row, inputIds] of expected.inputs.input_ids.entries()) {
      const output = await model.forward({ inputIds, tokenTypeIds: expected.inputs.token_type_ids[row] });
      output.lastHiddenState!.flat().forEach((value, at) => {
        expect(value).toBeCloseTo(expected.last_hidden_state[row].flat()[at], 4);
      });
      output.poolerOutput!.forEach((value, at) => {
        expect(value).toBeCloseTo(expected.pooler_output[row][at], 4);
      });
    }
    // Lower-cased, as the vocabulary is.
    expect((await model.tokenizer!.encode('A b')).ids).toEqual([2, 5, 6, 3]);
    await model.dispose();
  });

  test('is described as it is', async () => {
    const config = JSON.parse(await readFile(join(converted, 'config.json'), 'utf8'));
    expect(config).toMatchObject({
      model_type: 'bert',
      architectures: ['BertForPreTraining'],
      hidden_size: 16,
      layer_norm_eps: 1e-12,
    });
    const settings = JSON.parse(await readFile(join(converted, 'tokenizer_config.json'), 'utf8'));
    expect(settings).toEqual({ tokenizer_class: 'BertTokenizer', do_lower_case: true, model_max_length: 20 });
    expect(await isTensorflowBert(google)).toBe(true);
    expect(await isTensorflowBert(converted)).toBe(false);
    const cased = await copy('cased');
    const vocabulary = await readFile(join(cased, 'vocab.txt'), 'utf8');
    await writeFile(join(cased, 'vocab.txt'), vocabulary.replace('\na\n', '\nA\n'));
    const { tokenizerFiles } = await openTensorflowBert(cased);
    expect(new TextDecoder().decode(tokenizerFiles.get('tokenizer_config.json'))).toContain(
      '"do_lower_case": false',
    );
  });

  test('can be fine-tuned from', async () => {
    const config = parseFinetuneConfig({
      output: join(root, 'tuned'),
      encoder: converted,
      decoder: converted,
      share: true,
      data: { train: { tsv: await reversedPairs(join(root, 'pairs.tsv'), 12) }, maxTargetLength: 12 },
      schedule: { type: 'constant', warmupUpdates: 1 },
      budget: { maxUpdates: 1 },
    });
    const { modelDirectory } = await finetune(config);
    const [weights, bert] = [await openWeights(modelDirectory!), await openWeights(converted)];
    const layer = 'encoder.layer.1.intermediate.dense.weight';
    expect(await weights.read(`encoder.${layer}`)).toEqual(await bert.read(`bert.${layer}`));
    const head = 'cls.predictions.transform.dense.weight';
    expect(await weights.read(`decoder.${head}`)).toEqual(await bert.read(head));
  });

  test('is no model directory before it is converted', async () => {
    await expect(loadModel(google)).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: expect.stringContaining(`\`polybeam convert ${google} OUT\` makes a model directory`),
    });
  });

  test('is refused without its files, or with several', async () => {
    const without = await copy('without');
    await rm(join(without, 'bert_model.ckpt.index'));
    await expect(openTensorflowBert(without)).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: expect.stringContaining('has bert_config.json but no checkpoint beside it'),
    });
    const several = await copy('several');
    await cp(join(several, 'bert_model.ckpt.index'), join(several, 'model.ckpt-7.index'));
    await expect(openTensorflowBert(several)).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: expect.stringContaining('has 2 checkpoints (bert_model.ckpt.index, model.ckpt-7.index)'),
    });
    const wrong = await copy('wrong');
    await writeFile(join(wrong, 'bert_config.json'), '{"vocab_size": 32}');
    await expect(openTensorflowBert(wrong)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('bert_config.json: hidden_size is missing'),
    });
  });
});
