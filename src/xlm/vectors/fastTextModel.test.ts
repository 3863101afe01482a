import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import '../../node/install.js';
import { initializeVectors, readWordVectors, startFastText } from '../../node/fastTextModule.js';
import { openFastText } from './fastTextModel.js';
import { readVectors } from './vectorFile.js';

const size = 6;
const known = ['red', 'red car', 'größe', '猫が好き', '</s>', 'the'];
const unknown = ['redder', 'red cars', 'ü', 'größer', 'x'];
let folder: string;
/** Vectors as fastText itself gives them. */
let expected: Map<string, Float32Array>;

/** Trains a small model in WebAssembly and saves it. */
async function saveModel(path: string, minn: number, maxn: number): Promise<Map<string, Float32Array>> {
  const module = await startFastText();
  const text = 'the red car red␣car größe 猫が好き\nthe red größe 猫が好き\n'.repeat(40);
  module.FS.writeFile('/texts', new TextEncoder().encode(text));
  const model = new module.FastText();
  const options = {
    dim: size,
    epoch: 2,
    minCount: 1,
    minn,
    maxn,
    bucket: 50,
    thread: 1,
    t: 1,
    input: '/texts',
  };
  const args = Object.assign(new module.Args(), options, {
    model: module.ModelName.skipgram,
    loss: module.LossName.ns,
  });
  let begun = false;
  model.train(args, () => {
    if (!begun) initializeVectors(module, model, 1);
    begun = true;
  });
  model.saveModel('/model');
  await writeFile(path, module.FS.readFile('/model'));
  const words = [...known, ...unknown];
  const spelled = words.map((word) => word.replace(' ', '␣'));
  const values = readWordVectors(module, model, spelled, size);
  return new Map(words.map((word, row) => [word, values.subarray(row * size, (row + 1) * size)]));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'polybeam-fasttext-'));
  expected = await saveModel(join(folder, 'parts.bin'), 2, 4);
});

function expectVectors(words: readonly string[], values: Float32Array, reference: Map<string, Float32Array>) {
  for (const [row, word] of words.entries()) {
    const vector = reference.get(word)!;
    expect(Math.max(...vector.map(Math.abs))).toBeGreaterThan(0.01);
    for (let i = 0; i < size; i++) expect(values[row * size + i], word).toBeCloseTo(vector[i], 6);
  }
}

describe('a model with parts of words', () => {
  test('gives the vectors that fastText itself gives, of words within and outside its dictionary', async () => {
    const model = await openFastText(join(folder, 'parts.bin'));
    expect(model.size).toBe(size);
    expect([...model.words].sort()).toEqual(['</s>', 'car', 'größe', 'red', 'red car', 'the', '猫が好き']);
    const { words, values } = await model.vectors([...known, ...unknown]);
    expect(words).toEqual([...known, ...unknown]);
    expectVectors(words, values, expected);
  });

  test('is read as a file of vectors is', async () => {
    const vectors = await readVectors(join(folder, 'parts.bin'), 3);
    expect(vectors.words.length).toBe(3);
    const all = await readVectors(join(folder, 'parts.bin'));
    expect(all.words.slice(0, 3)).toEqual(vectors.words);
    expect(all.values.slice(0, 3 * size)).toEqual(vectors.values);
    const rows = all.words.flatMap((word, row) => (expected.has(word) ? [row] : []));
    const values = Float32Array.from(
      rows.flatMap((row) => [...all.values.subarray(row * size, (row + 1) * size)]),
    );
    expectVectors(
      rows.map((row) => all.words[row]),
      values,
      expected,
    );
  });
});

describe('a model without parts', () => {
  test('gives vectors of its words, and refuses others by name', async () => {
    const path = join(folder, 'words.bin');
    const reference = await saveModel(path, 0, 0);
    const model = await openFastText(path);
    expectVectors(known, (await model.vectors(known)).values, reference);
    await expect(model.vectors(['red', 'redder'])).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('"redder" is no word of'),
    });
  });
});

/** A copy with another 32-bit number at a place. */
function withInt(bytes: Buffer, at: number, value: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeInt32LE(value, at);
  return changed;
}

/** Dimension 0, for which 2^31 vectors need no bytes. The counts stand before the vectors, which end the file but for the outputs. */
function withoutNumbers(bytes: Buffer): Buffer {
  const counts = Buffer.alloc(16);
  counts.writeBigInt64LE(2n ** 31n);
  return Buffer.concat([withInt(bytes, 8, 0).subarray(0, 280), counts]);
}

describe('refused', () => {
  /** The model's bytes, changed. */
  async function changed(name: string, change: (bytes: Buffer) => Buffer): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, change(await readFile(join(folder, 'parts.bin'))));
    return path;
  }
  test('a quantized model: the language identification model that comes with fasttext.wasm.js', async () => {
    await expect(
      readVectors('node_modules/fasttext.wasm.js/dist/fastText/models/lid.176.ftz'),
    ).rejects.toMatchObject({
      code: 'WEIGHT_DTYPE',
      message: expect.stringContaining('lid.176.ftz is a quantized model of fastText: give the .bin'),
    });
  });

  test.each([
    ['no model', () => Buffer.from('der 1 2 3\n'), 'it does not begin as one'],
    ['an empty file', () => Buffer.alloc(0), 'it ends too early'],
    [
      'another version',
      (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 4), Uint8Array.of(13, 0, 0, 0), bytes.subarray(8)]),
      'version 13',
    ],
    ['half a dictionary', (bytes: Buffer) => bytes.subarray(0, 110), 'it ends too early'],
    ['half the vectors', (bytes: Buffer) => bytes.subarray(0, 700), 'too short'],
    ['vectors of no numbers', (bytes: Buffer) => withoutNumbers(bytes), 'its vectors have 0 numbers'],
    ['no place for parts of words', (bytes: Buffer) => withInt(bytes, 40, 0), '0 places for parts of words'],
    ['fewer numbers than none', (bytes: Buffer) => withInt(bytes, 8, -6), 'its vectors have -6 numbers'],
  ])('%s', async (_, change, message) => {
    const path = await changed('bad.bin', change);
    await expect(openFastText(path)).rejects.toMatchObject({
      code: 'FILE_CORRUPT',
      message: expect.stringContaining(message),
    });
  });
});
