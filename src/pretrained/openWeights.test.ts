import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { setFileAccess } from '../files.js';
import { nodeFiles } from '../node/files.js';
import { floatsToHalves } from './numberFormats.js';
import { openWeights } from './openWeights.js';
import { writeSafetensors } from './safetensors.js';

const models = 'test/fixtures/models';

let directory: string;
beforeAll(() => {
  setFileAccess(nodeFiles);
  directory = mkdtempSync(join(tmpdir(), 'polybeam-weights-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const copyOf = (name: string, to: string) => {
  cpSync(`${models}/${name}`, `${directory}/${to}`, { recursive: true });
  return `${directory}/${to}`;
};

test('one file, shards and pytorch_model.bin of one model hold the same numbers', async () => {
  const whole = await openWeights(`${models}/marian`);
  for (const other of ['marian-sharded', 'marian-bin']) {
    const store = await openWeights(`${models}/${other}`);
    for (const name of whole.names()) {
      expect(store.get(name)!.shape).toEqual(whole.get(name)!.shape);
      expect(await store.read(name), `${other} ${name}`).toEqual(await whole.read(name));
    }
  }
  expect((await openWeights(`${models}/marian-sharded`)).names().length).toBe(whole.names().length);
});

test('every number format is read as float32', async () => {
  const values = Float32Array.of(1, -0.5, 3, 0.25);
  const words = new Uint32Array(values.buffer);
  const bytes = (array: ArrayBufferView) => new Uint8Array(array.buffer);
  const shape = [2, 2];
  await writeSafetensors(`${directory}/formats/model.safetensors`, [
    { name: 'F32', format: 'F32', shape, data: bytes(values) },
    { name: 'F64', format: 'F64', shape, data: bytes(Float64Array.from(values)) },
    { name: 'F16', format: 'F16', shape, data: floatsToHalves(values) },
    { name: 'BF16', format: 'BF16', shape, data: bytes(Uint16Array.from(words, (word) => word >>> 16)) },
    { name: 'I8', format: 'I8', shape, data: bytes(Int8Array.of(2, -1, 12, 1)) },
    { name: 'I8.scale', format: 'F32', shape: [2], data: bytes(Float32Array.of(0.5, 0.25)) },
    { name: 'bare', format: 'I8', shape, data: bytes(Int8Array.of(2, -1, 12, 1)) },
    { name: 'ids', format: 'I64', shape: [1], data: bytes(BigInt64Array.of(1n)) },
    { name: 'wrong', format: 'I8', shape, data: bytes(Int8Array.of(2, -1, 12, 1)) },
    { name: 'wrong.scale', format: 'F32', shape: [1], data: bytes(Float32Array.of(0.5)) },
  ]);
  const store = await openWeights(`${directory}/formats`);
  for (const name of ['F32', 'F64', 'F16', 'BF16', 'I8'])
    expect(await store.read(name), name).toEqual(values);
  expect(store.names()).not.toContain('I8.scale');
  await expect(store.read('bare')).rejects.toMatchObject({
    code: 'WEIGHT_DTYPE',
    message: expect.stringMatching(/I8 without scales/),
  });
  await expect(store.read('ids')).rejects.toMatchObject({
    code: 'WEIGHT_DTYPE',
    message: expect.stringMatching(/ids is stored as I64/),
  });
  await expect(store.read('none')).rejects.toMatchObject({
    code: 'WEIGHT_MISSING',
    message: expect.stringMatching(/no weight none/),
  });
  await expect(store.read('wrong')).rejects.toMatchObject({
    code: 'WEIGHT_SHAPE',
    message: expect.stringMatching(/wrong.scale is F32 \[1\], but the 2 rows of wrong need F32 \[2\]/),
  });
});

describe('refuses', () => {
  test('a directory without weights', async () => {
    await expect(openWeights(`${directory}/nothing`)).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: expect.stringMatching(
        /nothing has no weights: model.safetensors, model.safetensors.index.json or pytorch_model.bin/,
      ),
    });
  });

  test('a missing shard, by name', async () => {
    const copy = copyOf('marian-sharded', 'missing');
    unlinkSync(`${copy}/model-00002-of-00003.safetensors`);
    await expect(openWeights(copy)).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: expect.stringMatching(/model-00002-of-00003.safetensors does not exist/),
    });
  });

  test('a truncated shard', async () => {
    const copy = copyOf('marian-sharded', 'truncated');
    truncateSync(`${copy}/model-00003-of-00003.safetensors`, 9000);
    await expect(openWeights(copy)).rejects.toMatchObject({
      code: 'FILE_CORRUPT',
      message: expect.stringMatching(/model-00003-of-00003.safetensors is damaged/),
    });
  });

  test('an index whose tensor is nowhere, that is no JSON, or that leaves its directory', async () => {
    const copy = copyOf('marian-sharded', 'index');
    const path = `${copy}/model.safetensors.index.json`;
    const index = JSON.parse(readFileSync(path, 'utf8'));
    const shard = Object.values(index.weight_map)[0];
    const cases: [string, RegExp][] = [
      [JSON.stringify({ weight_map: { ...index.weight_map, lost: shard } }), /lists lost in model-/],
      ['{', /index.json is not valid JSON/],
      ['null', /has no weight_map/],
      ['{}', /has no weight_map/],
      [
        JSON.stringify({ weight_map: { a: '../../secret.safetensors' } }),
        /has no weight_map of tensor names to file/,
      ],
      [JSON.stringify({ weight_map: { a: 3 } }), /has no weight_map/],
    ];
    for (const [content, message] of cases) {
      writeFileSync(path, content);
      await expect(openWeights(copy)).rejects.toMatchObject({
        code: 'FILE_CORRUPT',
        message: expect.stringMatching(message),
      });
    }
  });
});
