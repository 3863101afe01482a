import type { Objective } from '../training/step.js';
import type { TrainBatch, TrainFeed } from '../training/trainStep.js';
import type { Draws } from './draws.js';

/** One piece of text to learn from, and the random numbers that corrupt it this time. */
export interface Example {
  /** Tokens of the text, without special tokens. */
  ids: ArrayLike<number>;
  /** Tokens of the other text where the objective reads pairs. */
  pair?: ArrayLike<number>;
  draws: Draws;
}

/** A pre-training objective made concrete for a model and a vocabulary: text in, batch and loss out. */
export interface PretrainingObjective {
  /** What examples it wants: pieces of running text, or pairs of texts. */
  reads: 'text' | 'pairs';
  /** The loss that is compiled; its inputs are the feeds of `batch`. */
  loss: Objective;
  /** Tokens that it adds to an example's longer side at most, special tokens above all. */
  extraTokens: number;
  /** Whether an example, both sides of a pair, stands in one row. Default: each side has positions of its own. */
  inOneRow?: boolean;
  /** Whether a text of so many tokens (special tokens not counted) is long enough. Default: any is. */
  accepts?(length: number): boolean;
  /** Given all texts that batches will be made of, once, before the first: what it has to know of each. */
  prepare?(texts: readonly ArrayLike<number>[]): Promise<void>;
  /**
   * Corrupts examples and pads them into one batch.
   * @param lengthMultiple padded lengths are multiples of this
   */
  batch(examples: readonly Example[], lengthMultiple: number): TrainBatch;
}

/** Rows of int32 padded to one length. [rows, length] */
export function padRows(
  rows: readonly ArrayLike<number>[],
  fill: number,
  lengthMultiple: number,
  atLeast = 1,
): TrainFeed & { data: Int32Array } {
  const longest = rows.reduce((length, row) => Math.max(length, row.length), atLeast);
  const length = Math.ceil(longest / lengthMultiple) * lengthMultiple;
  const data = new Int32Array(rows.length * length).fill(fill);
  rows.forEach((row, index) => {
    data.set(row, index * length);
  });
  return { dtype: 'int32', shape: [rows.length, length], data };
}

/** A list of int32. [length] */
export function listFeed(values: readonly number[]): TrainFeed {
  return { dtype: 'int32', shape: [values.length], data: Int32Array.from(values) };
}

/** Where rows have tokens: 1 for each of them, padded as `padRows` pads. */
export function onesLike(rows: readonly ArrayLike<number>[]): number[][] {
  return rows.map((row) => new Array<number>(row.length).fill(1));
}
