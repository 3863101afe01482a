import { z } from 'zod';
import { readOptions } from '../../../eval/options.js';
import { PolybeamError } from '../../errors.js';
import { requireFunction, requireObjects } from '../../inputs.js';
import type { Texts } from '../texts.js';
import { ngramJoiner } from '../words.js';
import type { Ngram } from './ngrams.js';
import { type SkipGramProgress, type SkipGramSettings, skipGramTrainer } from './skipGram.js';
import type { VectorTrainingOptions } from './trainVectors.types.js';
import { type CutOptions, type Units, unitLines, unitsOf, type WordIds, wordIdsOf } from './units.js';
import type { WordVectors } from './wordVectors.js';

export type { VectorTrainingOptions };

/** Options of training vectors. */
export const vectorOptionsSchema = z.strictObject({
  size: z.int().min(1).default(300).describe('Dimension of the vectors.'),
  window: z
    .int()
    .min(1)
    .default(5)
    .describe(
      'Maximum number of words or n-grams on each side that a word or n-gram predicts; the number is drawn for each.',
    ),
  negatives: z.int().min(1).default(10).describe('Negative samples for each word.'),
  epochs: z
    .int()
    .min(1)
    .default(5)
    .describe('Number of passes over the texts; each splits them into n-grams anew.'),
  join: z
    .number()
    .min(0)
    .max(1)
    .default(0.3)
    .describe('Probability that the words of an n-gram become one token at an occurrence.'),
  minSubword: z
    .int()
    .min(1)
    .default(3)
    .describe('Minimum length of subwords in characters (fastText: minn).'),
  maxSubword: z
    .int()
    .min(0)
    .default(6)
    .describe('Maximum length of subwords in characters (fastText: maxn); 0 for no subwords.'),
  buckets: z
    .int()
    .min(1)
    .default(200_000)
    .describe('Number of hash buckets of subword vectors (fastText: bucket).'),
  learningRate: z
    .number()
    .positive()
    .default(0.05)
    .describe('Learning rate at the beginning; it falls linearly to 0.'),
  sample: z
    .number()
    .positive()
    .default(1e-4)
    .describe(
      'Subsampling threshold: words with a larger share of the text are left out at random, more frequent ones more often; 1 for none (fastText: t).',
    ),
  seed: z.int().min(0).max(2147483647).default(1).describe('Seed of the random numbers.'),
  lowercase: z.boolean().default(false).describe('Lower-case the texts, as for the n-grams.'),
});

type ResolvedOptions = z.output<typeof vectorOptionsSchema>;

/** What a run of training is told beside its options. */
export interface VectorTrainingRun {
  onProgress?: (progress: { texts: number } | SkipGramProgress) => void;
  /** Ends training with ABORTED. */
  signal?: AbortSignal;
}

/** Vectors, and what has none. */
export interface TrainedVectors {
  /** In the order of the n-grams that were given. */
  vectors: WordVectors;
  /** Words and n-grams that the texts do not have, or never by themselves. */
  unseen: string[];
}

/**
 * Trains vectors of words and n-grams by skip-gram with negative sampling and parts of words (Bojanowski et al. 2017), with fastText
 * compiled to WebAssembly. Each time a text is met it is cut into units at random: words that make an n-gram are one unit with
 * probability `join`. An n-gram thus predicts the words around it, and is predicted by them, as its words are at other times
 * (Artetxe et al. 2018, "Unsupervised Statistical Machine Translation", section 3.1, let n-grams and words predict the same contexts).
 * The same texts, n-grams and options give the same vectors.
 *
 * @param ngrams - as `chooseNgrams` gives them
 * @throws OPTION_INVALID, OPTION_UNKNOWN, OPTION_CONFLICT; INPUT_INVALID for n-grams that cannot be used or are not in the texts;
 *   RUNTIME_MISSING where no trainer was set; TRAINING_DIVERGED; ABORTED
 */
export async function trainVectors(
  texts: Texts,
  ngrams: readonly Ngram[],
  given: VectorTrainingOptions = {},
  { onProgress, signal }: VectorTrainingRun = {},
): Promise<TrainedVectors> {
  requireFunction(texts, 'texts');
  requireObjects(ngrams, 'ngrams', 'n-grams');
  const options = resolveVectorOptions(given);
  const train = skipGramTrainer();
  if (!train) {
    throw new PolybeamError(
      'RUNTIME_MISSING',
      'Nothing is set that trains vectors: import polybeam in Node, or call setSkipGramTrainer() with a trainer of your own.',
    );
  }
  const { units, words } = await unitsIn(texts, ngrams, options, onProgress);
  const settings = fastTextSettings(options);
  requireMemory(units, settings);
  const { values, known } = await train(
    { words, units, cut: cutOptions(options), settings },
    { onProgress, signal },
  );
  return keepKnown(ngrams, values, known, options.size);
}

/**
 * The texts as `trainVectors` shows them to fastText, `epochs` times over, for the fastText program itself:
 * `fasttext skipgram -epoch 1 -minCount 1`.
 * @throws as `trainVectors`
 */
export async function vectorTexts(
  texts: Texts,
  ngrams: readonly Ngram[],
  given: VectorTrainingOptions = {},
  onProgress?: VectorTrainingRun['onProgress'],
): Promise<Generator<Uint8Array>> {
  requireFunction(texts, 'texts');
  requireObjects(ngrams, 'ngrams', 'n-grams');
  const options = resolveVectorOptions(given);
  const { units, words } = await unitsIn(texts, ngrams, options, onProgress);
  return unitLines(words, units, cutOptions(options));
}

/** Checks options before anything is read. @throws OPTION_INVALID, OPTION_UNKNOWN, OPTION_CONFLICT */
export function resolveVectorOptions(given: VectorTrainingOptions): ResolvedOptions {
  const options = readOptions(vectorOptionsSchema, given, 'the training of vectors');
  if (options.maxSubword > 0 && options.minSubword > options.maxSubword) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `minSubword ${options.minSubword} is larger than maxSubword ${options.maxSubword}: lower it, or set maxSubword 0 for no parts.`,
    );
  }
  return options;
}

function cutOptions({ epochs, join, seed }: ResolvedOptions): CutOptions {
  return { epochs, join, seed };
}

function fastTextSettings(options: ResolvedOptions): SkipGramSettings {
  const parts = options.maxSubword > 0;
  return {
    dim: options.size,
    ws: options.window,
    neg: options.negatives,
    lr: options.learningRate,
    t: options.sample,
    minn: parts ? options.minSubword : 0,
    maxn: options.maxSubword,
    bucket: parts ? options.buckets : 1,
    seed: options.seed,
  };
}

async function unitsIn(
  texts: Texts,
  ngrams: readonly Ngram[],
  { lowercase }: ResolvedOptions,
  onProgress?: VectorTrainingRun['onProgress'],
): Promise<{ units: Units; words: WordIds }> {
  requireNgrams(ngrams);
  const { units, idOf } = unitsOf(ngrams, (words) => words.join(ngramJoiner));
  const words = await wordIdsOf(texts, idOf, lowercase, (done) => onProgress?.({ texts: done }));
  if (words.some((word) => word >= 0)) return { units, words };
  throw new PolybeamError(
    'INPUT_INVALID',
    words.length === 0
      ? 'The texts are empty: give text to train vectors on.'
      : `No word of the texts is in one of the ${ngrams.length} n-grams: give n-grams of the same language, with the same lowercase.`,
  );
}

function requireNgrams(ngrams: readonly Ngram[]): void {
  const seen = new Set<string>();
  for (const { text } of ngrams) {
    const fault = text.includes(ngramJoiner)
      ? `has ${ngramJoiner}, the sign that joins words in files of vectors`
      : seen.has(text)
        ? 'is listed twice'
        : undefined;
    if (fault) throw new PolybeamError('INPUT_INVALID', `The n-gram "${text}" ${fault}: leave it out.`);
    seen.add(text);
  }
  if (ngrams.length === 0) {
    throw new PolybeamError(
      'INPUT_INVALID',
      'There is no n-gram to train a vector for: choose some with chooseNgrams().',
    );
  }
}

const mebibyte = 2 ** 20;

/** Refuses what the 2 GiB of the WebAssembly program do not hold, before anything is computed. */
function requireMemory({ spellings }: Units, { dim, bucket, minn, maxn }: SkipGramSettings): void {
  let parts = 0;
  for (const spelling of spellings) {
    for (let length = minn; length > 0 && length <= maxn; length++) {
      parts += Math.max(0, spelling.length + 3 - length);
    }
  }
  // Its tables of words (30 million places) and of negatives (10 million), 100 bytes a word, and the vectors of input and output.
  const tables = (30e6 + 10e6) * 4;
  const bytes = tables + spellings.length * 100 + parts * 8 + (2 * (spellings.length + 1) + bucket) * dim * 4;
  if (bytes <= 2 ** 31 - 64 * mebibyte) return;
  throw new PolybeamError(
    'OPTION_INVALID',
    `${spellings.length} words and n-grams of size ${dim} with ${bucket} buckets need ${Math.ceil(bytes / mebibyte)} MiB, and the ` +
      'WebAssembly program has 2048: lower size or buckets, choose fewer n-grams, or give the fastText program the texts that ' +
      'vectorTexts() (--write-texts) makes.',
  );
}

function keepKnown(
  ngrams: readonly Ngram[],
  values: Float32Array,
  known: Uint8Array,
  size: number,
): TrainedVectors {
  const rows = [...known.keys()].filter((row) => known[row] === 1);
  const kept = new Float32Array(rows.length * size);
  rows.forEach((row, at) => {
    kept.set(values.subarray(row * size, (row + 1) * size), at * size);
  });
  if (kept.some((value) => !Number.isFinite(value))) {
    throw new PolybeamError(
      'TRAINING_DIVERGED',
      'The training of vectors diverged: its numbers became infinite; lower learningRate.',
    );
  }
  return {
    vectors: { words: rows.map((row) => ngrams[row].text), size, values: kept },
    unseen: ngrams.filter((_, row) => known[row] === 0).map(({ text }) => text),
  };
}
