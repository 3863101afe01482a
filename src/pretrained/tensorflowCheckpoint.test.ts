import { beforeAll, describe, expect, test } from 'vitest';
import { memoryFiles } from '../../test/fixtures/training/memoryFiles.js';
import { setFileAccess } from '../files.js';
import { nodeFiles } from '../node/files.js';
import { crc32c, maskedCrc32c } from './crc32c.js';
import { asFloats } from './numberFormats.js';
import { readSortedTable } from './sortedTable.js';
import { readTensorflowCheckpoint } from './tensorflowCheckpoint.js';

const prefix = 'test/fixtures/pretrained/tensorflow-bert/bert_model.ckpt';
const dataFile = `${prefix}.data-00000-of-00001`;
let index: Uint8Array;
let data: Uint8Array;

beforeAll(async () => {
  setFileAccess(nodeFiles);
  index = Uint8Array.from(await nodeFiles.read(`${prefix}.index`));
  data = Uint8Array.from(await nodeFiles.read(dataFile));
});

test('crc32c is that of RFC 3720', () => {
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, at) => at))).toBe(0x46dd794e);
});

/** A block as LevelDB writes it: every key whole, so that only what is tested is shared. */
function block(entries: [shared: number, key: string, value: number[]][]): number[] {
  const body = entries.flatMap(([shared, key, value]) => [
    shared,
    key.length,
    value.length,
    ...new TextEncoder().encode(key),
    ...value,
  ]);
  // One restart, at 0; then how many.
  const whole = [...body, 0, 0, 0, 0, 1, 0, 0, 0, 0];
  const crc = maskedCrc32c(Uint8Array.from(whole));
  return [...whole, crc & 255, (crc >>> 8) & 255, (crc >>> 16) & 255, crc >>> 24];
}

describe('readSortedTable', () => {
  test('goes from block to block, and gives keys what they share with the one before', () => {
    const first = block([
      [0, 'apple', [1]],
      [3, 'ly', [2, 3]],
    ]);
    const second = block([[0, 'pear', []]]);
    const indexed = block([
      [0, 'b', [0, first.length - 5]],
      [0, 'z', [first.length, second.length - 5]],
    ]);
    const at = first.length + second.length;
    const footer = [0, 0, at, indexed.length - 5];
    const magic = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];
    const table = [...first, ...second, ...indexed, ...footer, ...new Array(36).fill(0), ...magic];
    const entries = [...readSortedTable(Uint8Array.from(table), 'table')];
    expect(entries.map(([key, value]) => [key, [...value]])).toEqual([
      ['apple', [1]],
      ['apply', [2, 3]],
      ['pear', []],
    ]);
  });
});

describe('readTensorflowCheckpoint', () => {
  test('has names, types, shapes and numbers of what TensorFlow saved', async () => {
    const tensors = await readTensorflowCheckpoint(prefix);
    const word = tensors.get('bert/embeddings/word_embeddings')!;
    expect(word).toMatchObject({ format: 'F32', shape: [32, 16], length: 32 * 16 * 4 });
    expect(tensors.get('global_step')).toMatchObject({ format: 'I64', shape: [] });
    expect(new DataView((await tensors.get('global_step')!.read()).slice().buffer).getBigInt64(0, true)).toBe(
      1000n,
    );
    const moment = asFloats(
      await tensors.get('bert/encoder/layer_0/attention/self/key/kernel/adam_v')!.read(),
    );
    expect([...moment]).toEqual(new Array(256).fill(8));
    expect([...tensors.keys()].filter((name) => name.endsWith('/kernel'))).toHaveLength(14);
    // Every byte belongs to one tensor.
    expect([...tensors.values()].reduce((sum, { length }) => sum + length, 0)).toBe(data.length);
  });

  const changed = (bytes: Uint8Array, at: number) => {
    const copy = bytes.slice();
    copy[at < 0 ? copy.length + at : at] ^= 1;
    return copy;
  };

  test.each([
    ['is cut', () => index.slice(0, 100), /does not end as such a file does/],
    ['is empty', () => new Uint8Array(0), /does not end as such a file does/],
    ['has a wrong byte', () => changed(index, 40), /the checksum of the block at 0 is wrong/],
    // Behind the place of a block that is not used.
    ['looks for its blocks elsewhere', () => changed(index, -45), /checksum of the block|is compressed/],
  ])('refuses an index that %s', async (_what, bytes, message) => {
    setFileAccess(memoryFiles(new Map([['a.ckpt.index', bytes()]])));
    await expect(readTensorflowCheckpoint('a.ckpt')).rejects.toMatchObject({
      code: expect.stringMatching(/FILE_CORRUPT/),
      message: expect.stringMatching(message),
    });
  });

  test('refuses data that is missing, cut or damaged', async () => {
    const files = (content?: Uint8Array) => {
      const all = new Map([['a.ckpt.index', index]]);
      if (content) all.set('a.ckpt.data-00000-of-00001', content);
      setFileAccess(memoryFiles(all));
    };
    files();
    await expect(readTensorflowCheckpoint('a.ckpt')).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: expect.stringContaining('a.ckpt.data-00000-of-00001 is missing, which holds bert/'),
    });
    files(data.slice(0, -1));
    await expect(readTensorflowCheckpoint('a.ckpt')).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
    files(changed(data, 5));
    const tensors = await readTensorflowCheckpoint('a.ckpt');
    const first = [...tensors.values()].find(({ offset }) => offset === 0)!;
    await expect(first.read()).rejects.toMatchObject({
      code: 'FILE_CORRUPT',
      message: expect.stringMatching(/the checksum of bert\/.* is wrong/),
    });
  });
});
