import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import '../../test/support/engine/runtime.js';
import { setFileAccess } from '../files.js';
import { nodeFiles } from '../node/files.js';
import { type LoadOptions, loadModel } from './loadModel.js';
import { openWeights } from './openWeights.js';
import { readSafetensors } from './safetensors.js';
import { convertModel } from './saveModel.js';

const models = new URL('../../test/fixtures/models', import.meta.url).pathname;
let directory: string;
beforeAll(() => {
  setFileAccess(nodeFiles);
  directory = mkdtempSync(`${tmpdir()}/polybeam-packed-`);
});
afterAll(() => rmSync(directory, { recursive: true }));

/** A copy of the model of its own. */
function copied(name: string): string {
  const to = `${directory}/${name}`;
  cpSync(`${models}/marian`, to, { recursive: true, filter: (path) => !path.includes('.polybeam') });
  return to;
}

async function logitsOf(path: string, options: LoadOptions = {}): Promise<number[][]> {
  const { inputs } = JSON.parse(readFileSync(`${models}/marian/expected.json`, 'utf8'));
  const model = await loadModel(path, options);
  const { logits } = await model.forward({
    inputIds: inputs.input_ids[2],
    decoderInputIds: inputs.decoder_input_ids[2],
  });
  await model.dispose();
  return logits!;
}

const cacheFiles = (path: string) => readdirSync(`${path}/.polybeam`);

describe.each(['int8', 'int4'] as const)('%s', (weightPrecision) => {
  test('stored by convert is what computes, unless float32 is asked for', async () => {
    const [to, back] = [`${directory}/stored-${weightPrecision}`, `${directory}/back-${weightPrecision}`];
    await convertModel(`${models}/marian`, to, weightPrecision);
    const stored = await logitsOf(to);
    expect(await logitsOf(to, { weightPrecision })).toEqual(stored);
    expect(readdirSync(to)).not.toContain('.polybeam');
    // Rounding the numbers that integers stand for gives the same integers.
    await convertModel(to, back, 'float32');
    expect(await logitsOf(back, { weightPrecision, cache: false })).toEqual(stored);
    expect(readdirSync(back)).not.toContain('.polybeam');
    const floats = await logitsOf(to, { weightPrecision: 'float32' });
    expect(floats).toEqual(await logitsOf(back));
    expect(floats).not.toEqual(stored);
  });

  test('is rounded at the first load only, and anew where the weights change', async () => {
    const path = copied(`cached-${weightPrecision}`);
    const plain = await logitsOf(path, { weightPrecision, cache: false });
    expect(await logitsOf(path, { weightPrecision })).toEqual(plain);
    const [file] = cacheFiles(path);
    const at = `${path}/.polybeam/${file}`;
    const { mtimeMs } = statSync(at);
    expect(await logitsOf(path, { weightPrecision })).toEqual(plain);
    expect(statSync(at).mtimeMs).toBe(mtimeMs);
    // What is computed comes from that file: without its scales all is zero but the biases.
    const bytes = readFileSync(at);
    const whole = Buffer.from(bytes);
    for (const [name, { data }] of await readSafetensors(at)) {
      if (!name.endsWith(':scales') || data.kind !== 'file') continue;
      bytes.fill(0, data.offset, data.offset + data.length);
    }
    writeFileSync(at, bytes);
    expect(await logitsOf(path, { weightPrecision })).not.toEqual(plain);
    // A damaged one is replaced.
    writeFileSync(at, whole.subarray(0, 100));
    expect(await logitsOf(path, { weightPrecision })).toEqual(plain);
    expect(readFileSync(at).equals(whole)).toBe(true);
    utimesSync(`${path}/model.safetensors`, 1, 1);
    expect(await logitsOf(path, { weightPrecision })).toEqual(plain);
    expect(cacheFiles(path)).toHaveLength(1);
    expect(cacheFiles(path)).not.toEqual([file]);
  });
});

test('float16 at load computes what a model stored as float16 does, and refuses what it cannot hold', async () => {
  const to = `${directory}/half`;
  await convertModel(`${models}/marian`, to, 'float16');
  const half = await logitsOf(`${models}/marian`, { weightPrecision: 'float16' });
  expect(half).toEqual(await logitsOf(to));
  expect(half).not.toEqual(await logitsOf(`${models}/marian`));
  expect(await logitsOf(`${models}/marian`, { weightPrecision: 'float16', device: 'tfjs:cpu' })).toEqual(
    await logitsOf(to, { device: 'tfjs:cpu' }),
  );
  const large = copied('large');
  const { data } = (await readSafetensors(`${large}/model.safetensors`)).get('final_logits_bias')!;
  const bytes = readFileSync(`${large}/model.safetensors`);
  bytes.writeFloatLE(70000, (data as { offset: number }).offset);
  writeFileSync(`${large}/model.safetensors`, bytes);
  await expect(logitsOf(large, { weightPrecision: 'float16' })).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: 'weights float16 cannot hold final_logits_bias: it has 70000; use float32 or int8.',
  });
});

test('int4 files hold two integers a byte in blocks of 32, and read as floats near the original', async () => {
  const to = `${directory}/layout`;
  await convertModel(copied('layout-from'), to, 'int4');
  const stored = await readSafetensors(`${to}/model.safetensors`);
  const name = 'model.encoder.layers.0.fc2.weight';
  const [from, back] = [await openWeights(`${models}/marian`), await openWeights(to)];
  const [outputs, inputs] = from.get(name)!.shape;
  expect(stored.get(`${name}:int4`)).toMatchObject({ format: 'U8', shape: [outputs, inputs / 32, 16] });
  expect(stored.get(`${name}:int4:scales`)).toMatchObject({ format: 'F32', shape: [outputs, inputs / 32] });
  expect(stored.has(name)).toBe(false);
  expect(back.names()).toContain(name);
  expect(back.get(name)!.shape).toEqual([outputs, inputs]);
  const [wanted, found] = [await from.read(name), await back.read(name)];
  for (let block = 0; block < wanted.length; block += 32) {
    const own = wanted.subarray(block, block + 32);
    const step = Math.max(...own.map(Math.abs)) / 8;
    own.forEach((value, i) => {
      expect(Math.abs(found[block + i] - value)).toBeLessThanOrEqual(step * 1.001);
    });
  }
});
