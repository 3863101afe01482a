import type { WordVectors } from './wordVectors.js';

/** Vectors of equal size, one after the other. */
export interface VectorRows {
  count: number;
  /** Dimension of the vectors. */
  size: number;
  /** [count, size] */
  values: Float32Array;
}

/** What is done to vectors before they are compared: length 1, or a mean of 0 in every feature. */
export type Normalization = 'unit' | 'center';

/** The vectors themselves, in the memory where they lie. */
export function rowsOf({ words, size, values }: WordVectors): VectorRows {
  return { count: words.length, size, values };
}

/** Vectors `from` to `until` - 1, in the memory where they lie. */
export function sliceRows({ size, values }: VectorRows, from: number, until: number): VectorRows {
  return { count: until - from, size, values: values.subarray(from * size, until * size) };
}

/** A copy of the vectors at the given places, in that order. */
export function gatherRows({ size, values }: VectorRows, places: ArrayLike<number>): VectorRows {
  const gathered = new Float32Array(places.length * size);
  for (let row = 0; row < places.length; row++) {
    const from = places[row] * size;
    gathered.set(values.subarray(from, from + size), row * size);
  }
  return { count: places.length, size, values: gathered };
}

/** A copy on which the steps were done one after the other (Artetxe et al. 2016: unit, center, unit). Zeros stay zeros. */
export function normalizeRows(rows: VectorRows, steps: readonly Normalization[]): VectorRows {
  const result = { ...rows, values: rows.values.slice() };
  for (const step of steps) (step === 'unit' ? scaleToUnit : center)(result);
  return result;
}

/** Scales vectors to length 1, where they lie. Zeros stay zeros. */
export function scaleToUnit({ count, size, values }: VectorRows): void {
  for (let row = 0; row < count; row++) {
    let squares = 0;
    for (let at = row * size; at < (row + 1) * size; at++) squares += values[at] * values[at];
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let at = row * size; at < (row + 1) * size; at++) values[at] *= scale;
  }
}

function center({ count, size, values }: VectorRows): void {
  const means = new Float64Array(size);
  for (let at = 0; at < count * size; at++) means[at % size] += values[at];
  for (let feature = 0; feature < size; feature++) means[feature] /= count;
  for (let at = 0; at < count * size; at++) values[at] -= means[at % size];
}
