import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, describe, expect, test } from 'vitest';
import '../node/install.js';
import type { StoredWeight } from '../engine/weights.js';
import { loadModel } from './loadModel.js';
import { readBytes } from './openWeights.js';
import { readSafetensors, writeSafetensors } from './safetensors.js';

/*
 * Numbers are those of transformers 5.23 on the same changed checkpoints: log-probabilities of the tokens 7, 11, 8 after the
 * source 5, 9, 12, and for encoders the first logits at its second token.
 */

const fixtures = 'test/fixtures/models';
const folder = mkdtempSync(`${tmpdir()}/polybeam-tied-`);
afterAll(() => rmSync(folder, { recursive: true }));

/** A copy of a fixture with other weights. */
async function changed(name: string, change: (weights: Map<string, Written>) => void): Promise<string> {
  const directory = mkdtempSync(`${folder}/`);
  cpSync(`${fixtures}/${name}`, directory, { recursive: true });
  const path = `${directory}/model.safetensors`;
  const weights = new Map<string, Written>();
  for (const [key, weight] of await readSafetensors(`${fixtures}/${name}/model.safetensors`)) {
    const { format, shape } = weight;
    weights.set(key, { format, shape, bytes: await readBytes(weight) });
  }
  change(weights);
  await writeSafetensors(
    path,
    [...weights].map(([key, { format, shape, bytes }]) => ({
      name: key,
      format,
      shape,
      data: async () => bytes,
    })),
  );
  return directory;
}

type Written = Pick<StoredWeight, 'format' | 'shape'> & { bytes: Uint8Array };

/** The same rows, the last first. */
function flipped({ format, shape, bytes }: Written): Written {
  const rowBytes = bytes.length / shape[0];
  const rows = Array.from({ length: shape[0] }, (_, row) =>
    bytes.subarray(row * rowBytes, (row + 1) * rowBytes),
  );
  return { format, shape, bytes: Buffer.concat(rows.reverse()) };
}

async function scoresOf(directory: string, onWarning?: (message: string) => void): Promise<number[]> {
  const model = await loadModel(directory, { onWarning });
  const [{ tokenLogProbabilities }] = await model.score([
    { source: { inputIds: [5, 9, 12] }, target: [7, 11, 8] },
  ]);
  await model.dispose();
  return tokenLogProbabilities;
}

function expectClose(found: readonly number[], wanted: readonly number[]): void {
  expect(found).toHaveLength(wanted.length);
  found.forEach((value, at) => {
    expect(value).toBeCloseTo(wanted[at], 3);
  });
}

const generating: [fixture: string, first: string, names: string[], plain: number[]][] = [
  [
    'marian',
    'model.shared.weight',
    ['lm_head.weight', 'model.decoder.embed_tokens.weight', 'model.encoder.embed_tokens.weight'],
    [-1.73605, -3.42019, -2.62284],
  ],
  [
    't5',
    'shared.weight',
    ['lm_head.weight', 'decoder.embed_tokens.weight', 'encoder.embed_tokens.weight'],
    [-8.92551, -3.38065, -12.20974],
  ],
  ['gpt2', 'transformer.wte.weight', ['lm_head.weight'], [-2.35879, -3.29254, -2.49289]],
  [
    'bert-generation-decoder',
    'bert.embeddings.word_embeddings.weight',
    ['lm_head.decoder.weight'],
    [-5.60276, -7.69246, -6.50578],
  ],
];

describe.each(generating)('the table of %s', (fixture, first, names, plain) => {
  test.each(names)('may be stored as %s alone', async (name) => {
    const directory = await changed(fixture, (weights) => {
      weights.set(name, weights.get(first)!);
      weights.delete(first);
    });
    expectClose(await scoresOf(directory), plain);
  });

  test('may be stored under every name', async () => {
    const directory = await changed(fixture, (weights) => {
      for (const name of names) weights.set(name, weights.get(first)!);
    });
    const warnings: string[] = [];
    expectClose(await scoresOf(directory, (message) => warnings.push(message)), plain);
    expect(warnings).toEqual([]);
  });
});

test.each([
  ['marian', 'lm_head.weight', 'model.shared.weight', [-15.87745, -8.34259, -6.60912]],
  ['marian', 'model.decoder.embed_tokens.weight', 'model.shared.weight', [-4.3477, -2.93614, -3.84484]],
  ['marian', 'model.encoder.embed_tokens.weight', 'model.shared.weight', [-14.14842, -5.31957, -4.63578]],
  ['t5', 'lm_head.weight', 'shared.weight', [-6.2776, -9.21486, -12.00677]],
  ['t5', 'decoder.embed_tokens.weight', 'shared.weight', [-0.93775, -9.66851, -8.35995]],
  ['t5', 'encoder.embed_tokens.weight', 'shared.weight', [-15.00181, -3.49045, -12.45147]],
  ['gpt2', 'lm_head.weight', 'transformer.wte.weight', [-6.17504, -6.46714, -6.4008]],
  [
    'bert-generation-decoder',
    'lm_head.decoder.weight',
    'bert.embeddings.word_embeddings.weight',
    [-3.67474, -4.31583, -5.6857],
  ],
  ['bert-generation-decoder', 'lm_head.decoder.bias', 'lm_head.bias', [-5.17959, -8.50263, -7.98096]],
])('%s: a %s that differs from %s is used, with a warning', async (fixture, name, first, wanted) => {
  const directory = await changed(fixture, (weights) => {
    weights.set(name, flipped(weights.get(first)!));
  });
  const warnings: string[] = [];
  expectClose(await scoresOf(directory, (message) => warnings.push(message)), wanted);
  expect(warnings).toEqual([
    expect.stringContaining(`${name} differs from ${first}, although config.json ties them`),
  ]);
});

test.each([
  ['xlm', 'pred_layer.proj.weight', 'transformer.embeddings.weight', [-0.67546, -2.20081, 1.89762, 2.29231]],
  [
    'xlm-roberta',
    'lm_head.decoder.weight',
    'roberta.embeddings.word_embeddings.weight',
    [0.99038, 0.00425, 1.32655, -1.63203],
  ],
  ['xlm-roberta', 'lm_head.decoder.bias', 'lm_head.bias', [0.07236, -1.27025, -1.25512, -0.06552]],
])('%s: so is the %s of an encoder', async (fixture, name, first, wanted) => {
  const directory = await changed(fixture, (weights) => {
    weights.set(name, flipped(weights.get(first)!));
  });
  const model = await loadModel(directory);
  const { logits } = await model.forward({ inputIds: [5, 9, 12] });
  expectClose(logits![1].slice(0, 4), wanted);
  await model.dispose();
});

test('a head of its own is no surprise where config.json ties nothing', async () => {
  const warnings: string[] = [];
  const scores = await scoresOf(`${fixtures}/t5-gated`, (message) => warnings.push(message));
  expect(scores).toHaveLength(3);
  expect(warnings).toEqual([]);
});

test('an index may list a tied weight that no shard holds, and no other', async () => {
  const directory = mkdtempSync(`${folder}/`);
  cpSync(`${fixtures}/marian-sharded`, directory, { recursive: true });
  const path = `${directory}/model.safetensors.index.json`;
  const index = JSON.parse(readFileSync(path, 'utf8'));
  const [shard] = Object.values<string>(index.weight_map);
  const list = (name: string) => {
    const map = { ...index.weight_map, [name]: shard };
    writeFileSync(path, JSON.stringify({ ...index, weight_map: map }));
  };
  list('lm_head.weight');
  expectClose(await scoresOf(directory), await scoresOf(`${fixtures}/marian-sharded`));
  list('lm_foot.weight');
  await expect(loadModel(directory)).rejects.toMatchObject({
    code: 'FILE_CORRUPT',
    message: expect.stringContaining('lists lm_foot.weight'),
  });
});
