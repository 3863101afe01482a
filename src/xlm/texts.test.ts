import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import '../node/install.js';
import { parseTextFile, type TextFile, textsOf } from './texts.js';

const folder = await mkdtemp(join(tmpdir(), 'polybeam-texts-'));

async function fileWith(name: string, content: string | Uint8Array): Promise<TextFile> {
  await writeFile(join(folder, name), content);
  return { path: join(folder, name) };
}

async function linesOf(files: TextFile[], onInvalid?: (path: string, lines: number) => void) {
  const all: string[] = [];
  for await (const part of textsOf(files, onInvalid)()) all.push(...part);
  return all;
}

test('a column is told by a number behind the name', () => {
  expect(parseTextFile('a/train.tsv.gz:2')).toEqual({ path: 'a/train.tsv.gz', column: 2 });
  expect(parseTextFile('C:/a.txt')).toEqual({ path: 'C:/a.txt' });
});

test('files are read one after the other, packed or not, by lines or columns', async () => {
  const plain = await fileWith('a.txt', '\ufeffone\r\ntwo');
  const packed = await fileWith('b.tsv.gz', gzipSync('x\tdrei\n\nx\tvier\n'));
  expect(await linesOf([plain, { ...packed, column: 2 }])).toEqual(['one', 'two', 'drei', '', 'vier']);
});

test('a text longer than a piece of reading, and lines across pieces, come whole', async () => {
  const lines = Array.from(
    { length: 60 },
    (_, at) => `${at} ${'ü'.repeat(at === 30 ? 5_000_000 : 50_000 + at)}`,
  );
  const text = lines.join('\n');
  const read = await linesOf([await fileWith('c.txt', text), await fileWith('c.gz', gzipSync(text))]);
  expect(read.length).toBe(120);
  expect(read.slice(0, 60).every((line, at) => line === lines[at])).toBe(true);
  expect(read.slice(60).every((line, at) => line === lines[at])).toBe(true);
});

test('bad bytes are replaced and told', async () => {
  const file = await fileWith('d.txt', Uint8Array.of(0x61, 0xff, 0x0a, 0x62, 0x0a));
  const told: unknown[] = [];
  expect(await linesOf([file], (path, lines) => told.push(path, lines))).toEqual(['a\ufffd', 'b']);
  expect(told).toEqual([file.path, 1]);
});

test.each([
  ['no file', () => ({ path: join(folder, 'none.txt') }), 'FILE_NOT_FOUND', 'none.txt does not exist'],
  ['no gzip', () => fileWith('e.gz', 'text'), 'FILE_CORRUPT', 'is not a gzip file'],
  [
    'half a gzip file',
    () => fileWith('f.gz', gzipSync('some text that goes on').subarray(0, 25)),
    'FILE_CORRUPT',
    'damaged gzip file',
  ],
  [
    'a missing column',
    async () => ({ ...(await fileWith('g.tsv', 'a\tb\na\n')), column: 2 }),
    'INPUT_INVALID',
    'g.tsv has 1 tab-separated column but column 2 is wanted',
  ],
])('refused: %s', async (_, make, code, message) => {
  await expect(linesOf([await make()])).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message),
  });
});
