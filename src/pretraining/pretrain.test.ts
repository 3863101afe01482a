import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadModel, parsePretrainConfig, pretrain, type TrainOptions } from '../node.js';
import { openWeights } from '../pretrained/openWeights.js';
import { convertModel } from '../pretrained/saveModel.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'polybeam-pretrain-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const words = ['red', 'car', 'blue', 'house', 'the', 'old', 'green', 'tree', 'stands', 'here'];
const sentence = (at: number) =>
  `${Array.from({ length: 6 + (at % 7) }, (_, i) => words[(at * 3 + i * (1 + (at % 3))) % words.length]).join(' ')}.`;

async function configOf(name: string, overrides: Record<string, unknown> = {}) {
  const directory = await mkdtemp(join(root, `${name}-`));
  const text = join(directory, 'text.txt');
  await writeFile(
    text,
    Array.from({ length: 60 }, (_, at) => `${sentence(at)} ${sentence(at + 5)}`).join('\n'),
  );
  return parsePretrainConfig({
    output: join(directory, 'run'),
    objectives: { type: 'mass' },
    data: { train: { text }, validation: { text } },
    vocabulary: { train: { size: 60, minFrequency: 1, specialTokens: ['<pad>', '</s>', '<unk>', '<mask>'] } },
    model: { dModel: 16, ffnDim: 32, attentionHeads: 2, encoderLayers: 1, decoderLayers: 1, dropout: 0.1 },
    schedule: { learningRate: 0.01, warmupUpdates: 5 },
    batch: { maxTokens: 256 },
    budget: { maxUpdates: 24 },
    validation: { everyUpdates: 12, maxPieces: 20 },
    checkpoints: { everyUpdates: 8, averageLast: 1 },
    log: { everyUpdates: 1 },
    ...overrides,
  });
}

const mixture = [{ type: 'mass' }, { type: 'bart' }, { type: 'bertLm' }];
const finalWeights = (output: string) => readFile(join(output, 'model/model.safetensors'));

describe('pretrain', () => {
  test('learns, and ends in a model that loads and generates', async () => {
    const config = await configOf('whole', { budget: { maxUpdates: 60 } });
    const result = await pretrain(config);
    expect(result).toMatchObject({ reason: 'maxUpdates', updates: 60 });
    const rows = (await readFile(join(config.output, 'log.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((row) => JSON.parse(row));
    const losses = rows.filter((row) => row.type === 'validation').map((row) => row.score);
    expect(losses).toHaveLength(5);
    expect(losses[4]).toBeLessThan(losses[0] - 0.2);
    const model = await loadModel(result.modelDirectory!);
    const [output] = await model.generate([{ text: 'the red car' }], { maxNewTokens: 5 });
    expect(typeof output.sequences[0].text).toBe('string');
    await model.dispose();
  });

  test('a mixture interrupted in the middle of an epoch and resumed gives the same weights bit for bit', async () => {
    const whole = await configOf('mixture', { objectives: mixture });
    await pretrain(whole);
    const output = await mkdtemp(join(root, 'interrupted-'));
    const parts = { ...whole, output };
    const controller = new AbortController();
    // The first line of progress is always written, others depend on the clock.
    const write = (text: string) => / update 1 /.test(text) && controller.abort();
    const options = {
      signal: controller.signal,
      output: { isTerminal: true, write },
    } as unknown as TrainOptions;
    expect(await pretrain(parts, options)).toMatchObject({ reason: 'interrupted', updates: 1 });
    expect(await pretrain(parts)).toMatchObject({ reason: 'maxUpdates', resumedFrom: 1 });
    expect(await finalWeights(output)).toEqual(await finalWeights(whole.output));
  });

  test('what an objective does not train is part of the model all the same', async () => {
    const config = await configOf('bertLm', { objectives: { type: 'bertLm' } });
    const { modelDirectory } = await pretrain(config);
    const weights = await openWeights(modelDirectory!);
    expect(weights.names().some((name) => name.includes('encoder_attn'))).toBe(true);
    await (await loadModel(modelDirectory!)).dispose();
  });

  test('goes on from a model, supervised by pairs', async () => {
    const first = await configOf('first');
    const { modelDirectory } = await pretrain(first);
    const pairs = join(first.output, 'pairs.tsv');
    await writeFile(
      pairs,
      Array.from({ length: 40 }, (_, at) => `${sentence(at)}\t${sentence(at + 1)}`).join('\n'),
    );
    const second = parsePretrainConfig({
      output: join(first.output, 'second'),
      init: modelDirectory,
      objectives: { type: 'supervisedMass' },
      data: { pairs: { tsv: pairs } },
      budget: { maxUpdates: 1 },
      schedule: { warmupUpdates: 10 },
      checkpoints: { averageLast: 0 },
    });
    const notes: string[] = [];
    const output = { isTerminal: false, write: (text: string) => notes.push(text) } as never;
    const result = await pretrain(second, { output });
    expect(notes.join('')).toMatch(/init: (\d+) of \1 weights/);
    // The first update of a schedule with warm-up has learning rate 0.
    expect(await finalWeights(second.output)).toEqual(
      await readFile(join(modelDirectory!, 'model.safetensors')),
    );
    expect(result.updates).toBe(1);
    // Trained weights are whole numbers no longer.
    const rounded = join(first.output, 'int8');
    await convertModel(modelDirectory!, rounded, 'int8');
    const again = join(first.output, 'third');
    await pretrain({ ...second, init: rounded, output: again });
    const config = JSON.parse(await readFile(join(again, 'model/config.json'), 'utf8'));
    expect(config.polybeam?.weights).toBeUndefined();
  });
});

describe('refuses', () => {
  test('a vocabulary without a mask token', async () => {
    const vocabulary = { train: { size: 60, minFrequency: 1, specialTokens: ['<pad>', '</s>', '<unk>'] } };
    await expect(pretrain(await configOf('mask', { vocabulary }))).rejects.toMatchObject({
      code: 'TOKENIZER_INVALID',
      message: expect.stringContaining('<mask>'),
    });
  });

  test('texts that are all shorter than the fragment, and warns of some', async () => {
    const long = { type: 'mass', fragmentLength: 1000 };
    await expect(pretrain(await configOf('short', { objectives: long }))).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('fragment'),
    });
    const warnings: string[] = [];
    const some = { objectives: { type: 'mass', fragmentLength: 22 }, budget: { maxUpdates: 1 } };
    await pretrain(await configOf('some', some), { onWarning: (text) => warnings.push(text) });
    expect(warnings[0]).toMatch(/\d+ of 60 pieces of text are too short/);
  });

  test('pieces longer than the model has positions', async () => {
    const config = await configOf('positions', { model: { preset: 'tiny', maxPositionEmbeddings: 64 } });
    await expect(pretrain(config)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('lower data.maxLength to 63'),
    });
  });

  test('going on from a model of other kind', async () => {
    const init = 'test/fixtures/models/gpt2';
    const config = await configOf('gpt2');
    await expect(pretrain({ ...config, init, model: undefined })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });
});
