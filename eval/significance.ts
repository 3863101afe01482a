import { z } from 'zod';
import { PolybeamError } from '../src/errors.js';
import { requireList, requireObject, requireObjects } from '../src/inputs.js';
import { type LineStatistics, sumRows } from './lineStatistics.js';
import { numpyRandom } from './numpyRandom.js';
import { readOptions } from './options.js';
import type { Score } from './score.js';
import type { ConfidenceOptions, PairedTestOptions } from './significance.types.js';

export type { ConfidenceOptions, PairedTestOptions };

const seed = z
  .int()
  .nonnegative()
  .max(2 ** 32 - 1)
  .default(12345)
  .describe('Seed of the random numbers; the same seed gives the same result.');

/** Options of a system's own interval; the defaults are those of `sacrebleu --confidence`. */
export const confidenceOptionsSchema = z.strictObject({
  samples: z.int().min(2).max(10_000_000).default(1000).describe('Number of resamples of the lines.'),
  seed,
});

/** Options of tests between systems; the defaults are sacreBLEU's. */
export const pairedTestOptionsSchema = z.strictObject({
  test: z
    .enum(['bootstrap', 'randomization'])
    .default('bootstrap')
    .describe(
      'Paired bootstrap resampling (Koehn 2004) or paired approximate randomization (Riezler and Maxwell 2005).',
    ),
  samples: z
    .int()
    .min(2)
    .max(10_000_000)
    .optional()
    .describe('Resamplings (default 1000) or randomizations (default 10000).'),
  seed,
});

/** The scores of resampled corpora. */
export interface Confidence {
  /** Mean of the scores. */
  mean: number;
  /** Half the width of the 95 % interval, as sacreBLEU prints it: mean ± halfWidth. */
  halfWidth: number;
  /** The interval's ends: the scores with a fortieth of all below and above them. */
  low: number;
  high: number;
}

/** A system beside the baseline. */
export interface PairedResult {
  score: number;
  /** Only of bootstrap resampling. */
  confidence?: Confidence;
  /**
   * How probable a difference as large as this is if both were equally good; undefined for the baseline itself. 1 for a system
   * with the statistics of the baseline on every line, where sacreBLEU gives the least p-value that there is.
   */
  pValue?: number;
}

/**
 * The spread of a score by bootstrap resampling of the lines, with the lines that sacreBLEU draws.
 *
 * @throws OPTION_UNKNOWN, OPTION_INVALID
 */
export function confidenceOf(statistics: LineStatistics, options: ConfidenceOptions = {}): Confidence {
  requireObject(statistics, 'statistics', 'the rows of lines, as bleuStatistics gives it');
  requireList(statistics.rows, 'statistics.rows', 'lists of numbers');
  const resolved = readOptions(confidenceOptionsSchema, options, 'confidenceOf');
  return spread(resample([statistics], resolved.samples, resolved.seed)[0]);
}

/** A score with its interval, and the signature that says so. */
export function withConfidence<S extends Score>(
  score: S,
  statistics: LineStatistics,
  options: ConfidenceOptions = {},
): S & { confidence: Confidence } {
  requireObject(score, 'score', 'a name, a score and a signature');
  requireObject(statistics, 'statistics', 'the rows of lines, as bleuStatistics gives it');
  const resolved = readOptions(confidenceOptionsSchema, options, 'withConfidence');
  return {
    ...score,
    signature: statistics.signature(['bs', String(resolved.samples)], ['seed', String(resolved.seed)]),
    confidence: confidenceOf(statistics, resolved),
  };
}

/**
 * Tests whether systems differ from a baseline, as sacreBLEU's `--paired-bs` and `--paired-ar` do and with the same random
 * numbers.
 *
 * Bootstrap resampling draws lines with replacement, the same for both systems, and asks how often the difference moves away
 * from its mean by more than the difference found. Approximate randomization swaps the systems' outputs line by line by the toss of
 * a coin, and asks how often that makes a larger difference. p = (c + 1) / (samples + 1) for c such times.
 *
 * @param systems the baseline first; statistics of one metric over the same lines
 * @returns a result for each system, in their order
 * @throws INPUT_INVALID for less than two systems, other metrics or unequal lines; OPTION_UNKNOWN, OPTION_INVALID
 */
export function pairedTest(
  systems: readonly LineStatistics[],
  options: PairedTestOptions = {},
): PairedResult[] {
  requireObjects(systems, 'systems', 'statistics, as bleuStatistics gives them');
  for (const [at, { rows }] of systems.entries())
    requireList(rows, `systems[${at}].rows`, 'lists of numbers');
  const resolved = readOptions(pairedTestOptionsSchema, options, 'pairedTest');
  checkSystems(systems);
  const samples = resolved.samples ?? (resolved.test === 'bootstrap' ? 1000 : 10_000);
  const scores = systems.map(({ rows, score }) => score(sumRows(rows)));
  if (resolved.test === 'bootstrap') {
    const resampled = resample(systems, samples, resolved.seed);
    return systems.map((_, i) => ({
      score: scores[i],
      confidence: spread(resampled[i]),
      ...(i > 0 && { pValue: bootstrapP(systems, scores, resampled, i) }),
    }));
  }
  return systems.map((system, i) => ({
    score: scores[i],
    ...(i > 0 && {
      pValue: randomizationP(systems[0], system, Math.abs(scores[0] - scores[i]), samples, resolved.seed),
    }),
  }));
}

/** The fields that a signature gets by a test. */
export function pairedTestFields(options: PairedTestOptions = {}): [string, string][] {
  const { test, samples, seed: chosen } = readOptions(pairedTestOptionsSchema, options, 'pairedTest');
  const field: [string, string] =
    test === 'bootstrap' ? ['bs', String(samples ?? 1000)] : ['ar', String(samples ?? 10_000)];
  return [field, ['seed', String(chosen)]];
}

function checkSystems(systems: readonly LineStatistics[]): void {
  if (systems.length < 2) {
    throw new PolybeamError('INPUT_INVALID', 'A paired test needs a baseline and at least one system.');
  }
  const [{ name, rows }] = systems;
  for (const [i, other] of systems.entries()) {
    if (other.name !== name || other.rows.length !== rows.length) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `System ${i + 1} has ${other.name} of ${other.rows.length} lines and the baseline ${name} of ${rows.length}: ` +
          'compare one metric over the same lines.',
      );
    }
  }
}

/** Scores of resampled corpora, all systems over the same lines. @returns [systems][samples] */
function resample(systems: readonly LineStatistics[], samples: number, from: number): Float64Array[] {
  const random = numpyRandom(from);
  const lines = systems[0].rows.length;
  const sums = systems.map(({ rows }) => new Float64Array(rows[0].length));
  const scores = systems.map(() => new Float64Array(samples));
  for (let sample = 0; sample < samples; sample++) {
    for (const sum of sums) sum.fill(0);
    for (let i = 0; i < lines; i++) {
      const line = random.below(lines);
      for (let s = 0; s < systems.length; s++) add(sums[s], systems[s].rows[line]);
    }
    for (let s = 0; s < systems.length; s++) scores[s][sample] = systems[s].score(sums[s]);
  }
  return scores;
}

function add(sums: Float64Array, row: ArrayLike<number>): void {
  for (let i = 0; i < sums.length; i++) sums[i] += row[i];
}

function spread(scores: Float64Array): Confidence {
  const sorted = scores.slice().sort();
  const outside = Math.floor(sorted.length / 40);
  const [low, high] = [sorted[outside], sorted[sorted.length - outside - 1]];
  return { mean: meanOf(sorted), halfWidth: 0.5 * (high - low), low, high };
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function bootstrapP(
  systems: readonly LineStatistics[],
  scores: readonly number[],
  resampled: readonly Float64Array[],
  i: number,
): number {
  if (sameRows(systems[0], systems[i])) return 1;
  const found = Math.abs(scores[0] - scores[i]);
  const differences = resampled[i].map((score, sample) => Math.abs(score - resampled[0][sample]));
  const mean = meanOf(differences);
  return pValue(differences, found + mean);
}

function randomizationP(
  baseline: LineStatistics,
  system: LineStatistics,
  found: number,
  trials: number,
  from: number,
): number {
  if (sameRows(baseline, system)) return 1;
  const draw = numpyRandom(from).bits();
  const lines = baseline.rows.length;
  const bits = new Uint8Array(lines);
  const one = new Float64Array(baseline.rows[0].length);
  const other = one.slice();
  const differences = new Float64Array(trials);
  for (let trial = 0; trial < trials; trial++) {
    draw(bits);
    one.fill(0);
    other.fill(0);
    for (let i = 0; i < lines; i++) {
      add(one, (bits[i] ? baseline : system).rows[i]);
      add(other, (bits[i] ? system : baseline).rows[i]);
    }
    differences[trial] = Math.abs(baseline.score(one) - system.score(other));
  }
  return pValue(differences, found);
}

/** Share of the values above the limit, with one more on either side so that it is never 0 (William and Morgan). */
function pValue(values: Float64Array, limit: number): number {
  let above = 0;
  for (const value of values) if (value > limit) above++;
  return (above + 1) / (values.length + 1);
}

function sameRows(a: LineStatistics, b: LineStatistics): boolean {
  return a.rows.every((row, line) => Array.from(row).every((value, i) => value === b.rows[line][i]));
}
