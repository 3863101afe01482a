import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import '../../node.js';
import { splitIntoWords, wordsIn } from '../words.js';
import { readVectors, writeVectors } from './vectorFile.js';

const folder = () => mkdtemp(join(tmpdir(), 'polybeam-vectors-'));

test('vectors come back as they were written, n-grams with them', async () => {
  const path = join(await folder(), 'en.vec');
  const vectors = { words: ['car', 'red car'], size: 2, values: Float32Array.of(0.5, -1.25, 1e-7, 3) };
  await writeVectors(path, vectors);
  expect(await readVectors(path)).toEqual(vectors);
  expect((await readVectors(path, 1)).words).toEqual(['car']);
});

test('a file of fastText, which ends its lines with a space, is read', async () => {
  const path = join(await folder(), 'en.vec');
  await writeFile(path, '2 2\n</s> 1 2 \nder 3 4 \n');
  expect(await readVectors(path)).toEqual({
    words: ['</s>', 'der'],
    size: 2,
    values: Float32Array.of(1, 2, 3, 4),
  });
});

test('words come back whatever characters but blanks and line feeds they have', async () => {
  const path = join(await folder(), 'en.vec');
  const words = [
    '25\u00a0000',
    '\u00a0',
    'a\u2028b',
    '\ufeffword',
    'word',
    '\r',
    '␣',
    '␣␣',
    '␣a',
    'new york',
    'a\tb',
    '𝒜',
  ];
  const vectors = { words, size: 1, values: Float32Array.from(words, (_, at) => at + 1) };
  await writeVectors(path, vectors);
  expect(await readVectors(path)).toEqual(vectors);
});

test.each(['', ' ', 'a  b', ' a', 'a\nb', 'a␣b', '\ud800'])(
  'a word that would not is refused: %j',
  async (word) => {
    const path = join(await folder(), 'en.vec');
    const vectors = { words: ['a', word], size: 1, values: Float32Array.of(1, 2) };
    await expect(writeVectors(path, vectors)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(`The n-gram ${JSON.stringify(word)} cannot be written`),
    });
  },
);

test('of a word that comes several times the first vector counts, and that is said', async () => {
  const path = join(await folder(), 'en.vec');
  await writeFile(path, '\ufeff5 1\na 1\nb 2\na 3\nc 4\nb 5\n');
  const warnings: string[] = [];
  expect(await readVectors(path, undefined, (text) => warnings.push(text))).toEqual({
    words: ['a', 'b', 'c'],
    size: 1,
    values: Float32Array.of(1, 2, 4),
  });
  expect(warnings).toEqual([
    `${path} has 2 vectors of words that it has before, such as "a": the first of each is taken.`,
  ]);
});

test.each([
  ['no counts', 'car 1 2\n', 'its first line is "car 1 2"'],
  ['a short line', '2 2\na 1 2\nb 1\n', 'line 3 has 1 numbers, line 1 promised 2'],
  ['no number', '1 2\na 1 x\n', 'line 2 has "x" where a number should be'],
  ['two blanks', '1 3\na 1  2\n', 'line 2 has "" where a number should be'],
  ['a number beyond float32', '1 2\na 1 1e39\n', 'line 2 has "1e39" where a number should be'],
  [
    'cut short',
    '3 2\na 1 2\nb 1 2\n',
    'it ends after line 3, and line 1 promised 3 words, so it was cut short',
  ],
  [
    'counts beyond the memory',
    '1000000000 300\na 1 2\n',
    'it ends after line 2, and line 1 promised 1000000000 words',
  ],
  [
    'a Git LFS pointer',
    'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n',
    'is a Git LFS pointer',
  ],
])('a damaged file is refused: %s', async (_, text, message) => {
  const path = join(await folder(), 'en.vec');
  await writeFile(path, text);
  await expect(readVectors(path)).rejects.toMatchObject({
    code: 'FILE_CORRUPT',
    message: expect.stringContaining(message),
  });
});

test('words are runs of letters or digits, and single other characters', () => {
  const text = "L'été 2024, e\u0301.";
  const words = splitIntoWords(text);
  expect(words.map((word) => word.text)).toEqual(['L', "'", 'été', '2024', ',', 'e\u0301', '.']);
  expect(wordsIn(text)).toEqual(words.map((word) => word.text));
  expect(wordsIn(' ')).toEqual([]);
  for (const { start, end, text: word } of words) expect(text.slice(start, end)).toBe(word);
});
