import { describe, expect, it } from 'vitest';
import { isBlank } from './blank.js';

describe('isBlank', () => {
  it.each([
    ['nothing', ''],
    ['white space', ' \t\u00A0\u3000\u2028'],
    ['zero-width space', '\u200B'],
    ['soft hyphen', '\u00AD'],
    ['NUL and other controls', '\u0000\u001B\u0085'],
    ['byte order mark between spaces', ' \uFEFF\u200B '],
    ['word joiner, directional marks', '\u2060\u200E\u202A\u2069'],
    ['variation selectors and tags', '\uFE0F\u{E0001}\u{E0100}'],
    ['Hangul fillers', '\u3164\uFFA0'],
    ['annotation marks', '\uFFF9\uFFFB'],
  ])('holds for %s', (_, text) => {
    expect(isBlank(text)).toBe(true);
  });

  it.each(['a', '.', '\u200Ba', '\u0301', '\u0600', '\u2800', '\uE000', '\u{1F600}', '\u00AD-'])(
    'does not hold for %j, which is seen',
    (text) => {
      expect(isBlank(text)).toBe(false);
    },
  );

  it('takes no longer than the text does', () => {
    const start = performance.now();
    expect(isBlank(`${'\u200B '.repeat(500_000)}a`)).toBe(false);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
