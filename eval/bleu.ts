import { z } from 'zod';
import { PolybeamError } from '../src/errors.js';
import { requireTexts } from '../src/inputs.js';
import type { BleuOptions } from './bleu.types.js';
import { type LineStatistics, sumRows } from './lineStatistics.js';
import { clippedMatches } from './ngrams.js';
import { readOptions } from './options.js';
import { formatFixed, trimEnd } from './pythonText.js';
import { makeSignature, type Score } from './score.js';
import { pairSegments, type Reference, type Segment } from './segments.js';
import { tokenizerFor, tokenizerNames } from './tokenizers.js';

export type { BleuOptions };

/** Options of BLEU; the defaults are those of sacreBLEU's corpus BLEU. */
export const bleuOptionsSchema = z.strictObject({
  lowercase: z.boolean().default(false).describe('Lower-case both sides first.'),
  tokenize: z
    .string()
    .default('13a')
    .describe(`Tokenizer of both sides: ${tokenizerNames.join(', ')}.`),
  smoothMethod: z
    .enum(['exp', 'floor', 'add-k', 'none'])
    .default('exp')
    .describe(
      'Smoothing of n-gram orders without a match: exp (halved each time), floor, add-k or none (the score is 0).',
    ),
  smoothValue: z
    .number()
    .nonnegative()
    .optional()
    .describe('The value of floor (default 0.1) or add-k (default 1); refused with the other methods.'),
  maxNgramOrder: z.int().positive().default(4).describe('Maximum length of n-grams.'),
  effectiveOrder: z
    .boolean()
    .default(false)
    .describe('Leave out orders longer than the hypothesis: for scoring single sentences.'),
});

type ResolvedOptions = z.output<typeof bleuOptionsSchema>;

/** BLEU with the numbers that it is made of. */
export interface BleuScore extends Score {
  name: 'BLEU';
  verbose: string;
  /** Matched n-grams per order, k included where the smoothing is add-k. [maxNgramOrder] */
  counts: number[];
  /** N-grams of the hypothesis per order, k included where the smoothing is add-k. [maxNgramOrder] */
  totals: number[];
  /** Smoothed precisions per order, percent. [maxNgramOrder] */
  precisions: number[];
  /** Brevity penalty, 0..1. */
  bp: number;
  /** hypLen / refLen, 0 where the references are empty. */
  ratio: number;
  /** Tokens of the hypothesis. */
  hypLen: number;
  /** Tokens of the references closest in length to each segment. */
  refLen: number;
}

/**
 * Corpus BLEU (Papineni et al. 2002), equal to sacreBLEU 2.6.
 *
 * @param hypotheses one line per segment, not tokenized (unless `tokenize` is 'none')
 * @param references one list per reference translation, `references[r][line]`; a line may lack some (null)
 * @throws INPUT_INVALID for missing or unpaired lines; OPTION_UNKNOWN, OPTION_INVALID, OPTION_CONFLICT
 */
export function corpusBleu(
  hypotheses: readonly string[],
  references: readonly (readonly Reference[])[],
  options: BleuOptions = {},
): BleuScore {
  const { resolved, rows, signature } = segmentRows(hypotheses, references, options);
  return scoreOf(sumRows(rows), resolved, signature());
}

/**
 * BLEU of one sentence. Unlike `corpusBleu`, orders longer than the sentence are left out by default
 * (`effectiveOrder: true`), as in sacreBLEU's sentence_bleu.
 *
 * @param references the sentence's reference translations
 */
export function sentenceBleu(
  hypothesis: string,
  references: readonly string[],
  options: BleuOptions = {},
): BleuScore {
  requireTexts(references, 'references');
  return corpusBleu(
    [hypothesis],
    references.map((text) => [text]),
    { effectiveOrder: true, ...options },
  );
}

/** Lengths and n-gram counts of each line; arguments and errors as `corpusBleu`. */
export function bleuStatistics(
  hypotheses: readonly string[],
  references: readonly (readonly Reference[])[],
  options: BleuOptions = {},
): LineStatistics {
  const { resolved, rows, signature } = segmentRows(hypotheses, references, options);
  return {
    name: 'BLEU',
    higherIsBetter: true,
    rows,
    score: (sums) => scoreOf(sums, resolved, '').score,
    signature,
  };
}

function segmentRows(
  hypotheses: readonly string[],
  references: readonly (readonly Reference[])[],
  options: BleuOptions,
) {
  const resolved = resolveOptions(options);
  const paired = pairSegments(hypotheses, references);
  const prepare = preparation(resolved);
  const rows = paired.segments.map((segment) => rowOf(segment, resolved.maxNgramOrder, prepare));
  const signature: LineStatistics['signature'] = (...fields) =>
    signatureOf(paired.references, fields, resolved);
  return { resolved, rows, signature };
}

function resolveOptions(options: BleuOptions): ResolvedOptions {
  const resolved = readOptions(bleuOptionsSchema, options, 'BLEU');
  if (resolved.smoothValue !== undefined && defaultSmoothValue(resolved.smoothMethod) === undefined) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `smoothValue ${resolved.smoothValue} has no meaning with smoothMethod "${resolved.smoothMethod}": ` +
        'leave it out, or use floor or add-k.',
    );
  }
  return resolved;
}

/** From Chen and Cherry (2014), as in sacreBLEU; undefined for the methods that take no value. */
function defaultSmoothValue(method: ResolvedOptions['smoothMethod']): number | undefined {
  if (method === 'floor') return 0.1;
  return method === 'add-k' ? 1 : undefined;
}

function signatureOf(
  references: number | 'var',
  fields: readonly (readonly [string, string])[],
  options: ResolvedOptions,
): string {
  const value = options.smoothValue ?? defaultSmoothValue(options.smoothMethod);
  const smooth = options.smoothMethod + (value === undefined ? '' : `[${formatFixed(value, 2)}]`);
  return makeSignature(references, [
    ...fields,
    ['case', options.lowercase ? 'lc' : 'mixed'],
    ['eff', options.effectiveOrder ? 'yes' : 'no'],
    ['tok', options.tokenize],
    ['smooth', smooth],
  ]);
}

function preparation(options: ResolvedOptions): (text: string) => string[] {
  const tokenize = tokenizerFor(options.tokenize);
  return (text) => tokenize(trimEnd(options.lowercase ? text.toLowerCase() : text));
}

/** What BLEU depends on, in a row: lengths of hypothesis and reference, matches and n-grams of each order. [2 + 2 orders] */
function rowOf(segment: Segment, maxOrder: number, prepare: (text: string) => string[]): number[] {
  const hypothesis = prepare(segment.hypothesis);
  const references = segment.references.map(prepare);
  const matches = clippedMatches(hypothesis, references, maxOrder);
  const totals = matches.map((_, n) => Math.max(0, hypothesis.length - n));
  return [hypothesis.length, closestLength(hypothesis.length, references), ...matches, ...totals];
}

/** Length of the reference nearest in length, the shorter one where two are equally near. */
function closestLength(length: number, references: readonly (readonly string[])[]): number {
  let best = references[0].length;
  for (const { length: candidate } of references) {
    const nearer = Math.abs(candidate - length) - Math.abs(best - length);
    if (nearer < 0 || (nearer === 0 && candidate < best)) best = candidate;
  }
  return best;
}

/** @param sums of rows. [2 + 2 orders] */
function scoreOf(sums: ArrayLike<number>, options: ResolvedOptions, signature: string): BleuScore {
  const [hypLen, refLen] = [sums[0], sums[1]];
  const bp = hypLen >= refLen ? 1 : hypLen > 0 ? Math.exp(1 - refLen / hypLen) : 0;
  const { score, counts, totals, precisions } = smoothedMean(sums, options);
  const ratio = refLen > 0 ? hypLen / refLen : 0;
  const verbose =
    `${precisions.map((p) => formatFixed(p, 1)).join('/')} (BP = ${formatFixed(bp, 3)} ` +
    `ratio = ${formatFixed(ratio, 3)} hyp_len = ${hypLen} ref_len = ${refLen})`;
  return {
    name: 'BLEU',
    score: bp * score,
    signature,
    verbose,
    counts,
    totals,
    precisions,
    bp,
    ratio,
    hypLen,
    refLen,
  };
}

/** Geometric mean of the smoothed precisions, in percent (Chen and Cherry 2014: none and methods 1 to 3). */
function smoothedMean(sums: ArrayLike<number>, options: ResolvedOptions) {
  const maxOrder = options.maxNgramOrder;
  const counts = Array.from({ length: maxOrder }, (_, n) => sums[2 + n]);
  const totals = Array.from({ length: maxOrder }, (_, n) => sums[2 + maxOrder + n]);
  const precisions = new Array<number>(maxOrder).fill(0);
  if (counts.every((matched) => matched === 0)) return { score: 0, counts, totals, precisions };

  const value = options.smoothValue ?? defaultSmoothValue(options.smoothMethod) ?? 0;
  let halvings = 1;
  let orders = maxOrder;
  for (let n = 0; n < maxOrder; n++) {
    if (options.smoothMethod === 'add-k' && n > 0) {
      counts[n] += value;
      totals[n] += value;
    }
    if (totals[n] === 0) break;
    if (options.effectiveOrder) orders = n + 1;
    if (counts[n] > 0) precisions[n] = (100 * counts[n]) / totals[n];
    else if (options.smoothMethod === 'floor') precisions[n] = (100 * value) / totals[n];
    else if (options.smoothMethod === 'exp') {
      halvings *= 2;
      precisions[n] = 100 / (halvings * totals[n]);
    }
  }
  // A precision of 0 makes the mean 0; log(0) is -Infinity, and exp of that is 0.
  const logSum = precisions.slice(0, orders).reduce((sum, p) => sum + Math.log(p), 0);
  return { score: Math.exp(logSum / orders), counts, totals, precisions };
}
