import { z } from 'zod';
import { PolybeamError } from '../src/errors.js';
import { requireList, requireObject, requireText } from '../src/inputs.js';
import type { LineStatistics } from './lineStatistics.js';
import { lcsLength, unionLcsHits } from './longestCommon.js';
import { clippedMatches } from './ngrams.js';
import { readOptions } from './options.js';
import { porterStem } from './porterStemmer.js';
import type { RougeOptions } from './rouge.types.js';
import { makeRougeSignature, type Score } from './score.js';
import { pairSegments, type Reference } from './segments.js';

export type { RougeOptions };

/** `rouge1` to `rouge9`: n-grams; `rougeL`: longest common subsequence; `rougeLsum`: the same sentence by sentence. */
export type RougeType = `rouge${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 'L' | 'Lsum'}`;

const rougeTypes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 'L', 'Lsum'].map((kind) => `rouge${kind}`) as [
  RougeType,
  ...RougeType[],
];

/** Options of ROUGE; the defaults are those of Google's rouge-score, with the types that papers report. */
export const rougeOptionsSchema = z.strictObject({
  types: z
    .array(z.enum(rougeTypes))
    .min(1)
    .default(['rouge1', 'rouge2', 'rougeL', 'rougeLsum'])
    .describe('What to compute: rouge1 to rouge9, rougeL, rougeLsum.'),
  stemmer: z.boolean().default(false).describe('Compare the stems of words longer than 3 letters (Porter).'),
  sentenceSeparator: z
    .string()
    .min(1)
    .default('\n')
    .describe('Separator of the sentences of a text, for rougeLsum; the other types read it as a blank.'),
});

/** Precision, recall and their harmonic mean, 0..1. */
export interface RougeValue {
  /** Share of the hypothesis that the reference has. */
  precision: number;
  /** Share of the reference that the hypothesis has. */
  recall: number;
  /** 2PR / (P + R), 0 where both are 0. */
  fmeasure: number;
}

/** ROUGE of a corpus. */
export interface RougeResult {
  /** The mean over lines of each type that was asked for. */
  scores: { [type in RougeType]?: RougeValue };
  /** Each line's values, in the order of the lines: what intervals and tests are computed from. */
  lines: { [type in RougeType]?: RougeValue[] };
  /** Number of references and options, in the form of sacreBLEU's signatures. */
  signature: string;
}

/**
 * ROUGE (Lin 2004), equal to Google's rouge-score 0.1.2. Text is lower-cased; letters a-z and digits make words, and all
 * else separates them: text in other scripts has no words and scores 0. Of several references each line and type uses
 * the one with the best F.
 *
 * @param hypotheses one text per line, not tokenized; sentences within one are separated by line feeds (or
 *   `sentenceSeparator`), which only rougeLsum looks at
 * @param references one list per reference, `references[r][line]`; a line may lack some (null)
 * @throws INPUT_INVALID for missing or unpaired lines; OPTION_UNKNOWN, OPTION_INVALID
 */
export function rouge(
  hypotheses: readonly string[],
  references: readonly (readonly Reference[])[],
  options: RougeOptions = {},
): RougeResult {
  const { types, stemmer, sentenceSeparator } = readOptions(rougeOptionsSchema, options, 'ROUGE');
  if (new Set(types).size < types.length) {
    throw new PolybeamError('OPTION_INVALID', `types of ROUGE has ${types.join(', ')}: name each type once.`);
  }
  const paired = pairSegments(hypotheses, references);
  const prepare = preparation(types, stemmer, sentenceSeparator);
  const lines: RougeResult['lines'] = {};
  for (const type of types) lines[type] = [];
  for (const segment of paired.segments) {
    const hypothesis = prepare(segment.hypothesis);
    const prepared = segment.references.map(prepare);
    for (const type of types) lines[type]!.push(bestValue(type, hypothesis, prepared));
  }
  const scores: RougeResult['scores'] = {};
  for (const type of types) scores[type] = meanValue(lines[type]!);
  return { scores, lines, signature: makeRougeSignature(paired.references, stemmer) };
}

/** A type's mean F of a corpus as a score beside BLEU's: named `ROUGE-1`, `ROUGE-L` and so on, in percent. */
export function rougeScore(result: RougeResult, type: RougeType): Score {
  requireObject(result, 'result', 'the values that rouge gives');
  requireObject(result.scores, 'result.scores', 'the values that rouge gives');
  requireText(type, 'type');
  const { scores, signature } = result;
  const value = scores[type];
  if (!value) {
    const known = Object.keys(scores).join(', ');
    throw new PolybeamError('OPTION_INVALID', `${type} was not computed: choose from ${known}.`);
  }
  return { name: `ROUGE-${type.slice('rouge'.length)}`, score: 100 * value.fmeasure, signature };
}

/** F of each line, for intervals and tests of `rougeScore`. */
export function rougeStatistics(result: RougeResult, type: RougeType): LineStatistics {
  const { name } = rougeScore(result, type);
  return {
    name,
    higherIsBetter: true,
    rows: result.lines[type]!.map(({ fmeasure }) => [fmeasure, 1]),
    score: (sums) => (100 * sums[0]) / sums[1],
    signature: (...fields) => {
      const [references, ...rest] = result.signature.split('|');
      return [references, ...fields.map((field) => field.join(':')), ...rest].join('|');
    },
  };
}

/** A text's words, and those of each sentence where a type needs them. */
interface PreparedText {
  words: string[];
  sentences: string[][];
}

function preparation(
  types: readonly RougeType[],
  stemmer: boolean,
  separator: string,
): (text: string) => PreparedText {
  const stems = new Map<string, string>();
  const stem = (word: string) => {
    let known = stems.get(word);
    if (known === undefined) {
      known = porterStem(word);
      stems.set(word, known);
    }
    return known;
  };
  const tokenize = (text: string) => tokenizeRouge(text, stemmer ? stem : undefined);
  const needWords = types.some((type) => type !== 'rougeLsum');
  const needSentences = types.includes('rougeLsum');
  return (text) => {
    const sentences = text.split(separator);
    return {
      words: needWords ? tokenize(sentences.join('\n')) : [],
      sentences: needSentences ? sentences.map(tokenize) : [],
    };
  };
}

/**
 * The words that ROUGE compares: runs of the ASCII letters and digits of the lower-cased text.
 *
 * @param stem applied to words of more than 3 letters
 */
export function tokenizeRouge(text: string, stem?: (word: string) => string): string[] {
  requireText(text, 'text');
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return stem ? words.map((word) => (word.length > 3 ? stem(word) : word)) : words;
}

/**
 * A warning where texts have letters but none of a to z, of which alone ROUGE makes words: one scores 0 even against itself (or what
 * its digits score).
 *
 * @returns a sentence; undefined where there is no such text
 */
export function rougeScriptWarning(texts: readonly Reference[]): string | undefined {
  requireList(texts, 'texts', 'texts');
  const all = texts.filter((text) => typeof text === 'string' && /\p{L}/u.test(text)) as string[];
  const foreign = all.filter((text) => !/[a-z]/.test(text.toLowerCase())).length;
  if (foreign === 0) return undefined;
  return (
    `ROUGE makes words of the letters a to z and of digits alone, as rouge-score does, and ${foreign} of ${all.length} references with letters ` +
    'have none of these letters: they score 0 even against themselves. chrF compares text in any script.'
  );
}

/** The value against the reference with the highest F, the first of equals. */
function bestValue(
  type: RougeType,
  hypothesis: PreparedText,
  references: readonly PreparedText[],
): RougeValue {
  let best = compare(type, hypothesis, references[0]);
  for (const reference of references.slice(1)) {
    const value = compare(type, hypothesis, reference);
    if (value.fmeasure > best.fmeasure) best = value;
  }
  return best;
}

function compare(type: RougeType, hypothesis: PreparedText, reference: PreparedText): RougeValue {
  if (type === 'rougeL') {
    const { words } = hypothesis;
    return ratios(lcsLength(reference.words, words), words.length, reference.words.length);
  }
  if (type === 'rougeLsum') {
    const hits = unionLcsHits(reference.sentences, hypothesis.sentences);
    return ratios(hits, totalLength(hypothesis.sentences), totalLength(reference.sentences));
  }
  const n = Number(type.slice('rouge'.length));
  const matched = clippedMatches(hypothesis.words, [reference.words], n)[n - 1];
  const count = ({ words }: PreparedText) => Math.max(0, words.length - n + 1);
  return ratios(matched, count(hypothesis), count(reference));
}

function totalLength(sentences: readonly (readonly string[])[]): number {
  return sentences.reduce((sum, words) => sum + words.length, 0);
}

function ratios(matched: number, inHypothesis: number, inReference: number): RougeValue {
  const precision = matched / Math.max(1, inHypothesis);
  const recall = matched / Math.max(1, inReference);
  const sum = precision + recall;
  return { precision, recall, fmeasure: sum > 0 ? (2 * precision * recall) / sum : 0 };
}

function meanValue(values: readonly RougeValue[]): RougeValue {
  const mean = (key: keyof RougeValue) => values.reduce((sum, value) => sum + value[key], 0) / values.length;
  return { precision: mean('precision'), recall: mean('recall'), fmeasure: mean('fmeasure') };
}
