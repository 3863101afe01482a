import { expect, test } from 'vitest';
import '../../../test/support/engine/runtime.js';
import { normalInit } from '../../training/random.js';
import type { WordVectors } from '../vectors/wordVectors.js';
import type { DictionaryEntry } from './dictionaryFile.js';
import { lexiconAccuracy } from './lexiconAccuracy.js';

const draw = (name: string, count: number): WordVectors => ({
  words: Array.from({ length: count }, (_, at) => `${name}${at}`),
  size: 3,
  values: normalInit(4, name, [count, 3], 1),
});
const [source, target] = [draw('s', 60), draw('t', 50)];
// Translations are near each other, but not nearest in every case.
target.values.forEach((noise, at) => {
  target.values[at] = source.values[at] + 0.7 * noise;
});
// Two translations of every other word; words and translations without vectors among them.
const dictionary: DictionaryEntry[] = source.words.flatMap((word, at): DictionaryEntry[] =>
  at % 2 === 0
    ? []
    : [
        [word, `t${at % 50}`],
        [word, `t${(at * 11) % 53}`],
        [`none${at}`, 't1'],
      ],
);
dictionary.push(['s0', 'none']);

function cosine(i: number, j: number): number {
  const [a, b] = [source.values.subarray(i * 3, i * 3 + 3), target.values.subarray(j * 3, j * 3 + 3)];
  const dot = (x: Float32Array, y: Float32Array) => x[0] * y[0] + x[1] * y[1] + x[2] * y[2];
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** Share of asked words, those with a translation that has a vector, by sorting all targets by their score. */
function byBruteForce(length: number, asked: readonly number[], penalty: (j: number) => number): number {
  const right = asked.filter((i) => {
    const answers = dictionary.filter(([word]) => word === `s${i}`).map(([, translation]) => translation);
    const order = target.words
      .map((_, j) => j)
      .sort((a, b) => cosine(i, b) - penalty(b) - cosine(i, a) + penalty(a));
    return order.slice(0, length).some((j) => answers.includes(`t${j}`));
  });
  return right.length / asked.length;
}

const odd = source.words.map((_, at) => at).filter((at) => at % 2 === 1);
const hubness = target.words.map((_, j) => {
  const nearest = source.words.map((_, i) => cosine(i, j)).sort((a, b) => b - a);
  return nearest.slice(0, 4).reduce((sum, value) => sum + value, 0) / 8;
});

test('precision at k is that of brute force, with CSLS and by the cosine', async () => {
  const options = { precisionAt: [1, 3, 10], neighborhood: 4, threads: 1 };
  const scaled = await lexiconAccuracy(source, target, dictionary, options);
  const plain = await lexiconAccuracy(source, target, dictionary, { ...options, retrieval: 'cosine' });
  for (const length of [1, 3, 10]) {
    expect(scaled.precision[length]).toBeCloseTo(
      byBruteForce(length, odd, (j) => hubness[j]),
      9,
    );
    expect(plain.precision[length]).toBeCloseTo(
      byBruteForce(length, odd, () => 0),
      9,
    );
  }
  expect(scaled.precision).not.toEqual(plain.precision);
  // 30 words of the dictionary can be asked for; 30 have no vector, and s0 no translation with one.
  expect(scaled).toMatchObject({ words: 30, coverage: 30 / 61 });
});

test('only the most frequent words are asked for, and n-grams left out', async () => {
  const few = await lexiconAccuracy(source, target, dictionary, {
    mostFrequent: 10,
    threads: 1,
    precisionAt: [3],
  });
  expect(few.words).toBe(5);
  const phrases = { ...target, words: target.words.map((word, at) => (at < 40 ? `a ${word}` : word)) };
  const rest = await lexiconAccuracy(source, phrases, dictionary, {
    wordsOnly: true,
    threads: 1,
    precisionAt: [10],
  });
  const answered = odd.filter((at) => at % 50 >= 40 || ((at * 11) % 53 >= 40 && (at * 11) % 53 < 50));
  // The ten that are left are all within the ten nearest.
  expect(rest).toMatchObject({ words: answered.length, precision: { 10: 1 } });
});

test('what nothing can be asked of is refused', async () => {
  await expect(lexiconAccuracy(source, target, [['S1', 't1']])).rejects.toThrow(
    /No word of the dictionary.*lowercase/,
  );
  const wide = { words: ['t1'], size: 4, values: new Float32Array(4) };
  await expect(lexiconAccuracy(source, wide, dictionary)).rejects.toThrow(/3 features and the target's 4/);
  await expect(lexiconAccuracy(source, target, dictionary, { precisionAt: [0] })).rejects.toThrow(
    /precisionAt of/,
  );
});
