import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { codePoints, formatFixed, formatFloat, splitWords, trim, trimEnd } from './pythonText.js';

const fixture = JSON.parse(readFileSync('test/fixtures/eval/pythonText.json', 'utf8')) as {
  fixed: [number, number, string][];
  floats: [number, string][];
  spaces: number[];
};

describe('Python text', () => {
  it.each(fixture.fixed)('prints %f with %i decimals as %s', (value, digits, text) => {
    expect(formatFixed(value, digits)).toBe(text);
  });

  it('rounds negative ties to even too', () => {
    expect(formatFixed(-0.125, 2)).toBe('-0.12');
    expect(formatFixed(-0.375, 2)).toBe('-0.38');
  });

  it.each(fixture.floats)('prints %f as %s', (value, text) => {
    expect(formatFloat(value)).toBe(text);
  });

  it('has the white space of Python, over all characters', () => {
    const spaces: number[] = [];
    for (let point = 0; point < 0x110000; point++) {
      if (point >= 0xd800 && point < 0xe000) continue;
      if (splitWords(`a${String.fromCodePoint(point)}b`).length === 2) spaces.push(point);
    }
    expect(spaces).toEqual(fixture.spaces);
  });

  it('trims and splits', () => {
    expect(trimEnd(' a \t\u0085\u001c')).toBe(' a');
    expect(trim('\u3000 a b \r\n')).toBe('a b');
    expect(trimEnd('\ufeff')).toBe('\ufeff');
    expect(splitWords('  a\u00a0b  c ')).toEqual(['a', 'b', 'c']);
    expect(splitWords(' ')).toEqual([]);
  });

  it('counts a surrogate pair as one character', () => {
    expect(codePoints('a 🙂', false)).toEqual([97, 0x1f642]);
    expect(codePoints('a 🙂')).toEqual([97, 32, 0x1f642]);
  });
});
