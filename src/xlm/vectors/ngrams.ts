import { z } from 'zod';
import { readOptions } from '../../../eval/options.js';
import { PolybeamError } from '../../errors.js';
import { fileAccess } from '../../files.js';
import { requireFunction, requireObjects, requireText } from '../../inputs.js';
import { type Texts, textsOf } from '../texts.js';
import { ngramJoiner } from '../words.js';
import { type CountProgress, countNgrams, countWords, type WordCounts } from './countNgrams.js';
import type { NgramOptions } from './ngrams.types.js';

export type { NgramOptions };

/** Options of choosing n-grams. */
export const ngramOptionsSchema = z.strictObject({
  limits: z
    .array(z.int().min(1))
    .min(1)
    .max(6)
    .default([200000, 400000, 400000])
    .describe(
      'Maximum numbers of words, bigrams, trigrams and so on: a number for each length, the last one for the longest n-grams.',
    ),
  minCount: z.int().min(1).default(5).describe('Minimum count of words and n-grams.'),
  rank: z
    .enum(['pmi', 'count'])
    .default('pmi')
    .describe(
      'Which n-grams are kept if there are more than limits: those with the highest pointwise mutual information, or the most frequent. ' +
        'Words are always chosen by frequency.',
    ),
  discount: z
    .number()
    .min(0)
    .optional()
    .describe(
      'Subtracted from the counts of n-grams before their mutual information is computed, which lowers it for words that are adjacent by chance. ' +
        'Default minCount - 1.',
    ),
  minScore: z
    .number()
    .default(0)
    .describe('Minimum pointwise mutual information of n-grams; 0 is the value of independent words.'),
  punctuation: z
    .enum(['none', 'inner', 'all'])
    .default('inner')
    .describe(
      'Characters other than letters and digits in n-grams: none; apostrophes and hyphens between words (t - shirt); or any. ' +
        'Each such character is a word.',
    ),
  lowercase: z.boolean().default(false).describe('Lower-case the texts.'),
  tableSize: z
    .int()
    .min(1000)
    .default(8_000_000)
    .describe(
      'Maximum number of different words or n-grams counted in one pass over the texts, about 30 bytes each (100 for words). If there are ' +
        'more, there are more passes; counts stay exact.',
    ),
});

/** A word or n-gram of a vocabulary. */
export interface Ngram {
  /** Its words, with one space between them. */
  text: string;
  /** How often it occurs, also within longer ones. */
  count: number;
  /** Pointwise mutual information, natural logarithm; 0 for a word. */
  score: number;
}

type ResolvedOptions = z.output<typeof ngramOptionsSchema> & { discount: number };

/**
 * Chooses the words and n-grams that get vectors of their own. Words are the most frequent ones; n-grams are ranked by pointwise mutual
 * information as in Mikolov et al. 2013 (equation 6), for n words: ln((count - discount) tokens^(n-1) / product of the words' counts).
 * Counts are exact, and memory is bounded by `tableSize` and `limits`, not by the texts.
 *
 * @returns most frequent first, equally frequent ones by code units
 * @throws OPTION_INVALID, OPTION_UNKNOWN; INPUT_INVALID where there is no word, or none that is frequent enough
 */
export async function chooseNgrams(
  texts: Texts,
  given: NgramOptions = {},
  onProgress?: CountProgress,
): Promise<Ngram[]> {
  requireFunction(texts, 'texts');
  const options = resolveNgramOptions(given);
  const words = await countWords(texts, options, onProgress);
  requireWords(words, options.minCount);
  const kinds = words.words.map((word) => kindOf(word, options.punctuation));
  const places = words.words.flatMap((word, id) => (kinds[id] === 'border' ? [] : [[word, id] as const]));
  const chosen = options.limits.map((limit) => new BestNgrams(limit, options));
  await countNgrams(
    texts,
    new Map(places),
    options.limits.length,
    options,
    (ids, count) => {
      if (kinds[ids[0]] !== 'word' || kinds[ids[ids.length - 1]] !== 'word') return;
      chosen[ids.length - 1].offer(describe(ids, count, words, options.discount));
    },
    onProgress,
  );
  const single = words.words
    .slice(0, options.limits[0])
    .map((text, id) => ({ text, count: words.counts[id], score: 0 }));
  return [...single, ...chosen.slice(1).flatMap((best) => best.take())].sort(byCount);
}

/** Checks options before any text is read. @throws OPTION_INVALID, OPTION_UNKNOWN */
export function resolveNgramOptions(given: NgramOptions): ResolvedOptions {
  const options = readOptions(ngramOptionsSchema, given, 'the choice of n-grams');
  return { ...options, discount: options.discount ?? options.minCount - 1 };
}

/** A word, a mark that may stand inside an n-gram, or what no n-gram has. */
type WordKind = 'word' | 'mark' | 'border';

function kindOf(word: string, punctuation: ResolvedOptions['punctuation']): WordKind {
  if (punctuation === 'all' || /[\p{L}\p{N}]/u.test(word)) return 'word';
  return punctuation === 'inner' && /^['’\-‐]$/.test(word) ? 'mark' : 'border';
}

function describe(ids: Int32Array, count: number, words: WordCounts, discount: number): Ngram {
  let score = Math.log(Math.max(0, count - discount)) + (ids.length - 1) * Math.log(words.tokens);
  for (const id of ids) score -= Math.log(words.counts[id]);
  return { text: Array.from(ids, (id) => words.words[id]).join(' '), count, score };
}

/** Keeps the best of the n-grams that it is offered, and at most twice as many in between. */
class BestNgrams {
  private kept: Ngram[] = [];

  constructor(
    private readonly limit: number,
    private readonly options: ResolvedOptions,
  ) {}

  offer(ngram: Ngram): void {
    if (ngram.score < this.options.minScore || ngram.score === Number.NEGATIVE_INFINITY) return;
    this.kept.push(ngram);
    if (this.kept.length >= 2 * this.limit + 1024) this.kept = this.take();
  }

  take(): Ngram[] {
    return this.kept.sort(this.options.rank === 'pmi' ? byScore : byCount).slice(0, this.limit);
  }
}

function byCount(a: Ngram, b: Ngram): number {
  return b.count - a.count || (a.text < b.text ? -1 : 1);
}

function byScore(a: Ngram, b: Ngram): number {
  return b.score - a.score || byCount(a, b);
}

function requireWords({ words, top }: WordCounts, minCount: number): void {
  if (top === undefined) {
    throw new PolybeamError('INPUT_INVALID', 'The texts hold no word to count: give text.');
  }
  if (words.length > 0) return;
  throw new PolybeamError(
    'INPUT_INVALID',
    `No word occurs ${minCount} times (minCount); the most frequent, "${top.word}", occurs ${top.count} times: ` +
      'lower minCount, or give more text.',
  );
}

/** Writes n-grams as lines `n-gram TAB count TAB score`, in the order given. @throws FILE_WRITE */
export async function writeNgrams(path: string, ngrams: readonly Ngram[]): Promise<void> {
  requireText(path, 'path');
  requireObjects(ngrams, 'ngrams', 'n-grams');
  await fileAccess().writeAtomic(path, ngramLines(ngrams));
}

function* ngramLines(ngrams: readonly Ngram[]): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  const portion = 10000;
  for (let from = 0; from < ngrams.length; from += portion) {
    const lines = ngrams
      .slice(from, from + portion)
      .map(({ text, count, score }) => `${text}\t${count}\t${score.toFixed(6)}\n`);
    yield encoder.encode(lines.join(''));
  }
}

/**
 * Reads n-grams as `writeNgrams` writes them; further columns are left alone, and so count and score may be missing.
 * @throws FILE_NOT_FOUND; FILE_CORRUPT naming the line; INPUT_INVALID for an n-gram with the sign that joins n-grams in files
 */
export async function readNgrams(path: string): Promise<Ngram[]> {
  requireText(path, 'path');
  const ngrams: Ngram[] = [];
  for await (const lines of textsOf([{ path }])()) {
    for (const line of lines) ngrams.push(parseNgram(line, path, ngrams.length + 1));
  }
  if (ngrams.length === 0) {
    throw new PolybeamError('FILE_CORRUPT', `${path} has no n-gram: make it with polybeam xlm ngrams.`);
  }
  return ngrams;
}

function parseNgram(line: string, path: string, number: number): Ngram {
  const [text, count = '0', score = '0'] = line.split('\t');
  const ngram = { text, count: Number(count), score: Number(score) };
  if (text.includes(ngramJoiner)) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `Line ${number} of ${path} has the n-gram "${text}" with ${ngramJoiner}, the sign that joins words in files of vectors: ` +
        'write a space between words, and leave out n-grams with that sign.',
    );
  }
  if (text !== '' && Number.isFinite(ngram.count) && Number.isFinite(ngram.score)) return ngram;
  throw new PolybeamError(
    'FILE_CORRUPT',
    `Line ${number} of ${path} is ${JSON.stringify(line.slice(0, 60))}, not an n-gram, a tab, its count, a tab and its score: ` +
      'correct it, or make the file with polybeam xlm ngrams.',
  );
}
