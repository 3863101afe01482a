import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import '../../test/support/engine/runtime.js';
import { setFileAccess } from '../files.js';
import { nodeFiles } from '../node/files.js';
import { type LoadOptions, loadModel } from './loadModel.js';

const models = new URL('../../test/fixtures/models', import.meta.url).pathname;
let directory: string;
beforeAll(() => {
  setFileAccess(nodeFiles);
  directory = mkdtempSync(`${tmpdir()}/polybeam-hub-`);
});
afterAll(() => rmSync(directory, { recursive: true }));

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(`${directory}/cache-`);
  vi.stubEnv('XDG_CACHE_HOME', cache);
});
afterEach(() => vi.unstubAllEnvs());

/** A fixture as huggingface_hub keeps it: the snapshot's files are relative links to blobs. Returns the snapshot. */
function inHub(name: string): string {
  const repository = `${mkdtempSync(`${directory}/hub-`)}/models--acme--${name}`;
  const snapshot = `${repository}/snapshots/0123456789abcdef0123456789abcdef01234567`;
  mkdirSync(snapshot, { recursive: true });
  mkdirSync(`${repository}/blobs`);
  for (const file of readdirSync(`${models}/${name}`).filter((one) => one !== '.polybeam')) {
    const from = `${models}/${name}/${file}`;
    const blob = createHash('sha256').update(readFileSync(from)).digest('hex');
    copyFileSync(from, `${repository}/blobs/${blob}`);
    symlinkSync(`../../blobs/${blob}`, `${snapshot}/${file}`);
  }
  return snapshot;
}

const everything = (path: string) => readdirSync(path, { recursive: true }).map(String).sort();

async function logitsOf(path: string, options: LoadOptions = {}): Promise<number[][]> {
  const { inputs } = JSON.parse(readFileSync(`${models}/marian/expected.json`, 'utf8'));
  const model = await loadModel(path, options);
  try {
    const { logits } = await model.forward({
      inputIds: inputs.input_ids[2],
      decoderInputIds: inputs.decoder_input_ids[2],
    });
    return logits!;
  } finally {
    await model.dispose();
  }
}

describe("Hugging Face's cache", () => {
  test.each(['marian', 'marian-sharded', 'marian-bin'])(
    '%s computes as a directory of files',
    async (name) => {
      expect(await logitsOf(inHub(name))).toEqual(await logitsOf(`${models}/${name}`));
    },
  );

  test('is not written into: rounded weights go to the cache of the user, and are mapped from there', async () => {
    const snapshot = inHub('marian');
    const before = everything(`${snapshot}/../..`);
    const plain = await logitsOf(snapshot, { weightPrecision: 'int8', cache: false });
    expect(existsSync(`${cache}/polybeam`)).toBe(false);
    expect(await logitsOf(snapshot, { weightPrecision: 'int8' })).toEqual(plain);
    expect(everything(`${snapshot}/../..`)).toEqual(before);
    const made = everything(`${cache}/polybeam`);
    expect(made.filter((path) => path.endsWith('.safetensors'))).toHaveLength(1);
    // A link to the snapshot is the same directory, and finds the same file.
    const link = `${mkdtempSync(`${directory}/link-`)}/model`;
    symlinkSync(snapshot, link);
    expect(await logitsOf(link, { weightPrecision: 'int8' })).toEqual(plain);
    expect(everything(`${cache}/polybeam`)).toEqual(made);
    expect(everything(`${snapshot}/../..`)).toEqual(before);
  });
});

test('models share the cache of the user without removing what is of others', async () => {
  const [one, two] = [inHub('marian'), inHub('marian-sharded')];
  for (const path of [one, two, one]) await logitsOf(path, { weightPrecision: 'int4' });
  expect(everything(`${cache}/polybeam`).filter((path) => path.endsWith('.safetensors'))).toHaveLength(2);
});

test('a directory that takes no files has its rounded weights in the cache of the user', async () => {
  const path = `${mkdtempSync(`${directory}/full-`)}/marian`;
  cpSync(`${models}/marian`, path, { recursive: true, filter: (from) => !from.includes('.polybeam') });
  const plain = await logitsOf(path, { weightPrecision: 'int8', cache: false });
  // Where a file lies, no folder can be made.
  writeFileSync(`${path}/.polybeam`, 'in the way');
  expect(await logitsOf(path, { weightPrecision: 'int8' })).toEqual(plain);
  expect(readFileSync(`${path}/.polybeam`, 'utf8')).toBe('in the way');
  const made = everything(`${cache}/polybeam`);
  expect(made.filter((one) => one.endsWith('.safetensors'))).toHaveLength(1);
  expect(await logitsOf(path, { weightPrecision: 'int8' })).toEqual(plain);
  expect(everything(`${cache}/polybeam`)).toEqual(made);
  // Where neither can be written, each load rounds.
  writeFileSync(`${directory}/file`, '');
  vi.stubEnv('XDG_CACHE_HOME', `${directory}/file`);
  expect(await logitsOf(path, { weightPrecision: 'int8' })).toEqual(plain);
});

test.skipIf(!existsSync('/dev/shm'))(
  'files that lie in different places have the root as their folder',
  async () => {
    const path = mkdtempSync(`${directory}/apart-`);
    cpSync(`${models}/marian-sharded`, path, { recursive: true });
    const [shard] = readdirSync(path).filter((name) => name.endsWith('.safetensors'));
    // /dev/shm lies on no path to the temporary directory.
    const elsewhere = mkdtempSync('/dev/shm/polybeam-');
    try {
      execFileSync('mv', [`${path}/${shard}`, `${elsewhere}/`]);
      symlinkSync(`${elsewhere}/${shard}`, `${path}/${shard}`);
      expect(await logitsOf(path)).toEqual(await logitsOf(`${models}/marian-sharded`));
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  },
);

describe('the cache of the user', () => {
  test('is $XDG_CACHE_HOME/polybeam, or ~/.cache/polybeam where that is not set or relative', () => {
    expect(nodeFiles.cacheDirectory!()).toBe(`${cache}/polybeam`);
    vi.stubEnv('HOME', '/home/somebody');
    for (const value of ['', 'relative/path', undefined]) {
      vi.stubEnv('XDG_CACHE_HOME', value);
      expect(nodeFiles.cacheDirectory!()).toBe('/home/somebody/.cache/polybeam');
    }
  });
});
