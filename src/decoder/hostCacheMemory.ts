import { giveBack, takeFloats } from '../engine/hostMemory.js';
import { type AnyValue, floats, type Value } from '../engine/values.js';
import type { CacheMemory, CacheShape, KeptValues } from './cacheMemory.js';

/** Caches in the host's memory, for programs that compute there. */
export const hostCacheMemory: CacheMemory = {
  zeros: async (names, shape) => Object.fromEntries(names.map((name) => [name, zeros(shape)])),
  place: async (value) => value,
  spread: async (caches, beams, used) =>
    replaced(caches, (cache) => {
      const [rows, heads, capacity, size] = cache.shape;
      return copied(cache, { rows: rows * beams, heads, capacity, size }, used, beams);
    }),
  grow: async (caches, capacity, used) =>
    replaced(caches, (cache) => {
      const [rows, heads, , size] = cache.shape;
      return copied(cache, { rows, heads, capacity, size }, used, 1);
    }),
  keep: async (values, groups, rowsPerGroup) =>
    mapValues(values, (value) => keepGroups(value, groups, rowsPerGroup)),
  release: async () => {},
};

function mapValues(values: Record<string, AnyValue>, change: (value: Value) => Value): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value as Value)]));
}

/** The same, for new values that contain none of the old ones. */
function replaced(caches: KeptValues, change: (value: Value) => Value): Record<string, Value> {
  const values = mapValues(caches, change);
  giveBack(caches);
  return values;
}

/** Zeros, since attention multiplies masked values by 0. */
function zeros({ rows, heads, capacity, size }: CacheShape): Value {
  return floats([rows, heads, capacity, size], takeFloats(rows * heads * capacity * size).fill(0));
}

/** A new cache whose row i * rowsApart begins with the first `used` positions of row i. */
function copied(from: Value, shape: CacheShape, used: number, rowsApart: number): Value {
  const to = zeros(shape);
  const [rows, heads, capacity, size] = from.shape;
  for (let row = 0; row < rows; row++) {
    for (let head = 0; head < heads; head++) {
      const start = (row * heads + head) * capacity * size;
      const at = (row * rowsApart * heads + head) * shape.capacity * size;
      (to.data as Float32Array).set((from.data as Float32Array).subarray(start, start + used * size), at);
    }
  }
  return to;
}

/** Moves the given groups of rows to the front, in place, and returns the shortened value. */
function keepGroups(value: Value, groups: readonly number[], rowsPerGroup: number): Value {
  const rowSize = value.shape.slice(1).reduce((product, size) => product * size, 1);
  const groupSize = rowSize * rowsPerGroup;
  groups.forEach((group, index) => {
    if (group !== index) value.data.copyWithin(index * groupSize, group * groupSize, (group + 1) * groupSize);
  });
  const data = value.data.subarray(0, groups.length * groupSize);
  return { ...value, shape: [groups.length * rowsPerGroup, ...value.shape.slice(1)], data };
}
