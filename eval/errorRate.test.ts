import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance } from './editDistance.js';
import { corpusCer, corpusWer, sentenceCer, sentenceWer, werStatistics } from './errorRate.js';

const { rows, corpus } = JSON.parse(readFileSync('test/fixtures/eval/errorRates.json', 'utf8')) as {
  rows: [hypothesis: string, reference: string, wer: number, cer: number][];
  corpus: [wer: number, cer: number];
};

/** The recurrence as it stands in textbooks. */
function plainDistance<T>(a: readonly T[], b: readonly T[]): number {
  const table = Array.from({ length: a.length + 1 }, (_, i) => [i, ...new Array<number>(b.length).fill(0)]);
  for (let j = 0; j <= b.length; j++) table[0][j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const substituted = table[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      table[i][j] = Math.min(substituted, table[i - 1][j] + 1, table[i][j - 1] + 1);
    }
  }
  return table[a.length][b.length];
}

describe('editDistance', () => {
  it.each([
    ['kitten', 'sitting', 3],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['', '', 0],
    ['flaw', 'lawn', 2],
    ['intention', 'execution', 5],
  ])('of %j and %j is %i', (a, b, distance) => {
    expect(editDistance([...a], [...b])).toBe(distance);
    expect(editDistance([...a], [...b], 1)).toBe(distance);
  });

  const letters = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 110 });
  it('is what the plain recurrence gives, by units and by the table', () => {
    fc.assert(
      fc.property(letters, letters, (a, b) => {
        const expected = plainDistance(a, b);
        expect(editDistance(a, b)).toBe(expected);
        expect(editDistance(a, b, 3)).toBe(expected);
      }),
    );
  });

  it('tells more kinds apart than one call of fromCharCode takes', () => {
    const many = Array.from({ length: 20_000 }, (_, i) => `w${i}`);
    expect(editDistance(many, [...many.slice(1), 'new'])).toBe(2);
  });
});

describe('word and character error rates', () => {
  it.each(rows)('equal jiwer: %j against %j', (hypothesis, reference, wer, cer) => {
    expect(sentenceWer(hypothesis, [reference]).score).toBeCloseTo(100 * wer, 9);
    expect(sentenceCer(hypothesis, [reference]).score).toBeCloseTo(100 * cer, 9);
  });

  it('equal jiwer over the corpus', () => {
    const [hypotheses, references] = [rows.map((row) => row[0]), [rows.map((row) => row[1])]];
    expect(corpusWer(hypotheses, references).score).toBeCloseTo(100 * corpus[0], 9);
    expect(corpusCer(hypotheses, references).score).toBeCloseTo(100 * corpus[1], 9);
  });

  it('count by hand', () => {
    // "the" missing, "sit" for "sat", "down" too much: 3 of 5 words.
    const wer = sentenceWer('cat sit on mats down', ['the cat sat on mats']);
    expect(wer).toMatchObject({ name: 'WER', numEdits: 3, refLength: 5, score: 60 });
    expect(wer.signature).toBe('nrefs:1|case:mixed|nfc:no|unit:word');
    expect(sentenceCer('🙂b', ['🙂a'])).toMatchObject({ numEdits: 1, refLength: 2, score: 50 });
    expect(sentenceCer(' a b ', ['a b'])).toMatchObject({ numEdits: 0, refLength: 3 });
  });

  it('take the reference with the lowest rate, and its length', () => {
    // 1 of 2 words is worse than 1 of 4.
    const [row] = werStatistics(['a b c'], [['a b'], ['a b c d']]).rows;
    expect(row).toEqual([1, 4]);
    expect(corpusWer(['a'], [['b'], [null]]).signature).toBe('nrefs:1|case:mixed|nfc:no|unit:word');
    expect(
      corpusWer(
        ['a', 'b'],
        [
          ['b', 'b'],
          [null, 'c'],
        ],
      ).signature,
    ).toContain('nrefs:var');
  });

  it('are 100 for words where there should be none, and 0 for none', () => {
    expect(sentenceWer('a', ['']).score).toBe(100);
    expect(sentenceWer('', ['']).score).toBe(0);
    expect(sentenceWer('', ['a b']).score).toBe(100);
  });

  it('lower-case and compose where asked', () => {
    expect(sentenceCer('É', ['e\u0301'], { lowercase: true, nfc: true }).score).toBe(0);
    expect(sentenceCer('É', ['E\u0301']).numEdits).toBe(2);
    expect(sentenceCer('É', ['E\u0301'], { nfc: true }).score).toBe(0);
    expect(sentenceWer('A b', ['a b'], { lowercase: true }).signature).toContain('case:lc|nfc:no');
    expect(() => sentenceWer('a', ['a'], { normalized: true } as never)).toThrow(
      /WER has no option normalized/,
    );
  });
});
