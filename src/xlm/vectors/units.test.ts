import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Ngram } from './ngrams.js';
import { unitLines, unitsOf, wordIdsOf } from './units.js';

const listOf = (...texts: string[]): Ngram[] => texts.map((text) => ({ text, count: 1, score: 0 }));

async function cut(texts: string[], ngrams: Ngram[], join: number, epochs = 1, seed = 1) {
  const { units, idOf } = unitsOf(ngrams, (words) => words.join('_'));
  const words = await wordIdsOf(() => [texts], idOf, true);
  const bytes = Buffer.concat([...unitLines(words, units, { epochs, join, seed })]);
  return bytes.toString().split('\n').slice(0, -1);
}

describe('texts cut into units', () => {
  const ngrams = listOf('the', 'red', 'car', 'red car', 'the red car', 'new york');

  test('never joined, they are their words, without those that are no units', async () => {
    const lines = await cut(['The red car, stops', 'in New York', 'car'], ngrams, 0);
    expect(lines).toEqual(['the red car', 'car']);
  });

  test('always joined, they have n-grams wherever one begins', async () => {
    const lines = await cut(['new york', 'red car red car', 'york new'], ngrams, 1);
    expect(lines).toEqual(['new_york', 'red_car red_car']);
  });

  test('no n-gram reaches across a word that is no unit, or from text to text', async () => {
    const lines = await cut(['the nice red', 'car'], listOf('the', 'red', 'car', 'the red', 'red car'), 1);
    expect(lines).toEqual(['the red', 'car']);
  });

  test('each epoch cuts anew, in all ways there are, and a seed cuts the same', async () => {
    const lines = await cut(['the red car'], ngrams, 0.5, 200);
    const ways = ['red_car', 'the red car', 'the red_car', 'the_red_car'];
    expect([...new Set(lines)].sort()).toEqual(ways.slice(1));
    const share = (line: string) => lines.filter((other) => other === line).length / 200;
    // At "the": joined with 1/2; else at "red" again.
    expect(Math.abs(share('the_red_car') - 0.5)).toBeLessThan(0.1);
    expect(share('the red_car')).toBeGreaterThan(0.15);
    expect(share('the red_car')).toBeLessThan(0.35);
    expect(await cut(['the red car'], ngrams, 0.5, 200)).toEqual(lines);
    expect(await cut(['the red car'], ngrams, 0.5, 200, 2)).not.toEqual(lines);
  });

  test('units put together again are the text, however long it is', async () => {
    const word = fc.constantFrom('the', 'red', 'car');
    const text = fc.array(word, { minLength: 1, maxLength: 40 }).map((words) => words.join(' '));
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 30 }), async (texts) => {
        const lines = await cut(texts, ngrams, 0.5, 2);
        expect(lines.map((line) => line.replaceAll('_', ' '))).toEqual([...texts, ...texts]);
      }),
      { numRuns: 30 },
    );
    const long = Array.from({ length: 30_000 }, (_, at) => ['the', 'red', 'car'][at % 3]).join(' ');
    const lines = await cut([long, 'car', long], ngrams, 0.5);
    expect(lines.map((line) => line.replaceAll('_', ' '))).toEqual([long, 'car', long]);
  });
});
