import { z } from 'zod';
import { requireList, wrongInput } from '../src/inputs.js';
import type { BootstrapOptions } from './bootstrap.types.js';
import { numpyRandom } from './numpyRandom.js';
import { readOptions } from './options.js';
import { quantile } from './quantile.js';

export type { BootstrapOptions };

/** A mean with the interval that bootstrap resampling gives it. */
export interface Interval {
  low: number;
  /** Median of the resampled means, close to the mean itself. */
  mid: number;
  high: number;
}

/** Options of bootstrap intervals. */
export const bootstrapOptionsSchema = z.strictObject({
  samples: z.int().min(2).max(10_000_000).default(1000).describe('Number of resamples of the lines.'),
  confidence: z.number().gt(0).lt(1).default(0.95).describe('Share of the resampled values in the interval.'),
  seed: z
    .int()
    .nonnegative()
    .max(2 ** 32 - 1)
    .default(12345)
    .describe('Seed of the random numbers; the same seed gives the same interval.'),
});

/**
 * Bootstrap interval of a mean over lines (Efron and Tibshirani 1993; used for ROUGE by Lin 2004), computed as
 * rouge-score's BootstrapAggregator does: percentiles, linearly interpolated, of the means of resampled lines. The random
 * numbers are numpy's newer ones, so that the bounds agree within the noise of resampling.
 *
 * @param columns values of each line, several quantities at once: `columns[quantity][line]`, at least one line. All are
 *   resampled together
 * @returns an interval for each quantity
 * @throws OPTION_UNKNOWN, OPTION_INVALID
 */
export function bootstrapMeans(
  columns: readonly ArrayLike<number>[],
  options: BootstrapOptions = {},
): Interval[] {
  requireList(columns, 'columns', 'lists of numbers');
  const isColumn = (column: unknown) =>
    ArrayBuffer.isView(column) ||
    (Array.isArray(column) && column.every((value) => typeof value === 'number'));
  const bad = columns.findIndex((column) => !isColumn(column));
  if (bad >= 0) throw wrongInput(`columns[${bad}]`, columns[bad], 'give a list of numbers');
  const { samples, confidence, seed } = readOptions(bootstrapOptionsSchema, options, 'bootstrapMeans');
  const lines = columns[0].length;
  const random = numpyRandom(seed);
  const means = columns.map(() => new Float64Array(samples));
  const sums = new Float64Array(columns.length);
  for (let sample = 0; sample < samples; sample++) {
    sums.fill(0);
    for (let i = 0; i < lines; i++) {
      const line = random.below(lines);
      for (let c = 0; c < columns.length; c++) sums[c] += columns[c][line];
    }
    for (let c = 0; c < columns.length; c++) means[c][sample] = sums[c] / lines;
  }
  const tail = (1 - confidence) / 2;
  return means.map((values) => {
    values.sort();
    return {
      low: quantile(values, tail),
      mid: quantile(values, 0.5),
      high: quantile(values, 1 - tail),
    };
  });
}
