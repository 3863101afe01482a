import { afterAll, expect, test } from 'vitest';
import '../../../test/support/engine/runtime.js';
import { normalInit } from '../../training/random.js';
import { gatherRows, normalizeRows, sliceRows, type VectorRows } from '../vectors/vectorRows.js';
import { createVectorPrograms } from './vectorPrograms.js';

const programs = createVectorPrograms({ threads: 1 });
afterAll(() => programs.release());

const draw = (name: string, count: number, size: number): VectorRows => ({
  count,
  size,
  values: normalInit(1, name, [count, size], 1),
});
const dot = (a: VectorRows, i: number, b: VectorRows, j: number) =>
  Array.from({ length: a.size }, (_, at) => a.values[i * a.size + at] * b.values[j * b.size + at]).reduce(
    (sum, value) => sum + value,
    0,
  );

/** Keys by falling score, by the definition. */
function ranked(queries: VectorRows, row: number, keys: VectorRows, penalties?: Float32Array) {
  return Array.from({ length: keys.count }, (_, key) => ({
    key,
    score: dot(queries, row, keys, key) - (penalties?.[key] ?? 0),
  })).sort((a, b) => b.score - a.score);
}

test('the nearest are those of all products, with penalties and without', async () => {
  const [queries, keys] = [draw('queries', 7, 5), draw('keys', 23, 5)];
  for (const penalties of [undefined, normalInit(1, 'penalties', [23], 2)]) {
    const { count, indices, scores } = await programs.nearest(queries, keys, 4, penalties);
    for (let row = 0; row < queries.count; row++) {
      const wanted = ranked(queries, row, keys, penalties).slice(0, 4);
      expect(Array.from(indices.subarray(row * count, (row + 1) * count))).toEqual(
        wanted.map(({ key }) => key),
      );
      wanted.forEach(({ score }, at) => {
        expect(scores[row * count + at]).toBeCloseTo(score, 4);
      });
    }
  }
});

test('keys and queries in many blocks give what one block gives, and few keys give few', async () => {
  const small = createVectorPrograms({ threads: 1 }, { rows: 3, keys: 4 });
  const [queries, keys] = [draw('queries', 8, 5), draw('keys', 23, 5)];
  expect(await small.nearest(queries, keys, 6)).toEqual(await programs.nearest(queries, keys, 6));
  expect(await small.multiply(queries, sliceRows(keys, 0, 5))).toEqual(
    await programs.multiply(queries, sliceRows(keys, 0, 5)),
  );
  await small.release();
  const { count, indices } = await programs.nearest(queries, sliceRows(keys, 0, 2), 6);
  expect([count, indices.length]).toEqual([2, 16]);
});

test('products are those of the definition', async () => {
  const [a, b] = [draw('a', 6, 4), draw('b', 6, 4)];
  const all = await programs.products(a, b);
  expect([all.count, all.size]).toEqual([6, 6]);
  expect(all.values[2 * 6 + 5]).toBeCloseTo(dot(a, 2, b, 5), 5);
  const halves = [0, 3].map((from) => [sliceRows(a, from, from + 3), sliceRows(b, from, from + 3)] as const);
  const cross = await programs.crossProduct(halves);
  const column = (rows: VectorRows, at: number) => ({
    count: 1,
    size: rows.count,
    values: Float32Array.from({ length: rows.count }, (_, row) => rows.values[row * rows.size + at]),
  });
  expect(cross.length).toBe(16);
  expect(cross[1 * 4 + 2]).toBeCloseTo(dot(column(a, 1), 0, column(b, 2), 0), 5);
});

test('rows are scaled to length 1, and their features to mean 0; zeros stay zeros', () => {
  const rows = { count: 3, size: 2, values: Float32Array.of(3, 4, 0, 0, 1, 0) };
  const scaled = normalizeRows(rows, ['unit']);
  expect(Array.from(scaled.values, (value) => Number(value.toFixed(6)))).toEqual([0.6, 0.8, 0, 0, 1, 0]);
  const centered = normalizeRows(rows, ['center']);
  for (const feature of [0, 1]) {
    expect([0, 1, 2].reduce((sum, row) => sum + centered.values[row * 2 + feature], 0)).toBeCloseTo(0, 6);
  }
  expect(rows.values[0]).toBe(3);
  expect(Array.from(gatherRows(rows, [2, 0]).values)).toEqual([1, 0, 3, 4]);
});
