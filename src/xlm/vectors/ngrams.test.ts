import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import '../../node/install.js';
import { countNgrams, countWords } from './countNgrams.js';
import { chooseNgrams, readNgrams, writeNgrams } from './ngrams.js';
import { NgramTable } from './ngramTable.js';

/** How often each n-gram of a length occurs, the plain way. */
function bruteForce(texts: readonly string[], length: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    const words = text.split(' ').filter((word) => word !== '');
    for (let at = 0; at + length <= words.length; at++) {
      const ngram = words.slice(at, at + length).join(' ');
      counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
    }
  }
  return counts;
}

const atLeast = (counts: Map<string, number>, minCount: number) =>
  new Map([...counts].filter(([, count]) => count >= minCount).sort());

const someTexts = fc.array(
  fc.array(fc.constantFrom(...'abcdefghij'), { maxLength: 12 }).map((words) => words.join(' ')),
  { minLength: 1, maxLength: 12 },
);

describe('counting', () => {
  test('is exact, whatever the table holds and however often that means reading', async () => {
    const limits = fc.record({
      minCount: fc.integer({ min: 1, max: 4 }),
      tableSize: fc.integer({ min: 1, max: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(someTexts, limits, async (texts, { minCount, tableSize }) => {
        const options = { minCount, tableSize, lowercase: false };
        const words = await countWords(() => [texts], options);
        const single = new Map(words.words.map((word, id) => [word, words.counts[id]]));
        expect(new Map([...single].sort())).toEqual(atLeast(bruteForce(texts, 1), minCount));
        const found = [2, 3, 4].map(() => new Map<string, number>());
        const ids = new Map(words.words.map((word, id) => [word, id]));
        await countNgrams(
          () => [texts],
          ids,
          4,
          options,
          (ngram, count) => {
            found[ngram.length - 2].set(Array.from(ngram, (id) => words.words[id]).join(' '), count);
          },
        );
        for (const [at, counts] of found.entries()) {
          expect(new Map([...counts].sort())).toEqual(atLeast(bruteForce(texts, at + 2), minCount));
        }
      }),
      { numRuns: 150 },
    );
  });

  test('a table never holds more than it may, and tells so', () => {
    const table = new NgramTable(2, 3);
    const words = Int32Array.of(1, 2, 3, 4, 5);
    expect([0, 1, 2, 3, 0].map((at) => table.add(words, at, at))).toEqual([true, true, true, false, true]);
    expect(table.size).toBe(3);
    expect(table.counts[0]).toBe(2);
  });

  test('many texts are read more often where the table is small', async () => {
    const texts = [
      Array.from({ length: 400 }, (_, at) => `w${'abcdefghij'[at % 10]}${'klmnopqrst'[at % 7]}x`).join(' '),
    ];
    const passes = async (tableSize: number) => {
      let read = 0;
      const { words } = await countWords(
        () => {
          read++;
          return [texts];
        },
        { minCount: 1, tableSize, lowercase: false },
      );
      return [words.length, read];
    };
    expect(await passes(1000)).toEqual([70, 1]);
    const [words, read] = await passes(20);
    expect(words).toBe(70);
    expect(read).toBeGreaterThanOrEqual(4);
  });
});

describe('chosen n-grams', () => {
  // 10 words: a b 3 times, a c once; the count of a is 4, of b 3, of c 1.
  const texts = () => [['a b , a b', 'a b . a c']];

  test('have the score of the formula', async () => {
    const found = await chooseNgrams(texts, { minCount: 1, discount: 0.5, minScore: -9 });
    const score = (text: string) => found.find((ngram) => ngram.text === text)?.score;
    expect(score('a b')).toBeCloseTo(Math.log((2.5 * 10) / (4 * 3)), 12);
    expect(score('a c')).toBeCloseTo(Math.log((0.5 * 10) / (4 * 1)), 12);
    expect(score('a')).toBe(0);
    expect(found.map(({ text, count }) => `${text}:${count}`)).toEqual([
      'a:4',
      'a b:3',
      'b:3',
      ',:1',
      '.:1',
      'a c:1',
      'c:1',
    ]);
  });

  test('the discount is minCount - 1 where none is given', async () => {
    const found = await chooseNgrams(texts, { minCount: 3, minScore: -9 });
    expect(found.find(({ text }) => text === 'a b')?.score).toBeCloseTo(Math.log((1 * 10) / (4 * 3)), 12);
  });

  test('are ranked by mutual information or by count where there are too many', async () => {
    const lines = [
      'in the house',
      'in the garden',
      'in the car',
      'new york city',
      'in the street',
      'new york bay',
    ];
    const keep = async (rank: 'pmi' | 'count') =>
      (await chooseNgrams(() => [lines], { limits: [9, 1], minCount: 1, discount: 0, rank }))
        .filter(({ text }) => text.includes(' '))
        .map(({ text }) => text);
    expect(await keep('count')).toEqual(['in the']);
    expect(await keep('pmi')).toEqual(['new york']);
  });

  test('no more are kept than the limits say, the best of many', async () => {
    const lines = Array.from({ length: 3000 }, (_, at) =>
      `w${at} v${at} `.repeat(1 + (at % 3 === 0 ? 1 : 0)),
    );
    const words = (text: string) =>
      text.replace(/\d+/g, (number) =>
        Number(number)
          .toString(3)
          .replace(/\d/g, (digit) => 'xyz'[Number(digit)]),
      );
    const found = await chooseNgrams(() => [lines.map(words)], {
      limits: [10, 5],
      minCount: 1,
      discount: 0,
      rank: 'count',
    });
    expect(found.length).toBe(15);
    expect(found.filter(({ text }) => text.includes(' ')).every(({ count }) => count === 2)).toBe(true);
  });

  test('have marks inside only, unless punctuation says otherwise', async () => {
    const lines = ["l'homme en t-shirt, là", "l'homme en t-shirt, là"];
    const of = async (punctuation: 'none' | 'inner' | 'all') =>
      (await chooseNgrams(() => [lines], { minCount: 2, discount: 0, punctuation }))
        .map(({ text }) => text)
        .filter((text) => /[',-]/.test(text) && text.includes(' '))
        .sort();
    expect(await of('none')).toEqual([]);
    expect(await of('inner')).toEqual(["l ' homme", 't - shirt']);
    expect(await of('all')).toContain('shirt , là');
  });

  test('lower-casing joins what is written in two ways', async () => {
    const lines = ['Red car', 'red Car'];
    const options = { minCount: 2, discount: 0 };
    await expect(chooseNgrams(() => [lines], options)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    const found = await chooseNgrams(() => [lines], { ...options, lowercase: true });
    expect(found.map(({ text }) => text)).toEqual(['car', 'red', 'red car']);
  });

  test('the sign that joins n-grams in files is in none of them', async () => {
    const found = await chooseNgrams(() => [['a ␣ b', 'a ␣ b']], {
      minCount: 2,
      discount: 0,
      punctuation: 'all',
    });
    expect(found.map(({ text }) => text)).toEqual(['a', 'b']);
  });
});

describe('what counting refuses', () => {
  test('texts without a word', async () => {
    await expect(chooseNgrams(() => [['', ' ']])).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('hold no word'),
    });
  });

  test('texts without a frequent word, telling how frequent they are', async () => {
    await expect(chooseNgrams(() => [['a b b c b']], { minCount: 4 })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('the most frequent, "b", occurs 3 times'),
    });
  });

  test('options that do not exist or fit', async () => {
    await expect(chooseNgrams(() => [], { minCount: 0 })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    const foreign = { minPmi: 1 } as object;
    await expect(chooseNgrams(() => [], foreign)).rejects.toMatchObject({ code: 'OPTION_UNKNOWN' });
  });
});

describe('files of n-grams', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'polybeam-ngrams-'));
  const path = join(folder, 'en.tsv');

  test('come back as they were written', async () => {
    const ngrams = [
      { text: 'the', count: 70, score: 0 },
      { text: 'red car', count: 7, score: 1.25 },
    ];
    await writeNgrams(path, ngrams);
    expect(await readFile(path, 'utf8')).toBe('the\t70\t0.000000\nred car\t7\t1.250000\n');
    expect(await readNgrams(path)).toEqual(ngrams);
  });

  test.each([
    ['', 'FILE_CORRUPT', 'has no n-gram'],
    ['the\t3\t0\n\t4\t0\n', 'FILE_CORRUPT', 'Line 2 of'],
    ['the\tmany\n', 'FILE_CORRUPT', 'Line 1 of'],
    ['red␣car\t3\t0\n', 'INPUT_INVALID', '"red␣car" with ␣'],
  ])('refused: %j', async (content, code, message) => {
    await writeFile(path, content);
    await expect(readNgrams(path)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });
});
