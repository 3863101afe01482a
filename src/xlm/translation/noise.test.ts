import { describe, expect, test } from 'vitest';
import { createDraws } from '../../pretraining/draws.js';
import { addNoise, dropWords, type NoiseFacts, shuffleWords } from './noise.js';

const none = { shuffle: 0, dropout: 0, blank: 0 };
// Ids from 100 on go on with a word.
const facts: NoiseFacts = {
  startsWord: Uint8Array.from({ length: 200 }, (_, id) => (id < 100 ? 1 : 0)),
  maskTokenId: 3,
};
const draws = (example: number) => createDraws(1, 'noise', 0, example);
const numbers = (count: number) => Array.from({ length: count }, (_, at) => at);

describe('shuffling', () => {
  test.each([1, 3, 4.5])('moves no word by %s places or more', (distance) => {
    let farthest = 0;
    for (const example of numbers(300)) {
      const order = shuffleWords(numbers(20), distance, draws(example));
      expect([...order].sort((a, b) => a - b)).toEqual(numbers(20));
      order.forEach((word, place) => {
        farthest = Math.max(farthest, Math.abs(word - place));
      });
    }
    expect(farthest).toBeLessThan(distance);
    expect(farthest).toBe(Math.ceil(distance) - 1);
  });

  test('is numpy.argsort of place + U(0, k)', () => {
    const drawn = [0.9, 0.1, 0.5, 0.99, 0.0];
    let next = 0;
    const order = shuffleWords(numbers(5), 3, { uniform: () => drawn[next++], below: () => 0 });
    // Keys 2.7, 1.3, 3.5, 5.97, 4.
    expect(order).toEqual([1, 0, 2, 4, 3]);
  });
});

describe('dropping', () => {
  test('has the rate it should, over many words', () => {
    const kept = dropWords(numbers(20_000), 0.1, draws(0)).length;
    // Five standard deviations of a binomial.
    expect(Math.abs(kept / 20_000 - 0.9)).toBeLessThan(5 * Math.sqrt((0.1 * 0.9) / 20_000));
  });

  test('keeps one word, any of them', () => {
    const left = numbers(200).map((example) => dropWords(['a', 'b', 'c'], 1 - 1e-12, draws(example)));
    for (const words of left) expect(words).toHaveLength(1);
    expect(new Set(left.flat())).toEqual(new Set(['a', 'b', 'c']));
  });
});

describe('noise', () => {
  test('moves, drops and blanks words whole', () => {
    const words = [[10], [11, 101, 102], [12, 103], [13], [14, 104]];
    const known = new Set(words.map((word) => word.join()));
    const blanks = new Set([1, 2, 3].map((length) => Array(length).fill(3).join()));
    let [moved, fewer, blanked] = [0, 0, 0];
    for (const example of numbers(200)) {
      const noisy = addNoise(words.flat(), { shuffle: 3, dropout: 0.2, blank: 0 }, facts, draws(example));
      const parts = noisy.join().split(/,(?=\d\d(?:,|$))/);
      for (const part of parts) expect(known).toContain(part);
      if (parts.length < words.length) fewer++;
      if (noisy[0] !== 10) moved++;
      const hidden = addNoise(words.flat(), { ...none, blank: 0.3 }, facts, draws(example));
      expect(hidden).toHaveLength(9);
      let at = 0;
      for (const word of words) {
        const part = hidden.slice(at, at + word.length).join();
        at += word.length;
        expect(part === word.join() || blanks.has(part)).toBe(true);
        if (part !== word.join()) blanked++;
      }
    }
    expect(moved).toBeGreaterThan(50);
    expect(fewer).toBeGreaterThan(50);
    expect(Math.abs(blanked / 1000 - 0.3)).toBeLessThan(5 * Math.sqrt(0.21 / 1000));
  });

  test('drops before it blanks: a dropped word is never a blank', () => {
    const text = numbers(50).map((at) => 10 + at);
    const lengths = (blank: number) =>
      numbers(100).map(
        (example) => addNoise(text, { ...none, dropout: 0.3, blank }, facts, draws(example)).length,
      );
    expect(lengths(0.9)).toEqual(lengths(0));
  });

  test('leaves an empty text and, with every rate 0, any text as it is', () => {
    expect(addNoise([], { shuffle: 3, dropout: 0.5, blank: 0.5 }, facts, draws(0))).toEqual([]);
    expect(addNoise([10, 101, 12], none, facts, draws(0))).toEqual([10, 101, 12]);
  });

  test('is a function of what is drawn', () => {
    const text = numbers(30).map((at) => 10 + at);
    const options = { shuffle: 3, dropout: 0.1, blank: 0.1 };
    const once = addNoise(text, options, facts, draws(5));
    expect(addNoise(text, options, facts, draws(5))).toEqual(once);
    expect(addNoise(text, options, facts, draws(6))).not.toEqual(once);
  });
});
