import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixtureWithTokenizer, reversedPairs } from '../../test/support/tinyDirectories.js';
import { finetune, loadModel, parseFinetuneConfig, type TrainOptions } from '../node.js';
import { openWeights } from '../pretrained/openWeights.js';
import { readTensors } from './tensorFiles.js';

let root: string;
let tsv: string;
let runs = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'polybeam-finetune-'));
  tsv = await reversedPairs(join(root, 'pairs.tsv'));
});

afterAll(() => rm(root, { recursive: true, force: true }));

/** A small run in a directory of its own. */
function configuration(changes: Record<string, unknown>) {
  return parseFinetuneConfig({
    output: join(root, `run${runs++}`),
    data: { train: { tsv }, maxSourceLength: 16, maxTargetLength: 16 },
    budget: { maxUpdates: 1 },
    batch: { maxTokens: 128, sortWindow: 100 },
    threads: 1,
    ...changes,
  });
}

/** Rate 0: the only update changes nothing. */
const still = { schedule: { type: 'constant', warmupUpdates: 1 } };
const constant = { type: 'constant', warmupUpdates: 0, learningRate: 0.001 };

/** Models that write from a source, of every kind. */
const kinds = [
  'bart',
  'encoder-decoder',
  'encoder-decoder-bert-generation',
  'encoder-decoder-projected',
  'm2m100',
  'marian',
  'marian-untied',
  'mbart',
  'pegasus',
  'roformer-sim',
  'simbert',
  't5',
  't5-gated',
  'unilm',
];

async function difference(before: string, after: string): Promise<Map<string, number>> {
  const [a, b] = [await openWeights(before), await openWeights(after)];
  const changes = new Map<string, number>();
  for (const name of a.names()) {
    if (!b.get(name)) continue;
    const [old, now] = [await a.read(name), await b.read(name)];
    changes.set(
      name,
      old.reduce((most, value, at) => Math.max(most, Math.abs(value - now[at])), 0),
    );
  }
  return changes;
}

const json = async (path: string) => JSON.parse(await readFile(path, 'utf8'));

describe('finetune', () => {
  test.each([
    ['rougeL', 1],
    ['chrf', 0],
  ])('warns where it validates by ROUGE on texts that it cannot compare: %s', async (metric, count) => {
    const held = join(root, 'cyrillic.tsv');
    await writeFile(held, 'a b\tКошка спит\n');
    const warnings: string[] = [];
    const config = configuration({
      init: await fixtureWithTokenizer(root, 'bart'),
      ...still,
      data: { train: { tsv }, validation: { tsv: held }, maxSourceLength: 16, maxTargetLength: 16 },
      validation: { metric, everyUpdates: 1 },
    });
    await finetune(config, { onWarning: (text) => warnings.push(text) });
    const told = warnings.filter((text) =>
      text.startsWith('validation.metric is rougeL: ROUGE makes words of'),
    );
    expect(told).toHaveLength(count);
  });

  test.each(kinds)('gives back a %s directory as it was where the rate is 0', async (kind) => {
    const init = await fixtureWithTokenizer(root, kind);
    const { modelDirectory } = await finetune(configuration({ init, ...still }));
    const [before, after] = [await openWeights(init), await openWeights(modelDirectory!)];
    // The projection repeats the embeddings in this checkpoint.
    const stored = before.names().filter((name) => name !== 'cls.predictions.decoder.weight');
    expect([...after.names()].sort()).toEqual([...stored].sort());
    for (const name of stored) expect(await after.read(name), name).toEqual(await before.read(name));
    const [was, is] = [
      await json(join(init, 'config.json')),
      await json(join(modelDirectory!, 'config.json')),
    ];
    expect(is).toEqual({ ...was, polybeam: { ...was.polybeam, truncation: { head: 14, tail: 0 } } });
    const model = await loadModel(modelDirectory!);
    const original = await loadModel(init);
    const options = { maxNewTokens: 6, numBeams: 2 };
    const [found, expected] = [
      await model.generate([{ text: 'a b c' }], options),
      await original.generate([{ text: 'a b c' }], options),
    ];
    expect(found[0].sequences[0].ids).toEqual(expected[0].sequences[0].ids);
    await model.dispose();
    await original.dispose();
  });

  test.each(['bart', 'encoder-decoder', 'pegasus', 't5-gated'])(
    'moves the weights of a %s, but not what is no parameter',
    async (kind) => {
      const init = await fixtureWithTokenizer(root, kind);
      const { modelDirectory } = await finetune(configuration({ init, schedule: constant }));
      for (const [name, change] of await difference(init, modelDirectory!)) {
        const computed = kind === 'pegasus' && name.includes('embed_positions');
        const kept = name === 'final_logits_bias' || name.includes('pooler') || computed;
        if (kept) expect(change, name).toBe(0);
        else expect(change, name).toBeGreaterThan(0);
      }
    },
  );

  test('learns, and keeps the best checkpoint by ROUGE', async () => {
    const init = await fixtureWithTokenizer(root, 'bart');
    const config = configuration({
      init,
      data: { train: { tsv }, validation: { tsv }, maxSourceLength: 16, maxTargetLength: 16 },
      budget: { maxEpochs: 30 },
      schedule: { learningRate: 0.01 },
      optimizer: { labelSmoothing: 0 },
      validation: { everyUpdates: 20, metric: 'rougeL', maxSentences: 24, numBeams: 2 },
      generation: { numBeams: 3, maxNewTokens: 12, noRepeatNgramSize: 2 },
      log: { everyUpdates: 20 },
    });
    const { reason, best, updates, modelDirectory } = await finetune(config);
    expect(reason).toBe('maxEpochs');
    const rows = (await readFile(join(config.output, 'log.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const validations = rows.filter((row) => row.type === 'validation');
    expect(Object.keys(validations[0].values)).toEqual([
      'loss',
      'negativeLogLikelihood',
      'rouge1',
      'rouge2',
      'rougeL',
    ]);
    const scores = validations.map((row) => row.values.rougeL);
    expect(best).toEqual({
      update: validations[scores.indexOf(Math.max(...scores))].update,
      score: Math.max(...scores),
    });
    expect(best!.score).toBeGreaterThan(scores[0]);
    // The final model is that of the best update, and the rate falls to 0 at the last one.
    const kept = `${config.output}/checkpoints/update-${String(best!.update).padStart(8, '0')}`;
    for (const [, change] of await difference(kept, modelDirectory!)) expect(change).toBe(0);
    const last = rows.filter((row) => row.type === 'update').at(-1);
    expect(last.learningRate).toBeLessThan(0.01 * 0.25);
    expect(updates).toBeGreaterThan(100);
    expect(await json(join(modelDirectory!, 'generation_config.json'))).toMatchObject({
      num_beams: 3,
      max_new_tokens: 12,
      no_repeat_ngram_size: 2,
      forced_bos_token_id: 0,
    });
    // What validation measured is what the finished model writes.
    const model = await loadModel(modelDirectory!);
    expect(model.generationDefaults).toMatchObject({ numBeams: 3, maxNewTokens: 12, noRepeatNgramSize: 2 });
    await model.dispose();
  });

  test('gives layers their rates, and leaves frozen weights alone', async () => {
    const init = await fixtureWithTokenizer(root, 'bart');
    const rate = 0.001;
    const config = configuration({
      init,
      schedule: constant,
      layerDecay: 0.5,
      freeze: ['encoder', 'model.decoder.layers.1.fc1.'],
      optimizer: { clipNorm: 0, adamEpsilon: 1e-12 },
    });
    const { modelDirectory } = await finetune(config);
    const changes = await difference(init, modelDirectory!);
    // Adam's first step is the rate itself, whatever the gradient.
    for (const [name, factor] of [
      ['model.decoder.layers.1.fc2.weight', 1],
      ['model.decoder.layers.0.fc2.weight', 0.5],
      ['model.shared.weight', 0.25],
      ['model.decoder.embed_positions.weight', 0.25],
      ['model.decoder.layers.1.fc1.weight', 0],
      ['model.decoder.layers.1.fc1.bias', 0],
      ['model.encoder.layers.1.fc2.weight', 0],
      ['model.encoder.embed_positions.weight', 0],
    ] as const) {
      expect(changes.get(name), name).toBeCloseTo(rate * factor, 6);
    }
    const optimizer = await readTensors(`${config.output}/checkpoints/update-00000001/optimizer.safetensors`);
    expect([...optimizer.keys()].some((name) => name.includes('model.encoder.'))).toBe(false);
    expect(optimizer.has('adamM/model.decoder.layers.1.fc2.weight')).toBe(true);
  });

  test('updates weights as PyTorch does, with a rate for each layer and a frozen encoder', async () => {
    const expected = JSON.parse(await readFile('test/fixtures/training/finetune.json', 'utf8'));
    const { learningRate, layerDecay, ...optimizer } = expected.config;
    const init = await fixtureWithTokenizer(root, 'bart', (config) => ({
      ...config,
      dropout: 0,
      attention_dropout: 0,
      activation_dropout: 0,
    }));
    const pairs = join(root, 'torch.tsv');
    await writeFile(pairs, expected.pairs.map((pair: string[]) => `${pair.join('\t')}\n`).join(''));
    const config = configuration({
      init,
      data: { train: { tsv: pairs }, maxSourceLength: 16, maxTargetLength: 16 },
      schedule: { type: 'constant', warmupUpdates: 0, learningRate },
      layerDecay,
      freeze: ['encoder'],
      optimizer: { ...optimizer, labelSmoothing: 0 },
      budget: { maxUpdates: 3 },
      log: { everyUpdates: 1 },
    });
    const { modelDirectory } = await finetune(config);
    const log = (await readFile(join(config.output, 'log.jsonl'), 'utf8')).trim().split('\n');
    const rows = log.map((line) => JSON.parse(line));
    rows.forEach(({ loss, gradientNorm }, update) => {
      expect(loss).toBeCloseTo(expected.losses[update], 4);
      expect(gradientNorm).toBeCloseTo(expected.gradientNorms[update], 3);
    });
    const weights = await openWeights(modelDirectory!);
    for (const [name, first] of Object.entries<number[]>(expected.weights)) {
      const found = await weights.read(name);
      first.forEach((value, at) => {
        expect(found[at], `${name}[${at}]`).toBeCloseTo(value, 4);
      });
    }
  });

  test('lets layers join one after the other', async () => {
    const init = await fixtureWithTokenizer(root, 'bart');
    const moved = async (maxEpochs: number, more = {}) => {
      const config = configuration({
        init,
        schedule: constant,
        budget: { maxEpochs },
        unfreezeEveryEpochs: 1,
        ...more,
      });
      const { modelDirectory } = await finetune(config);
      const changes = await difference(init, modelDirectory!);
      const names = [
        'model.shared.weight',
        'model.encoder.layers.0.fc1.weight',
        'model.decoder.layers.0.fc1.weight',
        'model.encoder.layers.1.fc1.weight',
        'model.decoder.layers.1.fc1.weight',
      ];
      return names.map((name) => changes.get(name)! > 0);
    };
    expect(await moved(1)).toEqual([false, false, false, true, true]);
    expect(await moved(2)).toEqual([false, true, true, true, true]);
    expect(await moved(3)).toEqual([true, true, true, true, true]);
    expect(await moved(3, { unfreezeEveryEpochs: 2 })).toEqual([false, true, true, true, true]);
    expect(await moved(3, { freeze: ['embeddings'] })).toEqual([false, true, true, true, true]);
  });

  test('interrupted and resumed, gives the same weights bit for bit', async () => {
    const init = await fixtureWithTokenizer(root, 'bart');
    const data = { train: { tsv }, validation: { tsv }, maxSourceLength: 16, maxTargetLength: 16 };
    const layers = { layerDecay: 0.9, unfreezeEveryEpochs: 1, freeze: ['embeddings'] };
    const validation = { everyUpdates: 3, metric: 'loss' };
    const changes = { init, data, budget: { maxEpochs: 3 }, validation, ...layers };
    const whole = await finetune(configuration(changes));
    const config = configuration(changes);
    const controller = new AbortController();
    const output = {
      isTerminal: true,
      write: (text: string) => / {2}update 1 /.test(text) && controller.abort(),
    };
    const stopped = await finetune(config, {
      signal: controller.signal,
      output: output as unknown as TrainOptions['output'],
    });
    expect(stopped).toMatchObject({ reason: 'interrupted', updates: 1 });
    const resumed = await finetune(config);
    expect(resumed).toMatchObject({ reason: 'maxEpochs', resumedFrom: 1 });
    expect(await readFile(join(resumed.modelDirectory!, 'model.safetensors'))).toEqual(
      await readFile(join(whole.modelDirectory!, 'model.safetensors')),
    );
    await expect(finetune({ ...config, layerDecay: 0.8 })).rejects.toMatchObject({
      code: 'CHECKPOINT_MISMATCH',
      message: expect.stringContaining('layerDecay 0.9, but the configuration now has 0.8'),
    });
  });

  test.each([
    ['tail', { head: 0, tail: 5 }],
    [{ headTail: { head: 2, tail: 1 } }, { head: 2, tail: 1 }],
    ['drop', undefined],
  ])('cuts long sources as %j, in training and in the finished model', async (truncation, rule) => {
    const init = await fixtureWithTokenizer(root, 'bart');
    const notes: string[] = [];
    const data = { train: { tsv }, maxSourceLength: 7, maxTargetLength: 16, truncation };
    const { modelDirectory } = await finetune(configuration({ init, ...still, data }), {
      output: { isTerminal: false, write: (text) => notes.push(text) },
    });
    const [, pairs, long] = /data: (\d+) pairs(?: \((\d+) too long)?/.exec(notes.join(''))!;
    // Of 48 pairs, 16 have six or seven words.
    expect([Number(pairs), Number(long ?? 0)]).toEqual(truncation === 'drop' ? [32, 16] : [48, 0]);
    const config = await json(join(modelDirectory!, 'config.json'));
    expect(config.polybeam?.truncation).toEqual(rule);
  });

  test.each([
    ['gpt2', {}, 'MODEL_CANNOT_GENERATE', /gpt2 model, which writes nothing from a source/],
    ['bart', { freeze: ['modle.'] }, 'CONFIG_INVALID', /freeze\[0\] is modle\., but no weight/],
    [
      'bart',
      { data: { maxSourceLength: 100 } },
      'CONFIG_INVALID',
      /maxSourceLength is 100, but .* has 40 positions/,
    ],
    [
      'bart',
      { data: { maxTargetLength: 64 } },
      'CONFIG_INVALID',
      /maxTargetLength is 64, but .* has 40 positions/,
    ],
    [
      'bart',
      { data: { maxSourceLength: 2 } },
      'CONFIG_INVALID',
      /leaves no token of a text beside 2 special ones/,
    ],
    [
      'bart',
      { data: { maxSourceLength: 12, truncation: { headTail: { head: 8, tail: 3 } } } },
      'CONFIG_INVALID',
      /headTail keeps 8 \+ 3 tokens, and 2 special ones, but data\.maxSourceLength is 12/,
    ],
    ['bart', { data: { languages: { source: 'en', target: 'fr' } } }, 'LANGUAGE_UNKNOWN', /does not say/],
    [
      'simbert',
      { targetMaskRate: 0.5 },
      'CONFIG_INVALID',
      /targetMaskRate is 0\.5, and .* does not learn by masking/,
    ],
    ['bart', { freeze: ['embeddings', 'encoder', 'model.decoder.'] }, 'OPTION_INVALID', /nothing to train/],
  ])('refuses for %s %j', async (kind, { data, ...changes }: Record<string, unknown>, code, message) => {
    const init = await fixtureWithTokenizer(root, kind);
    const whole = { train: { tsv }, maxTargetLength: 16, maxSourceLength: 16, ...(data as object) };
    await expect(finetune(configuration({ init, ...changes, data: whole }))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test('refuses a tokenizer of another model', async () => {
    const init = await fixtureWithTokenizer(root, 'bart');
    const other = await readFile(join(init, 'vocab.txt'), 'utf8');
    // Words come after all the ids that the model has.
    await writeFile(join(init, 'vocab.txt'), other.replace('[MASK]\n', `[MASK]\n${'x\n'.repeat(60)}`));
    await expect(finetune(configuration({ init }))).rejects.toMatchObject({
      code: 'TOKENIZER_INVALID',
      message: expect.stringMatching(
        /has a tokenizer of 1\d\d tokens and a model that knows 60 of the source: they do not belong together/,
      ),
    });
  });

  test('refuses a directory that lacks a weight', async () => {
    const init = await fixtureWithTokenizer(root, 'bart', (config) => ({ ...config, decoder_layers: 3 }));
    await expect(finetune(configuration({ init }))).rejects.toMatchObject({
      code: 'WEIGHT_MISSING',
      message: expect.stringContaining('model.decoder.layers.2.'),
    });
  });
});
