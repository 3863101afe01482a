import { describe, expect, it } from 'vitest';
import { commonPlaces, lcsLength } from './longestCommon.js';
import { wordDifferences } from './report/differences.js';
import { rouge } from './rouge.js';
import { sentenceTer } from './ter.js';

/** Numbers 0 to below, the same in every run (Numerical Recipes' generator). */
function drawer(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** The whole table, and the path through it that rouge-score takes. */
function byTable(a: readonly string[], b: readonly string[]): [number, number[], number[]] {
  const table = [b.map(() => 0).concat(0)];
  for (const [i, word] of a.entries()) {
    const row = [0];
    for (const [j, other] of b.entries())
      row.push(word === other ? table[i][j] + 1 : Math.max(table[i][j + 1], row[j]));
    table.push(row);
  }
  const [inA, inB] = [a.map(() => 0), b.map(() => 0)];
  for (let i = a.length, j = b.length; i > 0 && j > 0; ) {
    if (a[i - 1] === b[j - 1]) {
      inA[--i] = 1;
      inB[--j] = 1;
    } else if (table[i][j - 1] > table[i - 1][j]) j--;
    else i--;
  }
  return [table[a.length][b.length], inA, inB];
}

describe('longest common subsequences', () => {
  it('are those of the plain table, place by place', () => {
    const draw = drawer(7);
    for (let time = 0; time < 3000; time++) {
      const kinds = 1 + draw(6);
      const words = () => Array.from({ length: draw(time % 50 === 0 ? 300 : 50) }, () => `w${draw(kinds)}`);
      const [a, b] = [words(), words()];
      const [length, inA, inB] = byTable(a, b);
      expect(lcsLength(a, b)).toBe(length);
      const [left, right] = commonPlaces(a, b);
      expect([[...left], [...right]]).toEqual([inA, inB]);
    }
  });
});

/* Tables of these lines would have 10^10 places. */
describe('one line of 100,000 words', () => {
  const draw = drawer(3);
  const reference = Array.from({ length: 100_000 }, () => `w${draw(5000)}`);
  const hypothesis = reference.map((word, at) => (at % 10 === 0 ? `x${at}` : word));
  const [left, right] = [hypothesis.join(' '), reference.join(' ')];

  it('has the ROUGE of the words that are the same', () => {
    const { scores } = rouge([left], [[right]], { types: ['rougeL', 'rougeLsum'] });
    expect(scores.rougeL?.fmeasure).toBeCloseTo(0.9, 10);
    expect(scores.rougeLsum?.fmeasure).toBeCloseTo(0.9, 10);
  }, 120_000);

  it('is compared word by word', () => {
    const [pieces] = wordDifferences(left, right);
    expect(pieces).toHaveLength(20_000);
    expect(pieces.filter(({ common }) => !common).map(({ text }) => text)).toEqual(
      hypothesis.filter((word) => word.startsWith('x')),
    );
  }, 120_000);

  it('has the TER of the words that were replaced', () => {
    expect(sentenceTer(left, [right]).score).toBeCloseTo(10, 6);
  }, 240_000);
});
