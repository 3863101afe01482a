import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textStatistics } from './textStatistics.js';

describe('textStatistics', () => {
  it('counts by hand', () => {
    const lines = ['a b a b', 'A c', ''];
    const source = ['a b c', 'c d e f', 'g'];
    const reference = ['a b', 'a c', 'x y z w'];
    const found = textStatistics(lines, { source, reference }, { maxNgramOrder: 3 });
    expect(found.lines).toBe(3);
    expect(found.emptyLines).toBe(1);
    expect(found.lengths).toEqual([4, 2, 0]);
    // Words a b a b a c: 3 kinds of 6. Bigrams ab ba ab ac: 3 of 4. Trigrams aba bab: 2 of 2.
    expect(found.distinct).toEqual([3 / 6, 3 / 4, 1]);
    // First line: 2 of 4 words and 2 of 3 bigrams differ; second line: all.
    expect(found.repetition[0]).toBeCloseTo((1 / 2 + 0) / 2, 12);
    expect(found.repetition[1]).toBeCloseTo((1 / 3 + 0) / 2, 12);
    expect(found.repetition[2]).toBe(0);
    // Words: only "a" of the second line is new. Bigrams: ba, and ac. Trigrams: both.
    expect(found.novelty).toEqual([1 / 6, 2 / 4, 1]);
    expect(found.compression).toBeCloseTo(8 / 6, 12);
    expect(found.lengthRatio).toBeCloseTo(6 / 8, 12);
  });

  it('spreads lengths as by hand, characters being code points', () => {
    const found = textStatistics(['a', 'a b', 'a b c', 'a b c d e 🙂']);
    expect(found.words).toEqual({
      mean: 3,
      standardDeviation: Math.sqrt((4 + 1 + 0 + 9) / 4),
      min: 1,
      lowerQuartile: 1.75,
      median: 2.5,
      upperQuartile: 3.75,
      max: 6,
    });
    expect(found.characters.max).toBe(11);
    expect(found).not.toHaveProperty('novelty');
    expect(found).not.toHaveProperty('compression');
    expect(found).not.toHaveProperty('lengthRatio');
  });

  it('minds case and tokens as it is told', () => {
    expect(textStatistics(['A a a.']).distinct[0]).toBe(2 / 4);
    expect(textStatistics(['A a a.'], {}, { caseSensitive: true }).distinct[0]).toBe(3 / 4);
    expect(textStatistics(['A a a.'], {}, { tokenize: 'none' }).distinct[0]).toBe(2 / 3);
  });

  it('is 0, not a division by nothing, where there are no words', () => {
    const found = textStatistics(['', ' '], { source: ['a', ''], reference: ['', ''] });
    expect(found.distinct).toEqual([0, 0, 0, 0]);
    expect(found.repetition).toEqual([0, 0, 0, 0]);
    expect(found.novelty).toEqual([0, 0, 0, 0]);
    expect([found.compression, found.lengthRatio]).toEqual([0, 0]);
    expect(found.emptyLines).toBe(2);
  });

  const line = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 10 }).map((words) => words.join(' '));
  it('has shares between 0 and 1, and no novelty against itself', () => {
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), (lines) => {
        const found = textStatistics(lines, { source: lines, reference: lines });
        for (const share of [...found.distinct, ...found.repetition]) {
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(1);
        }
        expect(found.novelty).toEqual([0, 0, 0, 0]);
      }),
    );
  });

  it.each([
    ['no lines', [], {}, {}, 'INPUT_INVALID', 'no texts to describe'],
    ['a short source', ['a', 'b'], { source: ['a'] }, {}, 'INPUT_INVALID', 'The source has 1 lines'],
    ['a short reference', ['a', 'b'], { reference: ['a'] }, {}, 'INPUT_INVALID', 'The reference has 1 lines'],
    ['an unknown tokenizer', ['a'], {}, { tokenize: 'x' }, 'OPTION_INVALID', 'no tokenizer "x"'],
    ['order 10', ['a'], {}, { maxNgramOrder: 10 }, 'OPTION_INVALID', 'maxNgramOrder of textStatistics'],
  ])('refuses %s', (_name, lines, beside, options, code, message) => {
    expect(() => textStatistics(lines, beside, options)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});
