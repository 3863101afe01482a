import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import '../node/install.js';
import type { WeightStore } from '../engine/weights.js';
import { loadModel } from './loadModel.js';
import { openWeights, readBytes, weightStore } from './openWeights.js';
import { convertModel, saveModel } from './saveModel.js';

const models = 'test/fixtures/models';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'polybeam-save-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

async function contents(store: WeightStore): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const name of [...store.names()].sort()) {
    const { format, shape } = store.get(name)!;
    found[name] = { format, shape, bytes: Buffer.from(await readBytes(store.get(name)!)).toString('hex') };
  }
  return found;
}

describe('float32', () => {
  const single = readdirSync(models).filter((name) =>
    readdirSync(`${models}/${name}`).includes('model.safetensors'),
  );
  test.each(single)('%s: every weight and setting as transformers saved it', async (name) => {
    await convertModel(`${models}/${name}`, `${directory}/${name}`, 'float32');
    expect(await contents(await openWeights(`${directory}/${name}`))).toEqual(
      await contents(await openWeights(`${models}/${name}`)),
    );
    expect(json(`${directory}/${name}/config.json`)).toEqual(json(`${models}/${name}/config.json`));
    const lines = (path: string) => readFileSync(path, 'utf8').split(/,?\n/);
    const fractions = lines(`${models}/${name}/config.json`).filter((line) => line.endsWith('.0'));
    // Python reads 0 as an integer, and transformers refuses integers in some of these.
    expect(lines(`${directory}/${name}/config.json`)).toEqual(expect.arrayContaining(fractions));
    if (readdirSync(`${models}/${name}`).includes('generation_config.json')) {
      expect(json(`${directory}/${name}/generation_config.json`)).toEqual(
        json(`${models}/${name}/generation_config.json`),
      );
    }
  });

  test.each(['marian-bin', 'marian-sharded'])('%s becomes one file without repetitions', async (name) => {
    await convertModel(`${models}/${name}`, `${directory}/${name}`, 'float32');
    expect(readdirSync(`${directory}/${name}`)).toEqual([
      'config.json',
      'expected.json',
      'generation_config.json',
      'model.safetensors',
    ]);
    expect(await contents(await openWeights(`${directory}/${name}`))).toEqual(
      await contents(await openWeights(`${models}/marian`)),
    );
  });
});

/** Bytes of all tensors, int8's scales not counted. */
async function dataBytes(path: string): Promise<number> {
  const store = await openWeights(path);
  const lengths = store.names().map((name) => (store.get(name)!.data as { length: number }).length);
  return lengths.reduce((sum, length) => sum + length, 0);
}

describe('smaller formats compute nearly the same', () => {
  test.each([
    ['float16', 0.02, 0.51],
    ['int8', 0.35, 0.35],
  ] as const)('%s', async (precision, tolerance, share) => {
    const from = `${models}/marian`;
    const to = `${directory}/${precision}`;
    await convertModel(from, to, precision);
    expect(await dataBytes(to)).toBeLessThan(share * (await dataBytes(from)));
    const { inputs, forward } = json(`${from}/expected.json`);
    const model = await loadModel(to);
    const { logits } = await model.forward({
      inputIds: inputs.input_ids[2],
      decoderInputIds: inputs.decoder_input_ids[2],
    });
    const differences = logits!.flatMap((row, at) =>
      row.map((value, token) => Math.abs(value - forward.logits[2][at][token])),
    );
    expect(Math.max(...differences)).toBeLessThan(tolerance);
    expect(Math.max(...differences)).toBeGreaterThan(1e-4);
    await model.dispose();
  });

  test('config.json says the format where its reader looks, and int8 can be converted back', async () => {
    const pair = `${directory}/pair`;
    cpSync(`${models}/encoder-decoder`, pair, { recursive: true });
    const config = json(`${pair}/config.json`);
    config.encoder.dtype = 'float32';
    config.decoder.torch_dtype = 'float32';
    writeFileSync(`${pair}/config.json`, JSON.stringify(config));
    await convertModel(pair, `${directory}/pair-half`, 'float16');
    const half = json(`${directory}/pair-half/config.json`);
    expect([half.dtype, half.encoder.dtype, half.decoder.dtype]).toEqual(['float16', 'float16', 'float16']);
    expect(half.decoder).not.toHaveProperty('torch_dtype');

    await convertModel(`${models}/marian`, `${directory}/small`, 'int8');
    expect(json(`${directory}/small/config.json`)).toMatchObject({
      dtype: 'float32',
      polybeam: { weights: 'int8' },
    });
    const small = await openWeights(`${directory}/small`);
    expect(small.get('model.shared.weight')!.format).toBe('I8');
    expect(small.get('final_logits_bias')!.format).toBe('F32');
    expect(small.get('model.encoder.layers.0.fc1.bias')!.format).toBe('F32');

    await convertModel(`${models}/marian`, `${directory}/four`, 'int4');
    expect(json(`${directory}/four/config.json`)).toMatchObject({ polybeam: { weights: 'int4' } });
    await convertModel(`${directory}/small`, `${directory}/back`, 'float32');
    expect(json(`${directory}/back/config.json`)).toEqual(json(`${models}/marian/config.json`));
    const back = await openWeights(`${directory}/back`);
    expect(back.names()).toEqual(expect.arrayContaining([...small.names()]));
    for (const name of small.names()) expect(await back.read(name), name).toEqual(await small.read(name));
  });
});

describe('directories', () => {
  test('tokenizer files and settings polybeam does not know are kept; other weights and folders are not', async () => {
    const from = `${directory}/full`;
    cpSync(`${models}/marian`, from, { recursive: true });
    const config = { ...json(`${from}/config.json`), torch_dtype: 'float32', custom: { a: [1, null] } };
    config.polybeam = { languages: ['fr'] };
    writeFileSync(`${from}/config.json`, JSON.stringify(config));
    for (const name of [
      'vocab.json',
      'source.spm',
      'README.md',
      'tf_model.h5',
      'rust_model.ot',
      'model.onnx',
      'shortlist.safetensors',
    ])
      writeFileSync(`${from}/${name}`, name);
    mkdirSync(`${from}/logs`);
    await convertModel(from, `${directory}/full-8`, 'int8');
    expect(readdirSync(`${directory}/full-8`)).toEqual([
      'README.md',
      'config.json',
      'expected.json',
      'generation_config.json',
      'model.safetensors',
      'shortlist.safetensors',
      'source.spm',
      'vocab.json',
    ]);
    const { torch_dtype: _, ...rest } = config;
    expect(json(`${directory}/full-8/config.json`)).toEqual({
      ...rest,
      polybeam: { languages: ['fr'], weights: 'int8' },
    });
  });

  test('onto itself, of an unknown type, and what is no JSON are refused', async () => {
    await expect(convertModel(`${models}/marian`, `${models}/marian/`, 'int8')).rejects.toMatchObject({
      code: 'OPTION_CONFLICT',
    });
    const from = `${directory}/strange`;
    cpSync(`${models}/marian`, from, { recursive: true });
    writeFileSync(`${from}/config.json`, '{"model_type":"mariam"}');
    await expect(convertModel(from, `${directory}/out`, 'int8')).rejects.toMatchObject({
      code: 'MODEL_TYPE_UNKNOWN',
      message: expect.stringMatching(/"mariam"; polybeam has bart, .*did you mean marian\?/),
    });
    writeFileSync(`${from}/config.json`, '{');
    await expect(convertModel(from, `${directory}/out`, 'int8')).rejects.toMatchObject({
      code: 'FILE_CORRUPT',
      message: expect.stringMatching(/config.json is not valid JSON/),
    });
    expect(readdirSync(directory)).not.toContain('out');
  });
});

describe('weights', () => {
  const config = { model_type: 'marian' };
  const floats = (values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
  const f32 = (shape: number[], values: number[]) =>
    ({ format: 'F32', shape, data: { kind: 'memory', data: floats(values) } }) as const;
  const table = f32([2, 2], [1, 2, 3, 4]);

  test('repeated ones are saved once, under the first name; those that differ, both', async () => {
    const weights = weightStore(
      new Map([
        ['lm_head.weight', table],
        ['model.encoder.embed_tokens.weight', f32([2, 2], [1, 2, 3, 5])],
        ['model.shared.weight', table],
        ['model.encoder.embed_positions.weight', table],
      ]),
    );
    await saveModel(`${directory}/repeated`, { config, weights });
    const saved = await openWeights(`${directory}/repeated`);
    expect([...saved.names()].sort()).toEqual(['model.encoder.embed_tokens.weight', 'model.shared.weight']);

    await saveModel(`${directory}/renamed`, {
      config,
      weights: weightStore(new Map([['lm_head.weight', table]])),
    });
    expect((await openWeights(`${directory}/renamed`)).names()).toEqual(['model.shared.weight']);

    const untied = { ...config, tie_word_embeddings: false };
    await saveModel(`${directory}/untied`, { config: untied, weights });
    expect((await openWeights(`${directory}/untied`)).names()).toContain('lm_head.weight');
  });

  test('buffers that are no weights are carried along', async () => {
    const ids = {
      format: 'I64',
      shape: [2],
      data: { kind: 'memory', data: new Uint8Array(16).fill(1) },
    } as const;
    await saveModel(
      `${directory}/buffers`,
      { config, weights: weightStore(new Map([['ids', ids]])) },
      'float16',
    );
    const saved = (await openWeights(`${directory}/buffers`)).get('ids')!;
    expect(saved.format).toBe('I64');
    expect(await readBytes(saved)).toEqual(ids.data.data);
  });

  test('numbers beyond a format are refused by name; infinities are not; the old model survives', async () => {
    const to = `${directory}/beyond`;
    await saveModel(to, { config, weights: weightStore(new Map([['w', table]])) });
    const before = readFileSync(`${to}/model.safetensors`);
    const save = (values: number[], precision: 'float16') =>
      saveModel(to, { config, weights: weightStore(new Map([['w', f32([2, 2], values)]])) }, precision);
    await expect(save([1, 2, -70000, 4], 'float16')).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: 'weights float16 cannot hold w: it has -70000; use float32 or int8.',
    });
    const marian = {
      config: json(`${models}/marian/config.json`),
      weights: await openWeights(`${models}/marian`),
    };
    for (const precision of ['int8', 'int4'] as const) {
      for (const name of ['model.encoder.layers.0.fc1.weight', 'model.shared.weight']) {
        const broken = async (one: string) => {
          const values = Float32Array.from(await marian.weights.read(one));
          if (one === name) values[marian.weights.get(one)!.shape[1] + 3] = Number.NaN;
          return values;
        };
        const weights = { ...marian.weights, read: broken };
        await expect(saveModel(to, { ...marian, weights }, precision)).rejects.toMatchObject({
          code: 'OPTION_INVALID',
          message: expect.stringMatching(
            `weights int[48] cannot hold ${name}: row 1 is not finite; use float32.`,
          ),
        });
      }
    }
    expect(readFileSync(`${to}/model.safetensors`).equals(before)).toBe(true);
    await save([1, 2, Number.NEGATIVE_INFINITY, 65519], 'float16');
    expect([...(await (await openWeights(to)).read('w'))]).toEqual([1, 2, Number.NEGATIVE_INFINITY, 65504]);
  });
});

/** A Python that has torch and transformers (tools/requirements.txt). */
const python = process.env.POLYBEAM_PYTHON;

describe.skipIf(!python)('Python transformers (POLYBEAM_PYTHON is not set)', () => {
  test.each([
    'marian-bin',
    'marian-relu-unshared',
    'encoder-decoder',
    'encoder-decoder-projected',
    'bert',
    'bart',
    'mbart',
    'm2m100',
    'pegasus',
    't5',
    't5-gated',
    'mt5',
    'gpt2',
    'xlm',
    'xlm-causal',
    'xlm-encoder',
    'xlm-roberta',
    'xlm-roberta-encoder',
  ])(
    'computes from what polybeam saved of %s what it computed from the original',
    async (name) => {
      const to = `${directory}/python-${name}`;
      await convertModel(`${models}/${name}`, to, 'float32');
      const command = ['tools/checkSavedModel.py', to, '--expected', `${models}/${name}/expected.json`];
      expect(execFileSync(python!, command, { encoding: 'utf8' })).toMatch(/largest difference/);
    },
    300_000,
  );
});
