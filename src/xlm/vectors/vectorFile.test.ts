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
