import { z } from 'zod';
import { PolybeamError } from '../src/errors.js';
import { requireTexts } from '../src/inputs.js';
import type { ChrfOptions } from './chrf.types.js';
import { type LineStatistics, sumRows } from './lineStatistics.js';
import { clippedMatches } from './ngrams.js';
import { readOptions } from './options.js';
import { codePoints, splitWords } from './pythonText.js';
import { makeSignature, type Score } from './score.js';
import { pairSegments, type Reference, type Segment } from './segments.js';

export type { ChrfOptions };

/** Options of chrF; the defaults are sacreBLEU's: chrF2. */
export const chrfOptionsSchema = z.strictObject({
  charOrder: z.int().nonnegative().default(6).describe('Maximum length of character n-grams.'),
  wordOrder: z.int().nonnegative().default(0).describe('Maximum length of word n-grams; 2 gives chrF++.'),
  beta: z.int().nonnegative().default(2).describe('Weight of recall relative to precision (beta).'),
  lowercase: z.boolean().default(false).describe('Lower-case both sides first.'),
  whitespace: z.boolean().default(false).describe('Count blanks as characters.'),
  epsSmoothing: z
    .boolean()
    .default(false)
    .describe(
      'Average over all orders, as chrF++.py, NLTK and Moses do, instead of only the orders that both sides have.',
    ),
});

type ResolvedOptions = z.output<typeof chrfOptionsSchema>;

/** A chrF score; `name` is `chrF` with beta and a + per word order: `chrF2`, `chrF2++`. */
export interface ChrfScore extends Score {
  charOrder: number;
  wordOrder: number;
  beta: number;
}

/**
 * Corpus chrF (Popović 2015) or chrF++ (Popović 2017; `wordOrder: 2`), equal to sacreBLEU 2.6. Of several references
 * each segment uses the one that scores best.
 *
 * @param hypotheses one line per segment, not tokenized
 * @param references one list per reference translation, `references[r][line]`; a line may lack some (null)
 * @throws INPUT_INVALID for missing or unpaired lines; OPTION_UNKNOWN, OPTION_INVALID
 */
export function corpusChrf(
  hypotheses: readonly string[],
  references: readonly (readonly Reference[])[],
  options: ChrfOptions = {},
): ChrfScore {
  const statistics = chrfStatistics(hypotheses, references, options);
  const { charOrder, wordOrder, beta } = resolveOptions(options);
  return {
    name: statistics.name,
    score: statistics.score(sumRows(statistics.rows)),
    signature: statistics.signature(),
    charOrder,
    wordOrder,
    beta,
  };
}

/** N-gram counts of each line; arguments and errors as `corpusChrf`. */
export function chrfStatistics(
  hypotheses: readonly string[],
  references: readonly (readonly Reference[])[],
  options: ChrfOptions = {},
): LineStatistics {
  const resolved = resolveOptions(options);
  const paired = pairSegments(hypotheses, references);
  return {
    name: `chrF${resolved.beta}${'+'.repeat(resolved.wordOrder)}`,
    higherIsBetter: true,
    // [hypothesis, reference, matched] of each order.
    rows: paired.segments.map((segment) =>
      bestCounts(segment, resolved).flatMap((order) => [order.hypothesis, order.reference, order.matched]),
    ),
    score: (sums) => fScore(readCounts(sums), resolved),
    signature: (...fields) =>
      makeSignature(paired.references, [
        ...fields,
        ['case', resolved.lowercase ? 'lc' : 'mixed'],
        ['eff', resolved.epsSmoothing ? 'no' : 'yes'],
        ['nc', String(resolved.charOrder)],
        ['nw', String(resolved.wordOrder)],
        ['space', resolved.whitespace ? 'yes' : 'no'],
      ]),
  };
}

function readCounts(sums: ArrayLike<number>): OrderCounts[] {
  return Array.from({ length: sums.length / 3 }, (_, n) => ({
    hypothesis: sums[3 * n],
    reference: sums[3 * n + 1],
    matched: sums[3 * n + 2],
  }));
}

/** chrF of one sentence against its reference translations; options as in `corpusChrf`. */
export function sentenceChrf(
  hypothesis: string,
  references: readonly string[],
  options: ChrfOptions = {},
): ChrfScore {
  requireTexts(references, 'references');
  return corpusChrf(
    [hypothesis],
    references.map((text) => [text]),
    options,
  );
}

function resolveOptions(options: ChrfOptions): ResolvedOptions {
  const resolved = readOptions(chrfOptionsSchema, options, 'chrF');
  if (resolved.charOrder + resolved.wordOrder === 0) {
    throw new PolybeamError(
      'OPTION_INVALID',
      'charOrder and wordOrder are both 0: one of them must count something.',
    );
  }
  return resolved;
}

/** N-grams of one order. */
interface OrderCounts {
  hypothesis: number;
  reference: number;
  matched: number;
}

interface Prepared {
  characters: number[];
  words: string[];
}

function prepare(text: string, options: ResolvedOptions): Prepared {
  const cased = options.lowercase ? text.toLowerCase() : text;
  return {
    characters: codePoints(cased, options.whitespace),
    words: options.wordOrder > 0 ? detachPunctuation(cased) : [],
  };
}

/** Counts against the reference that gives the segment its best score, the first of equals. */
function bestCounts(segment: Segment, options: ResolvedOptions): OrderCounts[] {
  const hypothesis = prepare(segment.hypothesis, options);
  let best: OrderCounts[] = [];
  let bestScore = -1;
  for (const text of segment.references) {
    const reference = prepare(text, options);
    const counts = [
      ...countOrders(hypothesis.characters, reference.characters, options.charOrder),
      ...countOrders(hypothesis.words, reference.words, options.wordOrder),
    ];
    if (segment.references.length === 1) return counts;
    const score = fScore(counts, options);
    if (score > bestScore) {
      best = counts;
      bestScore = score;
    }
  }
  return best;
}

function countOrders<T>(hypothesis: readonly T[], reference: readonly T[], orders: number): OrderCounts[] {
  return clippedMatches(hypothesis, [reference], orders).map((matched, n) => {
    const inReference = Math.max(0, reference.length - n);
    // An order that the reference is too short for is no fault of the hypothesis.
    const inHypothesis = inReference > 0 ? Math.max(0, hypothesis.length - n) : 0;
    return { hypothesis: inHypothesis, reference: inReference, matched };
  });
}

/** F-score in percent: of the averages of precision and recall, or with epsSmoothing the average of F-scores. */
function fScore(counts: readonly OrderCounts[], options: ResolvedOptions): number {
  const epsilon = 1e-16;
  const factor = options.beta ** 2;
  let sum = 0;
  let orders = 0;
  let precisions = 0;
  let recalls = 0;
  for (const { hypothesis, reference, matched } of counts) {
    const precision = hypothesis > 0 ? matched / hypothesis : epsilon;
    const recall = reference > 0 ? matched / reference : epsilon;
    const weight = factor * precision + recall;
    sum += weight > 0 ? ((1 + factor) * precision * recall) / weight : epsilon;
    if (hypothesis > 0 && reference > 0) {
      precisions += precision;
      recalls += recall;
      orders++;
    }
  }
  if (options.epsSmoothing) return (100 * sum) / counts.length;
  if (precisions + recalls === 0) return 0;
  precisions /= orders;
  recalls /= orders;
  return 100 * (((1 + factor) * precisions * recalls) / (factor * precisions + recalls));
}

/** Words, with one ASCII punctuation mark cut off each: the last character's, or else the first's. */
function detachPunctuation(text: string): string[] {
  const words: string[] = [];
  for (const word of splitWords(text)) {
    if (word.length === 1) words.push(word);
    else if (isPunctuation(word.charCodeAt(word.length - 1))) words.push(word.slice(0, -1), word.slice(-1));
    else if (isPunctuation(word.charCodeAt(0))) words.push(word[0], word.slice(1));
    else words.push(word);
  }
  return words;
}

/** Python's string.punctuation: every ASCII character that prints and is neither letter nor digit. */
function isPunctuation(code: number): boolean {
  return (
    (code >= 33 && code <= 47) ||
    (code >= 58 && code <= 64) ||
    (code >= 91 && code <= 96) ||
    (code >= 123 && code <= 126)
  );
}
