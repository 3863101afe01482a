import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tiny, tinyFacts } from '../../test/support/pretraining/tinyModel.js';
import { createDraws } from './draws.js';
import { chooseMasked, type MaskChoice, replaceToken } from './masking.js';

const single: MaskChoice = { rate: 0.15, wholeWord: false, ngramShare: 0, maxNgram: 3 };
const text = fc.array(fc.integer({ min: tiny.firstOrdinary, max: tiny.vocabSize - 1 }), {
  minLength: 1,
  maxLength: 80,
});
const draws = fc.integer({ min: 0, max: 1e6 }).map((example) => createDraws(1, 'test', 0, example));

test('replacements come in the shares asked for, random ones from ordinary tokens', () => {
  const numbers = createDraws(5, 'replace', 0, 0);
  const counts = { mask: 0, keep: 0, random: 0 };
  for (let i = 0; i < 20_000; i++) {
    const id = replaceToken(10, { mask: 0.8, keep: 0.1, random: 0.1 }, tinyFacts, numbers);
    expect(id === tiny.mask || id >= tiny.firstOrdinary).toBe(true);
    counts[id === tiny.mask ? 'mask' : id === 10 ? 'keep' : 'random']++;
  }
  // One of 36 random tokens is the token itself; five standard deviations are 280.
  expect(Math.abs(counts.mask - 16_000)).toBeLessThan(280);
  expect(Math.abs(counts.keep - 2000 - 2000 / 36)).toBeLessThan(220);
});

describe('the choice of tokens to predict', () => {
  test('single tokens: exactly the share, at least one, each position as likely', () => {
    fc.assert(
      fc.property(text, draws, (ids, own) => {
        const chosen = chooseMasked(ids, 0, ids.length, single, tinyFacts, own);
        expect(chosen).toHaveLength(Math.max(1, Math.round(ids.length * 0.15)));
        expect(chosen).toEqual([...new Set(chosen)].sort((a, b) => a - b));
      }),
    );
    const counts = new Array<number>(20).fill(0);
    for (let example = 0; example < 4000; example++) {
      const own = createDraws(2, 'places', 0, example);
      for (const at of chooseMasked(new Array(20).fill(10), 0, 20, single, tinyFacts, own)) counts[at]++;
    }
    for (const count of counts) expect(Math.abs(count - 600)).toBeLessThan(120);
  });

  test('stays between its bounds and below its limit', () => {
    fc.assert(
      fc.property(text, draws, fc.integer({ min: 1, max: 4 }), (ids, own, maxPredictions) => {
        const [from, to] = [Math.floor(ids.length / 4), ids.length];
        const choice = { ...single, rate: 0.5, maxPredictions };
        const chosen = chooseMasked(ids, from, to, choice, tinyFacts, own);
        expect(chosen.length).toBeLessThanOrEqual(maxPredictions);
        expect(chosen.every((at) => at >= from && at < to)).toBe(true);
      }),
    );
    expect(chooseMasked([5], 1, 1, single, tinyFacts, createDraws(1, 'none', 0, 0))).toEqual([]);
  });

  test('whole words are chosen whole', () => {
    fc.assert(
      fc.property(text, draws, (ids, own) => {
        const choice = { ...single, rate: 0.4, wholeWord: true };
        const chosen = new Set(chooseMasked(ids, 0, ids.length, choice, tinyFacts, own));
        expect(chosen.size).toBeGreaterThan(0);
        for (let at = 1; at < ids.length; at++) {
          // A token that goes on with a word shares the fate of the token before it.
          if (!tinyFacts.startsWord[ids[at]]) expect(chosen.has(at)).toBe(chosen.has(at - 1));
        }
      }),
    );
  });

  test('n-grams are neighbours of two or three, as often as asked for', () => {
    const choice = { ...single, rate: 0.1, ngramShare: 1, maxNgram: 3 };
    const runs = new Map<number, number>();
    for (let example = 0; example < 3000; example++) {
      const own = createDraws(3, 'ngrams', 0, example);
      const ids = new Array<number>(30).fill(10);
      const chosen = chooseMasked(ids, 0, 30, choice, tinyFacts, own);
      const contiguous = chosen.every((at, i) => i === 0 || at === chosen[i - 1] + 1);
      if (contiguous) runs.set(chosen.length, (runs.get(chosen.length) ?? 0) + 1);
    }
    // Three tokens are wanted: a trigram fits at once, after a bigram no other n-gram does.
    expect([...runs.keys()].sort()).toEqual([2, 3]);
    expect(Math.abs(runs.get(2)! - 1500)).toBeLessThan(200);
  });
});
