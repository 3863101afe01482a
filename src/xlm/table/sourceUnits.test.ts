import { describe, expect, test } from 'vitest';
import { splitIntoUnits } from './sourceUnits.js';

const known = new Set(['the', 'price', 'is', 'of', 'l', 'see', 'y', 'x', 'year', 'old', '1', '000', 's']);
const units = (text: string) => splitIntoUnits(text, (word) => known.has(word.toLowerCase()));
const texts = (text: string) => units(text).map((unit) => unit.text);

describe('units of a source', () => {
  test.each([
    ['The price is 1,000.50.', ['The', 'price', 'is', '1,000.50', '.']],
    ['see (http://x.org/y), l', ['see', '(', 'http://x.org/y', ')', ',', 'l']],
    ['see www.x.org/year!', ['see', 'www.x.org/year', '!']],
    ['of anna.s@x.org:', ['of', 'anna.s@x.org', ':']],
    ['at 12:30 on 2026-12-01', ['at', '12:30', 'on', '2026-12-01']],
    ['the x86-64 and mp3 of y2', ['the', 'x86-64', 'and', 'mp3', 'of', 'y2']],
    // Without a known part: as it stands.
    ['foo_bar C++ $5 "test.conf" foo/bar/', ['foo_bar', 'C++', '$5', '"', 'test.conf', '"', 'foo/bar/']],
    // With known parts: the table's words, and each other word by itself.
    [
      "L'abricot, Zoe's 2-year-old",
      ['L', "'", 'abricot', ',', 'Zoe', "'", 's', '2', '-', 'year', '-', 'old'],
    ],
    ['the price.of', ['the', 'price', '.', 'of']],
    ['... — !', ['.', '.', '.', '—', '!']],
    ['', []],
  ])('%s', (text, wanted) => {
    expect(texts(text)).toEqual(wanted);
  });

  test('know their words as tables have them', () => {
    expect(units('1,000.50 mp3 x')).toEqual([
      { text: '1,000.50', ngram: '1 , 000 . 50' },
      { text: 'mp3', ngram: 'mp 3' },
      { text: 'x', ngram: 'x' },
    ]);
  });

  test('two beside each other are two', () => {
    expect(texts('foo-bar foo-bar')).toEqual(['foo-bar', 'foo-bar']);
    expect(texts('1.5-year (1.5)(2.5)')).toEqual(['1.5', '-', 'year', '(', '1.5', ')', '(', '2.5', ')']);
  });
});
