import { expect, it } from 'vitest';
import { PolybeamError } from './errors.js';
import { printable, printableLine } from './printable.js';

it.each([
  ['\x1b[31mred\x1b[0m', '\\x1b[31mred\\x1b[0m'],
  ['\x1b]0;title\x07', '\\x1b]0;title\\x07'],
  ['a\rb\x08c\x7f', 'a\\x0db\\x08c\\x7f'],
  ['\x9b2J', '\\x9b2J'],
  ['abc\u202edcba', 'abc\\u202edcba'],
  ['one\u2028two', 'one\\u2028two'],
  ['plain, tab\tand ünïcode 日本 👍\u200d💻', 'plain, tab\tand ünïcode 日本 👍\u200d💻'],
])('%j is printed as %j', (text, shown) => {
  expect(printable(text)).toBe(shown);
  expect(printable(shown)).toBe(shown);
});

it('keeps line feeds, but for text that must stay on one line', () => {
  expect(printable('a\nb\x1b')).toBe('a\nb\\x1b');
  expect(printableLine('a\npolybeam: done\x1b')).toBe('a\\npolybeam: done\\x1b');
});

it('is done to the message of every error', () => {
  expect(new PolybeamError('FILE_CORRUPT', 'The tensor \x1b[2J is odd.').message).toBe(
    'The tensor \\x1b[2J is odd.',
  );
});
