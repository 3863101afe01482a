import { z } from 'zod';
import { PolybeamError } from '../src/errors.js';
import { requireObject, requireTexts } from '../src/inputs.js';
import { readOptions } from './options.js';
import { quantile } from './quantile.js';
import type { StatisticsOptions } from './textStatistics.types.js';
import { tokenizerFor, tokenizerNames } from './tokenizers.js';

export type { StatisticsOptions };

/** Options of statistics of texts. */
export const statisticsOptionsSchema = z.strictObject({
  tokenize: z
    .string()
    .default('13a')
    .describe(`Tokenizer that splits texts into words, one of BLEU's: ${tokenizerNames.join(', ')}.`),
  caseSensitive: z.boolean().default(false).describe('Distinguish words that differ only in case.'),
  maxNgramOrder: z.int().positive().max(9).default(4).describe('Maximum length of n-grams.'),
});

/** How a quantity is spread over lines; quartiles are interpolated. */
export interface Distribution {
  mean: number;
  /** Of the lines at hand: divided by their number. */
  standardDeviation: number;
  min: number;
  lowerQuartile: number;
  median: number;
  upperQuartile: number;
  max: number;
}

/** What can be said of texts without judging them. N-grams are those within lines; index 0 is order 1. */
export interface TextStatistics {
  lines: number;
  /** Lines without words. */
  emptyLines: number;
  /** Words of each line. [lines] */
  lengths: number[];
  words: Distribution;
  /** Code points of each line. */
  characters: Distribution;
  /**
   * distinct-n (Li et al. 2016): different n-grams / n-grams, of all lines together; 0 where there are none. The
   * paper divides by words for every n; this is the usual form, whose highest value is 1. It falls with the number
   * of lines: compare equal numbers. [maxNgramOrder]
   */
  distinct: number[];
  /**
   * Repetition (seq-rep-n of Welleck et al. 2020): 1 - different n-grams / n-grams of a line, the mean over the lines that
   * have any; 0 where none has. [maxNgramOrder]
   */
  repetition: number[];
  /** With a source: n-grams that the line's source does not have / n-grams, of all lines together (See et al. 2017). [maxNgramOrder] */
  novelty?: number[];
  /** With a source: words of the sources / words of the lines (Grusky et al. 2018, but of all lines together). */
  compression?: number;
  /** With a reference: words of the lines / words of the references. */
  lengthRatio?: number;
}

/**
 * Statistics of generated texts: diversity, repetition, lengths, and how far they go from their sources.
 *
 * @param lines one text per line
 * @param beside `source` is what each line was made from, `reference` what it should have been
 * @throws INPUT_INVALID for no lines or lists of different lengths; OPTION_UNKNOWN, OPTION_INVALID
 */
export function textStatistics(
  lines: readonly string[],
  beside: { source?: readonly string[]; reference?: readonly string[] } = {},
  options: StatisticsOptions = {},
): TextStatistics {
  requireTexts(lines, 'lines');
  requireObject(beside, 'beside', 'source and reference');
  for (const [name, own] of Object.entries(beside)) if (own !== undefined) requireTexts(own, name);
  const { tokenize, caseSensitive, maxNgramOrder } = readOptions(
    statisticsOptionsSchema,
    options,
    'textStatistics',
  );
  checkLengths(lines, beside);
  const split = tokenizerFor(tokenize);
  const wordsOf = (text: string) => split(caseSensitive ? text : text.toLowerCase());
  const words = lines.map(wordsOf);
  const lengths = words.map((line) => line.length);
  const orders = Array.from({ length: maxNgramOrder }, (_, n) => countOrder(words, n + 1));
  const source = beside.source?.map(wordsOf);
  const total = sum(lengths);
  return {
    lines: lines.length,
    emptyLines: lengths.filter((length) => length === 0).length,
    lengths,
    words: distributionOf(lengths),
    characters: distributionOf(lines.map((line) => [...line].length)),
    distinct: orders.map(({ different, all }) => ratio(different, all)),
    repetition: orders.map(({ repetition }) => repetition),
    ...(source && {
      novelty: orders.map((_, n) => novelty(words, source, n + 1)),
      compression: ratio(sum(source.map((line) => line.length)), total),
    }),
    ...(beside.reference && {
      lengthRatio: ratio(total, sum(beside.reference.map((text) => wordsOf(text).length))),
    }),
  };
}

function checkLengths(
  lines: readonly string[],
  beside: { [name: string]: readonly string[] | undefined },
): void {
  if (lines.length === 0) {
    throw new PolybeamError('INPUT_INVALID', 'There are no texts to describe: give at least one line.');
  }
  for (const [name, others] of Object.entries(beside)) {
    if (others && others.length !== lines.length) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `The ${name} has ${others.length} lines and the text has ${lines.length}: every line needs its counterpart.`,
      );
    }
  }
}

/** N-grams of a line as texts; words have no blanks within. */
function ngrams(words: readonly string[], n: number): string[] {
  const found: string[] = [];
  for (let i = 0; i + n <= words.length; i++) found.push(words.slice(i, i + n).join(' '));
  return found;
}

function countOrder(lines: readonly (readonly string[])[], n: number) {
  const kinds = new Set<string>();
  let all = 0;
  let repeated = 0;
  let linesWithSome = 0;
  for (const words of lines) {
    const found = ngrams(words, n);
    if (found.length === 0) continue;
    for (const ngram of found) kinds.add(ngram);
    all += found.length;
    repeated += 1 - new Set(found).size / found.length;
    linesWithSome++;
  }
  return { different: kinds.size, all, repetition: ratio(repeated, linesWithSome) };
}

function novelty(
  lines: readonly (readonly string[])[],
  sources: readonly (readonly string[])[],
  n: number,
): number {
  let all = 0;
  let unseen = 0;
  for (const [i, words] of lines.entries()) {
    const known = new Set(ngrams(sources[i], n));
    for (const ngram of ngrams(words, n)) {
      all++;
      if (!known.has(ngram)) unseen++;
    }
  }
  return ratio(unseen, all);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}

function distributionOf(values: readonly number[]): Distribution {
  const sorted = Float64Array.from(values).sort();
  const mean = sum(values) / values.length;
  const variance = sum(values.map((value) => (value - mean) ** 2)) / values.length;
  return {
    mean,
    standardDeviation: Math.sqrt(variance),
    min: sorted[0],
    lowerQuartile: quantile(sorted, 0.25),
    median: quantile(sorted, 0.5),
    upperQuartile: quantile(sorted, 0.75),
    max: sorted[sorted.length - 1],
  };
}
