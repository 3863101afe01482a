import { describe, expect, test } from 'vitest';
import { type SpecialEnds, specialEnds, truncateIds } from './truncation.js';

/** Encodes each character as its code, between the given special tokens. */
const tokenizer = (before: number[], after: number[]) => ({
  encode: async (text: string) => ({
    ids: [...before, ...Array.from(text, (character) => character.charCodeAt(0)), ...after],
    truncated: false,
  }),
});

describe('specialEnds', () => {
  test.each([
    [[1], [2], { before: 1, after: 1 }],
    [[], [2], { before: 0, after: 1 }],
    [[1, 3], [], { before: 2, after: 0 }],
    [[], [], { before: 0, after: 0 }],
    [[2], [2], { before: 1, after: 1 }],
  ])('of %j text %j', async (before, after, expected) => {
    expect(await specialEnds(tokenizer(before, after))).toEqual(expected);
  });
});

describe('truncateIds', () => {
  const ends: SpecialEnds = { before: 1, after: 1 };
  const ids = [101, 1, 2, 3, 4, 5, 6, 102];

  test.each([
    [{ head: 2, tail: 3 }, [101, 1, 2, 4, 5, 6, 102]],
    [{ head: 4, tail: 0 }, [101, 1, 2, 3, 4, 102]],
    [{ head: 0, tail: 2 }, [101, 5, 6, 102]],
    [{ head: 3, tail: 3 }, ids],
    [{ head: 30, tail: 3 }, ids],
  ])('keeps %j', (rule, expected) => {
    expect(truncateIds(ids, ends, rule)).toEqual(expected);
  });

  test('keeps the ends of a text with one special token', () => {
    expect(truncateIds([1, 2, 3, 4, 9], { before: 0, after: 1 }, { head: 1, tail: 1 })).toEqual([1, 4, 9]);
  });
});
