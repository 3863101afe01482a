import type { CutOptions, Units, WordIds } from './units.js';

/** What a trainer of skip-gram vectors is given: plain data, which may be sent to a worker. */
export interface SkipGramJob {
  /** Texts; the trainer may take the array away. */
  words: WordIds;
  units: Units;
  cut: CutOptions;
  /** Options of fastText, under its own names. */
  settings: SkipGramSettings;
}

/** Options of fastText's skip-gram with negative sampling (Bojanowski et al. 2017), under its own names. */
export interface SkipGramSettings {
  /** Dimension of the vectors. */
  dim: number;
  /** Units to the left and to the right that are predicted, at most. */
  ws: number;
  /** Wrong units for each right one. */
  neg: number;
  lr: number;
  /** Units more frequent than this share of the text are left out at random. */
  t: number;
  /** Lengths of the character n-grams of a unit; both 0 for none. */
  minn: number;
  maxn: number;
  /** Vectors that the character n-grams share, by a hash. */
  bucket: number;
  seed: number;
}

/** How far training is. */
export interface SkipGramProgress {
  /** From 0 to 1. */
  done: number;
  /** Mean loss of the predictions so far. */
  loss: number;
  unitsPerSecond: number;
}

/** Trains vectors of units; `values` is [units, dim], and rows of units that the texts never had are zero. */
export type SkipGramTrainer = (
  job: SkipGramJob,
  options: { onProgress?: (progress: SkipGramProgress) => void; signal?: AbortSignal },
) => Promise<{ values: Float32Array; known: Uint8Array }>;

let current: SkipGramTrainer | undefined;

/** Sets what trains vectors, or that nothing does. The Node entry does it on import. */
export function setSkipGramTrainer(trainer: SkipGramTrainer | undefined): void {
  current = trainer;
}

/** What trains vectors, or undefined where nothing was set. */
export function skipGramTrainer(): SkipGramTrainer | undefined {
  return current;
}
