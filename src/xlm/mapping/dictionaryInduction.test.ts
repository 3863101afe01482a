import { afterAll, expect, test } from 'vitest';
import '../../../test/support/engine/runtime.js';
import { createDraws } from '../../pretraining/draws.js';
import { normalInit } from '../../training/random.js';
import { normalizeRows, type VectorRows } from '../vectors/vectorRows.js';
import { induceDictionary } from './dictionaryInduction.js';
import { createVectorPrograms } from './vectorPrograms.js';

const programs = createVectorPrograms({ threads: 1 });
afterAll(() => programs.release());

const draw = (name: string, count: number, size: number): VectorRows =>
  normalizeRows({ count, size, values: normalInit(2, name, [count, size], 1) }, ['unit']);

/** [source][target] */
function cosinesOf(source: VectorRows, target: VectorRows): number[][] {
  return Array.from({ length: source.count }, (_, i) =>
    Array.from({ length: target.count }, (_, j) => {
      let sum = 0;
      for (let at = 0; at < source.size; at++) {
        sum += source.values[i * source.size + at] * target.values[j * target.size + at];
      }
      return sum;
    }),
  );
}

/** 2 cos - r - r of all pairs, by the definition. [source][target] */
function csls(source: VectorRows, target: VectorRows, neighborhood: number): number[][] {
  const cosines = cosinesOf(source, target);
  const mean = (values: number[]) =>
    [...values]
      .sort((a, b) => b - a)
      .slice(0, neighborhood)
      .reduce((sum, value) => sum + value, 0) / Math.min(neighborhood, values.length);
  const columns = cosines[0].map((_, j) => mean(cosines.map((row) => row[j])));
  const rows = cosines.map(mean);
  return cosines.map((row, i) => row.map((value, j) => 2 * value - rows[i] - columns[j]));
}

const largest = (values: number[]) => values.indexOf(Math.max(...values));

test('a dictionary has the best of each word by the definition of CSLS, in both directions', async () => {
  const [source, target] = [draw('source', 30, 4), draw('target', 25, 4)];
  const scores = csls(source, target, 3);
  const { pairs, meanBest } = await induceDictionary(programs, source, target, { neighborhood: 3 });
  expect(Array.from(pairs.targets.subarray(0, 30))).toEqual(scores.map(largest));
  expect(Array.from(pairs.sources.subarray(30))).toEqual(
    scores[0].map((_, j) => largest(scores.map((row) => row[j]))),
  );
  expect(Array.from(pairs.sources.subarray(0, 30))).toEqual([...Array(30).keys()]);
  expect(Array.from(pairs.targets.subarray(30))).toEqual([...Array(25).keys()]);
  const highest = cosinesOf(source, target).map((row) => Math.max(...row));
  expect(meanBest.source).toBeCloseTo(highest.reduce((sum, value) => sum + value, 0) / 30, 5);
});

test('of a share of the similarities the r-th best is taken as often as the share says', async () => {
  const [source, target] = [draw('source', 4000, 4), draw('target', 60, 4)];
  const probability = 0.3;
  const { pairs } = await induceDictionary(programs, source, target, {
    neighborhood: 5,
    keep: { probability, draws: createDraws(7, 'test', 0, 0) },
  });
  const scores = csls(source, target, 5);
  const counts = new Float64Array(60);
  for (let row = 0; row < 4000; row++) {
    const chosen = scores[row][pairs.targets[row]];
    counts[scores[row].filter((score) => score > chosen).length]++;
  }
  for (const rank of [0, 1, 2, 5, 9]) {
    const share = probability * (1 - probability) ** rank;
    const deviation = Math.sqrt(share * (1 - share) * 4000);
    expect(Math.abs(counts[rank] - 4000 * share)).toBeLessThan(4 * deviation);
  }
  // Rank 10 or more has the probability 0.7^10; all of them are looked for.
  const beyond = counts.subarray(10).reduce((sum, count) => sum + count, 0);
  expect(Math.abs(beyond - 4000 * 0.7 ** 10)).toBeLessThan(4 * Math.sqrt(4000 * 0.7 ** 10));
});

test('the same draws give the same dictionary, others another', async () => {
  const [source, target] = [draw('source', 50, 4), draw('target', 50, 4)];
  const run = (seed: number) =>
    induceDictionary(programs, source, target, {
      neighborhood: 5,
      keep: { probability: 0.3, draws: createDraws(seed, 'test', 0, 0) },
    });
  expect(await run(1)).toEqual(await run(1));
  expect((await run(1)).pairs).not.toEqual((await run(2)).pairs);
});
