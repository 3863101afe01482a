import { expect, test } from 'vitest';
import '../../node.js';
import type { VectorRows } from '../vectors/vectorRows.js';
import { createMarginSearch } from './margin.js';

/** Vectors of length 1, from a generator of their own. */
function randomUnits(count: number, size: number, seed: number): VectorRows {
  let state = seed;
  const values = Float32Array.from({ length: count * size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.4;
  });
  for (let row = 0; row < count; row++) {
    const own = values.subarray(row * size, (row + 1) * size);
    const length = Math.hypot(...own);
    own.forEach((value, at) => {
      own[at] = value / length;
    });
  }
  return { count, size, values };
}

const rowOf = ({ size, values }: VectorRows, row: number) => values.subarray(row * size, (row + 1) * size);
const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, at) => sum + value * b[at], 0);

/** The definition: every cosine, sorted. */
function plainMargins(
  x: VectorRows,
  y: VectorRows,
  k: number,
): { means: number[]; ranked: [number, number][][] } {
  const all = (rows: VectorRows) => Array.from({ length: rows.count }, (_, row) => rowOf(rows, row));
  const mean = (one: Float32Array, others: VectorRows) => {
    const nearest = all(others)
      .map((other) => cosine(one, other))
      .sort((a, b) => b - a)
      .slice(0, k);
    return nearest.reduce((sum, value) => sum + value, 0) / nearest.length;
  };
  const means = all(x).map((one) => mean(one, y));
  const otherMeans = all(y).map((one) => mean(one, x));
  const ranked = all(x).map((one, row) =>
    all(y)
      .map((other, place): [number, number] => [
        place,
        cosine(one, other) / (means[row] / 2 + otherMeans[place] / 2),
      ])
      .sort((a, b) => b[1] - a[1]),
  );
  return { means, ranked };
}

test.each([
  ['all at once', 1 << 24, 'cpu' as const],
  ['row by row', 1, 'cpu' as const],
  ['in chunks of 5', 115, 'cpu' as const],
  ['without a graph', 115, 'tfjs:cpu' as const],
])('matches are those of the definition, %s', async (_, elements, device) => {
  const [x, y] = [randomUnits(37, 6, 1), randomUnits(23, 6, 2)];
  const { means, ranked } = plainMargins(x, y, 3);
  const search = createMarginSearch({ device }, elements);
  const near = await search.neighborhood(y, x, 3);
  const rowsDone: number[] = [];
  const found = await search.best(x, y, near.means, 3, 4, (rows) => void rowsDone.push(rows));
  await search.release();
  expect(rowsDone).toEqual([...new Set(rowsDone)].sort((a, b) => a - b));
  expect(rowsDone.at(-1)).toBe(37);
  expect([found.width, found.places.length]).toEqual([4, 37 * 4]);
  for (let row = 0; row < 37; row++) {
    const wanted = ranked[row].slice(0, 4);
    expect([...found.places.subarray(4 * row, 4 * row + 4)]).toEqual(wanted.map(([place]) => place));
    wanted.forEach(([, margin], rank) => {
      expect(found.margins[4 * row + rank]).toBeCloseTo(margin, 4);
    });
    expect(found.means[row]).toBeCloseTo(means[row], 5);
    const cosines = Array.from({ length: 23 }, (__, place) => cosine(rowOf(x, row), rowOf(y, place)));
    expect(found.nearest[row]).toBe(cosines.indexOf(Math.max(...cosines)));
  }
});

test('of equal ones the first goes first, and there are no more matches than others', async () => {
  const x: VectorRows = { count: 1, size: 2, values: Float32Array.of(1, 0) };
  const y: VectorRows = { count: 3, size: 2, values: Float32Array.of(0, 1, 1, 0, 1, 0) };
  const search = createMarginSearch({});
  const near = await search.neighborhood(y, x, 5);
  expect([...near.means]).toEqual([0, 1, 1]);
  const { width, places, margins, nearest } = await search.best(x, y, near.means, 5, 10);
  await search.release();
  expect([width, ...places, nearest[0]]).toEqual([3, 1, 2, 0, 1]);
  // By hand: 1 over half of 2/3 and half of 1.
  expect(margins[0]).toBeCloseTo(6 / 5, 5);
  expect(margins[2]).toBe(0);
});

test('a hub loses to what is near to little else', async () => {
  const at = (degrees: number) => [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const rows = (...angles: number[]): VectorRows => ({
    count: angles.length,
    size: 2,
    values: Float32Array.from(angles.flatMap(at)),
  });
  // Place 0 lies amid the sources; place 1 is a little farther from the first source, and far from the others.
  const [x, y] = [rows(0, 16, 20), rows(12, -14)];
  const search = createMarginSearch({});
  const { means } = await search.neighborhood(y, x, 2);
  const { places, nearest } = await search.best(x, y, means, 2, 1);
  await search.release();
  expect([nearest[0], places[0]]).toEqual([0, 1]);
});
