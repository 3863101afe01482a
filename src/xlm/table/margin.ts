import * as tf from '@tensorflow/tfjs-core';
import { compile } from '../../engine/compile.js';
import type { CompileOptions, Signature, Tensors } from '../../engine/program.js';
import { createPrograms } from '../../engine/programs.js';
import { floats, integers, type Value } from '../../engine/values.js';
import { sliceRows, type VectorRows } from '../vectors/vectorRows.js';

/*
 * Margins (Artetxe and Schwenk 2019, "Margin-based parallel corpus mining with multilingual sentence embeddings", section 3, with
 * the ratio as margin): the cosine of two vectors, divided by how near to each of them its nearest neighbors on the other side are,
 * on average. What is near to everything (a hub) gets no high margin with anything.
 *
 * Which target has the best margin with a source is known when the mean of every target is: similarities are computed twice, since a
 * matrix of all of them is never in memory. All that is chosen is chosen inside the program.
 */

/** How near the nearest vectors of the other side are. */
export interface Neighborhood {
  /** Mean cosine of the nearest. [rows] */
  means: Float32Array;
  /** Place of the nearest one. [rows] */
  nearest: Int32Array;
}

/** The others with the highest margins, of each row; the higher first, of equal ones the lower place. */
export interface MarginMatches {
  /** Fewer than asked for where there are fewer others. */
  width: number;
  /** [rows, width] */
  places: Int32Array;
  /** [rows, width] */
  margins: Float32Array;
}

/** What searches for margins among vectors of length 1, or 0. */
export interface MarginSearch {
  /**
   * @param neighbors that the mean is taken over; fewer where there are fewer others
   * @param afterChunk told how many rows are done, between two chunks; waited for
   */
  neighborhood(
    rows: VectorRows,
    others: VectorRows,
    neighbors: number,
    afterChunk?: AfterChunk,
  ): Promise<Neighborhood>;
  /**
   * @param otherMeans of `neighborhood(others, rows)`
   * @param width matches of each row
   */
  best(
    rows: VectorRows,
    others: VectorRows,
    otherMeans: Float32Array,
    neighbors: number,
    width: number,
    afterChunk?: AfterChunk,
  ): Promise<MarginMatches & Neighborhood>;
  /** Frees what was compiled. */
  release(): Promise<void>;
}

type AfterChunk = (rows: number) => void | Promise<void>;

/** Cosines of a chunk: 32 MB. */
const chunkElements = 1 << 23;

/** A mean cosine below this counts as this: vectors that have nothing near have no ratio. */
const smallestMean = 1e-6;

const signature: Signature = {
  rows: { type: 'float32', shape: ['rows', 'size'] },
  others: { type: 'float32', shape: ['others', 'size'] },
};

/**
 * A search whose programs are compiled when they are first used.
 * @param elements cosines computed at once, at most, but always those of one row
 */
export function createMarginSearch(
  options: Pick<CompileOptions, 'device' | 'threads'>,
  elements = chunkElements,
): MarginSearch {
  const programs = createPrograms();
  const programFor = (key: string, fn: (inputs: Tensors) => Tensors, inputs: Signature) =>
    programs.get(key, () => compile(fn, inputs, options));
  return {
    neighborhood: async (rows, others, neighbors, afterChunk) => {
      const k = Math.min(neighbors, others.count);
      const program = await programFor(`means of ${k}`, (inputs) => nearestOf(cosines(inputs), k), signature);
      const found = emptyNeighborhood(rows.count);
      for (const { from, until, chunk } of chunks(rows, others.count, elements)) {
        await program.run({ rows: chunk, others: matrixOf(others) }, neighborhoodRows(found, from, until));
        await afterChunk?.(until);
      }
      return found;
    },
    best: async (rows, others, otherMeans, neighbors, width, afterChunk) => {
      const k = Math.min(neighbors, others.count);
      const kept = Math.min(width, others.count);
      const program = await programFor(`${kept} best of ${k}`, (inputs) => bestOf(inputs, k, kept), {
        ...signature,
        otherMeans: { type: 'float32', shape: ['others'] },
      });
      const found = {
        ...emptyNeighborhood(rows.count),
        width: kept,
        places: new Int32Array(rows.count * kept),
        margins: new Float32Array(rows.count * kept),
      };
      const constant = { others: matrixOf(others), otherMeans: floats([others.count], otherMeans) };
      for (const { from, until, chunk } of chunks(rows, others.count, elements)) {
        const shape = [until - from, kept];
        await program.run(
          { rows: chunk, ...constant },
          {
            ...neighborhoodRows(found, from, until),
            places: integers(shape, found.places.subarray(from * kept, until * kept)),
            margins: floats(shape, found.margins.subarray(from * kept, until * kept)),
          },
        );
        await afterChunk?.(until);
      }
      return found;
    },
    release: programs.release,
  };
}

/** [rows, others] */
function cosines({ rows, others }: Tensors): tf.Tensor2D {
  return tf.matMul(rows as tf.Tensor2D, others as tf.Tensor2D, false, true);
}

/** Outputs: `means` [rows] of the `k` largest, and the place of the largest, `nearest` [rows, 1]. */
function nearestOf(similarities: tf.Tensor2D, k: number): Tensors {
  const { values, indices } = tf.topk(similarities, k, true);
  return { means: tf.mean(values, 1), nearest: tf.slice(indices, [0, 0], [-1, 1]) };
}

/** Outputs: those of `nearestOf`, and `places` and `margins` [rows, width]. */
function bestOf(inputs: Tensors, k: number, width: number): Tensors {
  const similarities = cosines(inputs);
  const neighborhood = nearestOf(similarities, k);
  const half = (means: tf.Tensor) => tf.mul(tf.maximum(means, smallestMean), 0.5);
  const scale = tf.add(tf.expandDims(half(neighborhood.means), 1), tf.expandDims(half(inputs.otherMeans), 0));
  const { values, indices } = tf.topk(tf.div(similarities, scale), width, true);
  return { ...neighborhood, margins: values, places: indices };
}

function matrixOf({ count, size, values }: VectorRows): Value {
  return floats([count, size], values);
}

/** Rows in order, so many at a time that the cosines with all others take little memory. */
export function* chunks(
  rows: VectorRows,
  others: number,
  elements = chunkElements,
): Generator<{ from: number; until: number; chunk: Value }> {
  const step = Math.max(1, Math.floor(elements / others));
  for (let from = 0; from < rows.count; from += step) {
    const until = Math.min(rows.count, from + step);
    yield { from, until, chunk: matrixOf(sliceRows(rows, from, until)) };
  }
}

function emptyNeighborhood(rows: number): Neighborhood {
  return { means: new Float32Array(rows), nearest: new Int32Array(rows) };
}

/** Where a program writes the neighborhood of a chunk. */
function neighborhoodRows({ means, nearest }: Neighborhood, from: number, until: number) {
  return {
    means: floats([until - from], means.subarray(from, until)),
    nearest: integers([until - from, 1], nearest.subarray(from, until)),
  };
}
