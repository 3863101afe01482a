import { z } from 'zod';
import { requireTexts } from '../src/inputs.js';
import { editDistance } from './editDistance.js';
import type { ErrorRateOptions } from './errorRate.types.js';
import { type LineStatistics, sumRows } from './lineStatistics.js';
import { readOptions } from './options.js';
import { codePoints, splitWords, trim } from './pythonText.js';
import type { Score } from './score.js';
import { pairSegments, type Reference, type Segment } from './segments.js';

export type { ErrorRateOptions };

/** Options of word and character error rates. */
export const errorRateOptionsSchema = z.strictObject({
  lowercase: z.boolean().default(false).describe('Lower-case both sides first.'),
  nfc: z
    .boolean()
    .default(false)
    .describe('Compose both sides first (Unicode NFC), so that é is one character however it was written.'),
});

type ResolvedOptions = z.output<typeof errorRateOptionsSchema>;

/** An error rate with the numbers that it is made of; lower is better, and 100 may be exceeded. */
export interface ErrorRateScore extends Score {
  name: 'WER' | 'CER';
  /** Insertions, deletions and substitutions of all lines. */
  numEdits: number;
  /** Words or characters of the references. */
  refLength: number;
}

type Corpus = [
  hypotheses: readonly string[],
  references: readonly (readonly Reference[])[],
  options?: ErrorRateOptions,
];

/**
 * Corpus word error rate: the edits that turn each hypothesis into its reference, by all words of the references, in percent;
 * equal to jiwer's `wer`. Words stand between blanks, and punctuation is a part of them. Of several references each line
 * uses the one with the lowest rate.
 *
 * @param hypotheses one text per line
 * @param references one list per reference, `references[r][line]`; a line may lack some (null)
 * @throws INPUT_INVALID for missing or unpaired lines; OPTION_UNKNOWN, OPTION_INVALID
 */
export function corpusWer(...corpus: Corpus): ErrorRateScore {
  return scoreOf(werStatistics(...corpus));
}

/**
 * Corpus character error rate, as `corpusWer` but of code points: an emoji is one character, and so is an accent
 * that is not composed with its letter. Blanks within a line count, those at its ends do not; equal to jiwer's `cer`.
 */
export function corpusCer(...corpus: Corpus): ErrorRateScore {
  return scoreOf(cerStatistics(...corpus));
}

/** Edits and words of each line; arguments and errors as `corpusWer`. */
export function werStatistics(...[hypotheses, references, options = {}]: Corpus): LineStatistics {
  return errorStatistics('WER', splitWords, hypotheses, references, options);
}

/** Edits and characters of each line; arguments and errors as `corpusCer`. */
export function cerStatistics(...[hypotheses, references, options = {}]: Corpus): LineStatistics {
  return errorStatistics('CER', (text) => codePoints(trim(text)), hypotheses, references, options);
}

/** Word error rate of one line against its references; options as in `corpusWer`. */
export function sentenceWer(
  hypothesis: string,
  references: readonly string[],
  options: ErrorRateOptions = {},
): ErrorRateScore {
  requireTexts(references, 'references');
  return corpusWer(
    [hypothesis],
    references.map((text) => [text]),
    options,
  );
}

/** Character error rate of one line against its references; options as in `corpusCer`. */
export function sentenceCer(
  hypothesis: string,
  references: readonly string[],
  options: ErrorRateOptions = {},
): ErrorRateScore {
  requireTexts(references, 'references');
  return corpusCer(
    [hypothesis],
    references.map((text) => [text]),
    options,
  );
}

function errorStatistics<T>(
  name: 'WER' | 'CER',
  split: (text: string) => T[],
  hypotheses: readonly string[],
  references: readonly (readonly Reference[])[],
  options: ErrorRateOptions,
): LineStatistics {
  const resolved = readOptions(errorRateOptionsSchema, options, name);
  const paired = pairSegments(hypotheses, references);
  const prepare = (text: string) => split(normalize(text, resolved));
  return {
    name,
    higherIsBetter: false,
    rows: paired.segments.map((segment) => rowOf(segment, prepare)),
    score: (sums) => rate(sums[0], sums[1]),
    signature: (...fields) =>
      [
        ['nrefs', paired.references],
        ...fields,
        ['case', resolved.lowercase ? 'lc' : 'mixed'],
        ['nfc', resolved.nfc ? 'yes' : 'no'],
        ['unit', name === 'WER' ? 'word' : 'code-point'],
      ]
        .map((field) => field.join(':'))
        .join('|'),
  };
}

function scoreOf(statistics: LineStatistics): ErrorRateScore {
  const [numEdits, refLength] = sumRows(statistics.rows);
  return {
    name: statistics.name as ErrorRateScore['name'],
    score: rate(numEdits, refLength),
    signature: statistics.signature(),
    numEdits,
    refLength,
  };
}

function normalize(text: string, { lowercase, nfc }: ResolvedOptions): string {
  const cased = lowercase ? text.toLowerCase() : text;
  return nfc ? cased.normalize('NFC') : cased;
}

/** Edits and length for the reference with the lowest rate, the first of equals. */
function rowOf<T>(segment: Segment, prepare: (text: string) => T[]): [edits: number, length: number] {
  const hypothesis = prepare(segment.hypothesis);
  let best: [number, number] | undefined;
  for (const text of segment.references) {
    const reference = prepare(text);
    const row: [number, number] = [editDistance(hypothesis, reference), reference.length];
    if (!best || rate(...row) < rate(...best)) best = row;
  }
  return best!;
}

/** 100 for words where there should be none. */
function rate(edits: number, length: number): number {
  if (length > 0) return 100 * (edits / length);
  return edits > 0 ? 100 : 0;
}
