import { floats, type Value } from '../engine/values.js';

/**
 * Host memory of a decoder's caches. A cache is [rows, heads, capacity, size], rows = batch * beams; it is written by
 * the step program in place, and moved here only when it grows, when beams begin, or when sentences leave.
 */
export interface CacheShape {
  rows: number;
  heads: number;
  capacity: number;
  size: number;
}

/** A cache of zeros. */
export function makeCache({ rows, heads, capacity, size }: CacheShape): Value {
  return floats([rows, heads, capacity, size]);
}

/** How positions are first allotted: prompt and some tokens; a cache doubles when it is full. */
export function firstCapacity(promptLength: number, maxLength: number): number {
  return Math.min(maxLength, promptLength + 31);
}

/** The next capacity of a cache that is full. */
export function nextCapacity(capacity: number, maxLength: number): number {
  return Math.min(maxLength, capacity * 2);
}

/**
 * Copies the first `used` positions of each row into another cache.
 * @param rowAt the row of `to` that row i of `from` becomes
 */
export function copyCache(from: Value, to: Value, used: number, rowAt: (row: number) => number): void {
  const [rows, heads, capacity, size] = from.shape;
  const wider = to.shape[2];
  for (let row = 0; row < rows; row++) {
    for (let head = 0; head < heads; head++) {
      const start = (row * heads + head) * capacity * size;
      const at = (rowAt(row) * heads + head) * wider * size;
      (to.data as Float32Array).set((from.data as Float32Array).subarray(start, start + used * size), at);
    }
  }
}

/**
 * Moves the given groups of rows to the front, in place, and returns the value that is left.
 * @param groups ascending; a group is `rowsPerGroup` rows
 */
export function keepGroups<V extends Value>(value: V, groups: readonly number[], rowsPerGroup: number): V {
  const rowSize = value.shape.slice(1).reduce((product, size) => product * size, 1);
  const groupSize = rowSize * rowsPerGroup;
  groups.forEach((group, index) => {
    if (group !== index) value.data.copyWithin(index * groupSize, group * groupSize, (group + 1) * groupSize);
  });
  const data = value.data.subarray(0, groups.length * groupSize);
  return { ...value, shape: [groups.length * rowsPerGroup, ...value.shape.slice(1)], data };
}
