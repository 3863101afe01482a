import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import '../../node.js';
import { createTable, openTable, type Translation, writeTable } from './translationTable.js';

async function file(text: string | Uint8Array, name = 'en-de.tsv'): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'polybeam-table-')), name);
  await writeFile(path, text);
  return path;
}

const small = 'car\tAuto\t0.75\ncar\tWagen\t0.25\nred car\trotes Auto\t1\nred-hot\theiß\t1\n';

test('a table in a file gives what its lines say', async () => {
  const table = await openTable(await file(small));
  expect(table.get('car')).toEqual([
    { target: 'Auto', probability: 0.75 },
    { target: 'Wagen', probability: 0.25 },
  ]);
  expect(table.get('red-hot')).toEqual([{ target: 'heiß', probability: 1 }]);
  expect(['red', 'ca', 'cars', 'red car ', '', 'a', 'z', '\t'].map(table.get)).toEqual(Array(8).fill([]));
  expect([table.has('red car'), table.has('red')]).toEqual([true, false]);
  expect([table.size, table.longestSource, ...table.sources()]).toEqual([3, 2, 'car', 'red car', 'red-hot']);
});

test('a gzipped file, one without a last line feed and one with Windows line ends are read', async () => {
  const wanted = (await openTable(await file(small))).get('red-hot');
  expect(
    await openTable(await file(gzipSync(Buffer.from(small)), 't.gz')).then((t) => t.get('red-hot')),
  ).toEqual(wanted);
  expect((await openTable(await file(small.trimEnd()))).get('red-hot')).toEqual(wanted);
  expect((await openTable(await file(small.replaceAll('\n', '\r\n')))).get('red-hot')).toEqual(wanted);
});

test('any table comes back as it was written, sorted as LC_ALL=C sort does', async () => {
  // Around what could be taken for a separator, and where UTF-16 and UTF-8 sort differently.
  const letters = ['a', 'b', ' ', '!', 'é', '\u{e000}', '\u{ffff}', '\u{10000}'];
  const ngram = fc
    .array(fc.constantFrom(...letters), { minLength: 1, maxLength: 4 })
    .map((all) => all.join(''));
  const entry = fc.tuple(ngram, fc.uniqueArray(ngram, { minLength: 1, maxLength: 4 }));
  const entries = fc.uniqueArray(entry, { minLength: 1, maxLength: 12, selector: ([source]) => source });
  await fc.assert(
    fc.asyncProperty(entries, async (all) => {
      const given = all.map(([source, targets]) => [source, fallingShares(targets)] as const);
      const path = await file('');
      await writeTable(
        path,
        given.map(([source]) => source),
        (index) => given[index][1],
      );
      const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
      const bytes = lines.map((line) => Buffer.from(line.split('\t')[0]));
      expect(bytes.every((line, i) => i === 0 || Buffer.compare(bytes[i - 1], line) <= 0)).toBe(true);
      const [inFile, inMemory] = [await openTable(path), createTable(given)];
      expect(new Set(inFile.sources())).toEqual(new Set(inMemory.sources()));
      expect(inFile).toMatchObject({ size: inMemory.size, longestSource: inMemory.longestSource });
      for (const [source, translations] of given) {
        expect(inFile.get(source)).toEqual(
          translations.map(({ target, probability }) => ({
            target,
            probability: Number(probability.toPrecision(6)),
          })),
        );
      }
      for (const absent of ['', ...letters.map((letter) => `${letter}b`)]) {
        expect(inFile.has(absent)).toBe(inMemory.has(absent));
      }
    }),
    { numRuns: 50 },
  );
});

/** 1, 1/2, 1/3, ... of what they sum to. */
function fallingShares(targets: readonly string[]): Translation[] {
  const sum = targets.reduce((total, _, rank) => total + 1 / (rank + 1), 0);
  return targets.map((target, rank) => ({ target, probability: 1 / (rank + 1) / sum }));
}

test('probabilities are read as they are written, small ones too', async () => {
  const path = await file('a\tb\t0.9999997\na\tc\t1.5e-7\na\td\t1E-7\na\te\t.00000005\n');
  expect((await openTable(path)).get('a').map(({ probability }) => probability)).toEqual([
    0.9999997, 1.5e-7, 1e-7, 5e-8,
  ]);
});

test.each([
  ['an empty file', '', 'is an empty translation table'],
  [
    'sources that are not sorted',
    'b\tx\t1\na\tx\t1\n',
    'line 2, "a\\tx\\t1", has a source that comes before',
  ],
  [
    'a source in two places',
    'a\tx\t1\nb\tx\t1\na\ty\t1\n',
    'line 3, "a\\ty\\t1", has a source that comes before',
  ],
  ['translations that are not sorted', 'a\tx\t0.4\na\ty\t0.6\n', 'line 2, "a\\ty\\t0.6", is more probable'],
  ['a word for a number', 'a\tx\t1\nb\tx\tone\n', 'line 2, "b\\tx\\tone", does not end with a probability'],
  ['two points', 'a\tx\t0.5.0\n', 'line 1, "a\\tx\\t0.5.0", does not end with a probability'],
  ['a negative number', 'a\tx\t-1\n', 'does not end with a probability'],
  ['no number', 'a\tx\t\n', 'does not end with a probability'],
  ['a fourth column', 'a\tx\t1\tb\n', 'does not end with a probability'],
  ['more than 1', 'a\tx\t1.5\n', 'does not end with a probability'],
  ['sources alone', 'a\nb\n', 'line 1, "a", has fewer than three columns'],
  ['pairs without a probability', 'a\tx\n', 'line 1, "a\\tx", has fewer than three columns'],
  ['sources without targets', 'a\t\t1\n', 'line 1, "a\\t\\t1", has an empty source or target'],
  ['targets without sources', '\tx\t1\n', 'line 1, "\\tx\\t1", has an empty source or target'],
  ['an empty line', 'a\tx\t1\n\nb\tx\t1\n', 'line 2, "", has fewer than three columns'],
  [
    'a sum below 1',
    'a\tx\t0.5\na\ty\t0.4\nb\tx\t1\n',
    'the probabilities of "a", whose last line is 2, sum to 0.9000',
  ],
  [
    'a last sum below 1',
    'a\tx\t1\nb\tx\t0.5\n',
    'the probabilities of "b", whose last line is 2, sum to 0.5000',
  ],
])('a damaged file is refused: %s', async (_, text, message) => {
  await expect(openTable(await file(text))).rejects.toMatchObject({
    code: 'FILE_CORRUPT',
    message: expect.stringContaining(message),
  });
});

test('a file that is not there, and one that is no gzip file, are refused', async () => {
  await expect(openTable('/nowhere/en-de.tsv')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  await expect(openTable(await file('a\tx\t1\n', 't.gz'))).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
});

const one = [{ target: 'x', probability: 1 }];

test.each([
  ['twice', ['a', 'a'], one, 'comes twice'],
  ['a tab', ['a\tb'], one, 'holds "a\\tb", which is no n-gram'],
  ['a line feed', ['a'], [{ target: 'x\n', probability: 1 }], 'holds "x\\n", which is no n-gram'],
  ['a probability of 0', ['a'], [...one, { target: 'y', probability: 0 }], 'gives "y" the probability 0'],
  ['no number', ['a'], [{ target: 'y', probability: Number.NaN }], 'gives "y" the probability NaN'],
  ['rising', ['a'], [0.4, 0.6].map((probability) => ({ target: 'x', probability })), 'after a less probable'],
  ['a sum of 0.4', ['a'], [{ target: 'x', probability: 0.4 }], 'sum to 0.4'],
])('what a table cannot hold is not written: %s', async (_, sources, translations, message) => {
  const path = await file('before');
  const refusal = { code: 'INPUT_INVALID', message: expect.stringContaining(message) };
  await expect(writeTable(path, sources, () => translations)).rejects.toMatchObject(refusal);
  expect(await readFile(path, 'utf8')).toBe('before');
  expect(() => createTable(sources.map((source) => [source, translations]))).toThrow(message);
});

test('an n-gram without translations is left out', async () => {
  const path = await file('');
  await writeTable(path, ['b', 'a'], (index) => (index === 0 ? one : []));
  expect(await readFile(path, 'utf8')).toBe('b\tx\t1\n');
});
