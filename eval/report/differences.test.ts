import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lcsLength } from '../longestCommon.js';
import { wordDifferences, wordsOf } from './differences.js';

describe('wordDifferences', () => {
  it('marks what only one side has', () => {
    expect(wordDifferences('the black cat sat', 'the cat  sat down')).toEqual([
      [
        { text: 'the', common: true },
        { text: 'black', common: false },
        { text: 'cat sat', common: true },
      ],
      [
        { text: 'the cat sat', common: true },
        { text: 'down', common: false },
      ],
    ]);
    expect(wordDifferences('', 'a')).toEqual([[], [{ text: 'a', common: false }]]);
  });

  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 })
    .map((words) => words.join(' '));
  it('keeps every word, and as many common ones as can be', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const pieces = wordDifferences(a, b);
        expect(pieces.map((side) => side.map((piece) => piece.text).join(' '))).toEqual([a, b]);
        const common = pieces.map((side) => side.flatMap((p) => (p.common ? wordsOf(p.text) : [])));
        expect(common[0]).toEqual(common[1]);
        expect(common[0]).toHaveLength(lcsLength(wordsOf(a), wordsOf(b)));
      }),
    );
  });
});
