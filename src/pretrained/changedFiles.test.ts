import {
  copyFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { nodeRuntime } from '../../test/support/engine/runtime.js';
import { setRuntime } from '../engine/runtime.js';
import { setFileAccess } from '../files.js';
import { nodeFiles } from '../node/files.js';
import { writerName } from '../node/temporaries.js';
import { type LoadOptions, loadModel } from './loadModel.js';
import type { Model } from './model.js';
import { readSafetensors } from './safetensors.js';
import { convertModel } from './saveModel.js';

const models = new URL('../../test/fixtures/models', import.meta.url).pathname;
let directory: string;
beforeAll(() => {
  setFileAccess(nodeFiles);
  directory = mkdtempSync(`${tmpdir()}/polybeam-changed-`);
});
afterAll(() => rmSync(directory, { recursive: true }));

/** A copy of a fixture of its own. */
function copied(name = 'marian'): string {
  const to = mkdtempSync(`${directory}/${name}-`);
  cpSync(`${models}/${name}`, to, { recursive: true, filter: (path) => !path.includes('.polybeam') });
  return to;
}

/** The weights file with other numbers: every float of a matrix has the other sign. */
async function otherWeights(path: string): Promise<Buffer> {
  const bytes = readFileSync(path);
  for (const { data } of (await readSafetensors(path)).values()) {
    if (data.kind !== 'file') continue;
    for (let at = data.offset + 3; at < data.offset + data.length; at += 4) bytes[at] ^= 0x80;
  }
  return bytes;
}

async function forward(model: Model): Promise<number[][]> {
  const { inputs } = JSON.parse(readFileSync(`${models}/marian/expected.json`, 'utf8'));
  const [inputIds, decoderInputIds] = [inputs.input_ids[2], inputs.decoder_input_ids[2]];
  return (await model.forward({ inputIds, decoderInputIds })).logits!;
}

async function logitsOf(path: string, options: LoadOptions = {}): Promise<number[][]> {
  const model = await loadModel(path, options);
  try {
    return await forward(model);
  } finally {
    await model.dispose();
  }
}

/** What may happen to a file. */
const changes: Record<string, (path: string, other: Buffer) => void> = {
  'is replaced by another': (path, other) => {
    writeFileSync(`${path}.new`, other);
    renameSync(`${path}.new`, path);
  },
  'is written over': (path, other) => writeFileSync(path, other),
  'is cut short in place': (path) => truncateSync(path, 5000),
  'is removed': (path) => rmSync(path),
};

describe.each(Object.keys(changes))('a weights file that %s after loading', (name) => {
  test.each([
    ['mapped', {}],
    ['rounded without a cache', { weightPrecision: 'int8', cache: false }],
    ['rounded by the cache', { weightPrecision: 'int4' }],
    ['on a tfjs backend', { device: 'tfjs:cpu' }],
  ] as [string, LoadOptions][])('is refused where weights are %s', async (_, options) => {
    const path = copied();
    const file = `${path}/model.safetensors`;
    const other = await otherWeights(file);
    const model = await loadModel(path, options);
    changes[name](file, other);
    const refusal = { code: 'FILE_CHANGED', message: expect.stringContaining(`${file} was replaced`) };
    await expect(forward(model)).rejects.toMatchObject(refusal);
    await expect(model.score([{ source: { inputIds: [5, 9, 1] }, target: [7, 1] }])).rejects.toMatchObject(
      refusal,
    );
    await expect(model.generate([{ inputIds: [5, 9, 1] }])).rejects.toMatchObject(refusal);
    await model.dispose();
  });
});

test('a shard is a weights file too, and so is one of floats of 16 bits', async () => {
  const half = `${directory}/half`;
  await convertModel(`${models}/marian`, half, 'float16');
  for (const path of [copied('marian-sharded'), half]) {
    const model = await loadModel(path);
    const file = readdirSync(path).find((name) => name.endsWith('.safetensors'))!;
    const [bytes, at] = [readFileSync(`${path}/${file}`), `${path}/${file}`];
    writeFileSync(at, bytes.reverse());
    await expect(forward(model)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    await model.dispose();
  }
});

test('what is compiled goes on with the file it has, and the new one can be loaded', async () => {
  const path = copied();
  const file = `${path}/model.safetensors`;
  const model = await loadModel(path);
  const before = await forward(model);
  changes['is replaced by another'](file, await otherWeights(file));
  expect(await forward(model)).toEqual(before);
  await model.dispose();
  expect(await logitsOf(path)).not.toEqual(before);
});

describe('a file that changes while a session is made of it', () => {
  let live = 0;
  let file: string;
  beforeEach(() => {
    live = 0;
    const create: typeof nodeRuntime.InferenceSession.create = async (model, options) => {
      const session = await nodeRuntime.InferenceSession.create(model, options);
      live++;
      copyFileSync(`${models}/marian/model.safetensors`, file);
      const { inputNames, outputNames, run, endProfiling, release } = session;
      const counted = async () => {
        live--;
        await release();
      };
      return { inputNames, outputNames, run, endProfiling, release: counted } as typeof session;
    };
    setRuntime({ ...nodeRuntime, InferenceSession: { create } }, { mapsFiles: true, writesOutputs: true });
  });
  afterEach(() => setRuntime(nodeRuntime, { mapsFiles: true }));

  test('is refused, and the session is released', async () => {
    const path = copied();
    file = `${path}/model.safetensors`;
    const model = await loadModel(path);
    await expect(forward(model)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    expect(live).toBe(0);
    await model.dispose();
  });
});

describe('the cache of rounded weights', () => {
  const caches = (path: string) => readdirSync(`${path}/.polybeam`);

  test.each(['int8', 'int4'] as const)(
    '%s belongs to the content of files, not to their times',
    async (weightPrecision) => {
      const path = copied();
      const file = `${path}/model.safetensors`;
      const time = 1_700_000_000;
      utimesSync(file, time, time);
      const before = await logitsOf(path, { weightPrecision });
      writeFileSync(file, await otherWeights(file));
      utimesSync(file, time, time);
      expect(statSync(file).mtimeMs).toBe(time * 1000);
      const fresh = await logitsOf(path, { weightPrecision, cache: false });
      expect(fresh).not.toEqual(before);
      expect(await logitsOf(path, { weightPrecision })).toEqual(fresh);
      expect(caches(path)).toHaveLength(1);
    },
  );

  test('is rid of what a killed process left in it', async () => {
    const path = copied();
    await logitsOf(path, { weightPrecision: 'int8' });
    const [name] = caches(path);
    // No process has a number this large.
    const leftover = `${path}/.polybeam/${name}.${writerName()}-4194999-0.tmp`;
    writeFileSync(leftover, 'half a file');
    await logitsOf(path, { weightPrecision: 'int8' });
    expect(caches(path)).toEqual([name]);
  });
});
