import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import '../../node/install.js';
import { loadModel } from '../../pretrained/loadModel.js';
import { readTensors } from '../../training/tensorFiles.js';
import { parseTranslationConfig } from './parseConfig.js';
import { trainTranslator } from './train.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'polybeam-translator-'));
  const words = ['mano', 'domo', 'vira', 'kato', 'luna', 'suna'];
  const others = ['hund', 'haus', 'mann', 'katz', 'mond', 'sonn'];
  const line = (list: string[], at: number) =>
    Array.from({ length: 2 + (at % 4) }, (_, i) => list[(at * 5 + i * (1 + (at % 3))) % list.length]).join(
      ' ',
    );
  const write = (name: string, list: string[], from: number, count: number) =>
    writeFileSync(
      join(directory, name),
      Array.from({ length: count }, (_, at) => `${line(list, from + at)}\n`).join(''),
    );
  write('train.eo', words, 0, 14);
  write('train.de', others, 30, 20);
  write('valid.eo', words, 60, 4);
  write('valid.de', others, 60, 4);
});
afterAll(() => rmSync(directory, { recursive: true }));

const file = (name: string) => join(directory, name);

const configOf = (name: string, more: object = {}) =>
  parseTranslationConfig({
    output: file(name),
    data: {
      train: { eo: file('train.eo'), de: file('train.de') },
      validation: { eo: file('valid.eo'), de: file('valid.de') },
      validationPairs: { from: 'eo', to: 'de', source: file('valid.eo'), target: file('valid.de') },
    },
    vocabulary: { train: { size: 60 } },
    model: { embDim: 16, nHeads: 2, encoderLayers: 1, decoderLayers: 1, maxPositionEmbeddings: 112 },
    batch: { maxTokens: 100, maxSentences: 4, lengthMultiple: 1 },
    schedule: { learningRate: 0.01, warmupUpdates: 2, type: 'constant' },
    budget: { maxUpdates: 14 },
    validation: { everyUpdates: 7 },
    log: { everyUpdates: 7 },
    checkpoints: { everyUpdates: 100 },
    threads: 1,
    ...more,
  });

const rowsOf = (name: string) =>
  readFileSync(file(`${name}/log.jsonl`), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('a run', () => {
  test('trains, logs by task and with times, validates there and back, and writes a model that translates', async () => {
    const { modelDirectory, updates } = await trainTranslator(configOf('whole'));
    expect(updates).toBe(14);
    const rows = rowsOf('whole');
    const update = rows.find(({ type }) => type === 'update');
    expect(Object.keys(update.losses).sort()).toEqual([
      'back de-eo',
      'back eo-de',
      'denoise de',
      'denoise eo',
    ]);
    for (const loss of Object.values(update.losses)) expect(loss).toBeGreaterThan(1);
    expect(Object.keys(update.times).sort()).toEqual(['data', 'generation', 'training']);
    expect(update.times.generation).toBeGreaterThan(0);
    const { values, score } = rows.find(({ type }) => type === 'validation');
    expect(Object.keys(values).sort()).toEqual(
      [
        ...['bleu', 'bleu de-eo', 'bleu eo-de', 'copied de-eo', 'copied eo-de'],
        ...['roundTrip', 'roundTrip de-eo-de', 'roundTrip eo-de-eo'],
      ].sort(),
    );
    expect(score).toBe(values.bleu);
    const model = await loadModel(modelDirectory!);
    const [written] = await model.translate(['mano domo'], { from: 'eo', to: 'de', numBeams: 1 });
    expect(typeof written).toBe('string');
    expect(model.languages.targets).toEqual(['de', 'eo']);
    await model.dispose();
  });

  test.each([
    [
      'each batch an update, drawn translations',
      { backTranslation: { decoding: 'sample', onlyOwnTokens: 2 } },
    ],
    [
      'a round an update, MASS beside',
      { batch: { maxTokens: 100, maxSentences: 4, update: 'round' }, mass: { weight: 0.5 } },
    ],
  ] as [string, object][])(
    'that is stopped in the middle of an epoch goes on to the same bits: %s',
    async (name, more) => {
      const budget = { maxUpdates: 7 };
      const once = configOf(`once ${name}`, { ...more, budget });
      const [first, second] = [`twice ${name}`, `twice ${name}`].map((output, part) =>
        configOf(output, { ...more, budget: part === 0 ? { maxUpdates: 4 } : budget }),
      );
      const whole = await trainTranslator(once);
      await trainTranslator(first);
      const resumed = await trainTranslator(second);
      expect(resumed.resumedFrom).toBe(4);
      const tensors = async (path: string | undefined) => readTensors(`${path}/model.safetensors`);
      const [a, b] = [await tensors(whole.modelDirectory), await tensors(resumed.modelDirectory)];
      expect([...a.keys()]).toEqual([...b.keys()]);
      for (const [weight, { data }] of a) expect(data, weight).toEqual(b.get(weight)!.data);
    },
  );

  test('of denoising alone is validated by its loss', async () => {
    await trainTranslator(
      configOf('alone', {
        backTranslation: { directions: [] },
        data: {
          train: { eo: file('train.eo'), de: file('train.de') },
          validation: { eo: file('valid.eo'), de: file('valid.de') },
        },
      }),
    );
    const validations = rowsOf('alone').filter(({ type }) => type === 'validation');
    expect(validations).toHaveLength(2);
    expect(Object.keys(validations[0].values).sort()).toEqual(['loss', 'negativeLogLikelihood']);
    expect(validations[1].score).toBeLessThan(validations[0].score);
  });
});
