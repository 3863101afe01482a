import * as tf from '@tensorflow/tfjs-core';
import { compile } from '../../engine/compile.js';
import type { CompileOptions, Program, Signature, Tensors } from '../../engine/program.js';
import { createPrograms } from '../../engine/programs.js';
import { floats, type Value } from '../../engine/values.js';
import { sliceRows, type VectorRows } from '../vectors/vectorRows.js';

/** The nearest of some vectors, best first. */
export interface Nearest {
  /** Of each query: fewer than asked for where there are fewer keys. */
  count: number;
  /** Places among the keys. [queries, count] */
  indices: Int32Array;
  /** Products, less the key's penalty. [queries, count] */
  scores: Float32Array;
}

/** Products of many vectors, computed in pieces: no matrix of all queries by all keys is ever in memory. */
export interface VectorPrograms {
  /**
   * The keys with the largest product with each query.
   * @param penalties subtracted from what a key scores; default none. [keys]
   */
  nearest(queries: VectorRows, keys: VectorRows, count: number, penalties?: Float32Array): Promise<Nearest>;
  /** rows matrix. @param matrix [size, columns] */
  multiply(rows: VectorRows, matrix: VectorRows): Promise<VectorRows>;
  /** rows others^T: [rows, others]. The result is as large as it looks. */
  products(rows: VectorRows, others: VectorRows): Promise<VectorRows>;
  /**
   * a^T b, summed in double precision over pieces of 1,024 rows.
   * @param pieces pairs of as many rows each
   * @returns [size of a, size of b], row by row
   */
  crossProduct(pieces: Iterable<readonly [VectorRows, VectorRows]>): Promise<Float64Array>;
  /** Frees what was compiled. */
  release(): Promise<void>;
}

/** Rows and keys whose products are computed at once: 64 MB. More rows would be no faster. */
const largestBlock = { rows: 512, keys: 32768 };

const pair = (a: readonly [string, string], b: readonly [string, string]): Signature => ({
  a: { type: 'float32', shape: a },
  b: { type: 'float32', shape: b },
});
const alike = pair(['rows', 'size'], ['keys', 'size']);

/** Programs that are compiled when they are first used. @param block rows and keys at once */
export function createVectorPrograms(
  options: Pick<CompileOptions, 'device' | 'threads'>,
  block = largestBlock,
): VectorPrograms {
  const programs = createPrograms();
  const programFor = (name: string, fn: (inputs: Tensors) => Tensors, signature: Signature) =>
    programs.get(name, () => compile(fn, signature, options));
  const best = (count: number) =>
    programFor(
      `best ${count}`,
      ({ a, b }) => {
        const { values, indices } = tf.topk(tf.matMul(a, b, false, true), count, true);
        return { scores: values, indices };
      },
      alike,
    );
  const multiplication = () =>
    programFor(
      'multiply',
      ({ a, b }) => ({ y: tf.matMul(a, b) }),
      pair(['rows', 'size'], ['size', 'columns']),
    );
  const outer = () => programFor('products', ({ a, b }) => ({ y: tf.matMul(a, b, false, true) }), alike);
  const inner = () =>
    programFor(
      'cross',
      ({ a, b }) => ({ y: tf.matMul(a, b, true) }),
      pair(['rows', 'left'], ['rows', 'right']),
    );
  return {
    nearest: async (queries, keys, count, penalties) => {
      const [rows, others] = penalties ? withPenalties(queries, keys, penalties) : [queries, keys];
      return searchBlocks(rows, others, Math.min(count, keys.count), block, best);
    },
    multiply: async (rows, matrix) => inPieces(await multiplication(), rows, matrix, matrix.size, block.rows),
    products: async (rows, others) => inPieces(await outer(), rows, others, others.count, block.rows),
    crossProduct: async (pieces) => sumOfProducts(await inner(), pieces),
    release: programs.release,
  };
}

function asValue({ count, size, values }: VectorRows): Value {
  return floats([count, size], values);
}

/** One more feature, 1 in queries and less the penalty in keys: the product then has the penalty in it. */
function withPenalties(
  queries: VectorRows,
  keys: VectorRows,
  penalties: Float32Array,
): [VectorRows, VectorRows] {
  return [widen(queries, () => 1), widen(keys, (row) => -penalties[row])];
}

function widen({ count, size, values }: VectorRows, last: (row: number) => number): VectorRows {
  const wider = new Float32Array(count * (size + 1));
  for (let row = 0; row < count; row++) {
    wider.set(values.subarray(row * size, (row + 1) * size), row * (size + 1));
    wider[row * (size + 1) + size] = last(row);
  }
  return { count, size: size + 1, values: wider };
}

async function searchBlocks(
  queries: VectorRows,
  keys: VectorRows,
  count: number,
  block: typeof largestBlock,
  best: (count: number) => Promise<Program>,
): Promise<Nearest> {
  const found: Nearest = {
    count,
    indices: new Int32Array(queries.count * count),
    scores: new Float32Array(queries.count * count).fill(Number.NEGATIVE_INFINITY),
  };
  for (let from = 0; from < keys.count; from += block.keys) {
    const some = sliceRows(keys, from, Math.min(keys.count, from + block.keys));
    const b = asValue(some);
    const width = Math.min(count, some.count);
    const program = await best(width);
    for (let row = 0; row < queries.count; row += block.rows) {
      const piece = sliceRows(queries, row, Math.min(queries.count, row + block.rows));
      const { indices, scores } = await program.run({ a: asValue(piece), b });
      const part = { count: width, indices: indices.data as Int32Array, scores: scores.data as Float32Array };
      for (let at = 0; at < piece.count; at++) mergeRow(found, row + at, part, at, from);
    }
  }
  return found;
}

/** Puts a row of a block's best, sorted, into the best so far, sorted. Of equal ones the first key goes first. */
function mergeRow(found: Nearest, row: number, part: Nearest, at: number, firstKey: number): void {
  const { count, indices, scores } = found;
  const [start, end] = [row * count, (row + 1) * count];
  for (let next = at * part.count; next < (at + 1) * part.count; next++) {
    const score = part.scores[next];
    if (!(score > scores[end - 1])) return;
    let place = end - 1;
    for (; place > start && scores[place - 1] < score; place--) {
      scores[place] = scores[place - 1];
      indices[place] = indices[place - 1];
    }
    scores[place] = score;
    indices[place] = firstKey + part.indices[next];
  }
}

async function inPieces(
  program: Program,
  rows: VectorRows,
  other: VectorRows,
  columns: number,
  step: number,
): Promise<VectorRows> {
  const result = new Float32Array(rows.count * columns);
  const b = asValue(other);
  for (let row = 0; row < rows.count; row += step) {
    const until = Math.min(rows.count, row + step);
    const y = floats([until - row, columns], result.subarray(row * columns, until * columns));
    await program.run({ a: asValue(sliceRows(rows, row, until)), b }, { y });
  }
  return { count: rows.count, size: columns, values: result };
}

async function sumOfProducts(
  program: Program,
  pieces: Iterable<readonly [VectorRows, VectorRows]>,
): Promise<Float64Array> {
  let sum = new Float64Array(0);
  for (const [a, b] of pieces) {
    const { y } = await program.run({ a: asValue(a), b: asValue(b) });
    if (sum.length === 0) sum = Float64Array.from(y.data);
    else for (let at = 0; at < sum.length; at++) sum[at] += y.data[at];
  }
  return sum;
}
