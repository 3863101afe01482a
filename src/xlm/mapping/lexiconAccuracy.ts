import { z } from 'zod';
import { readOptions } from '../../../eval/options.js';
import type { Device } from '../../engine/program.js';
import { PolybeamError } from '../../errors.js';
import { requireList } from '../../inputs.js';
import { gatherRows, normalizeRows, rowsOf, type VectorRows } from '../vectors/vectorRows.js';
import { requireVectors, type WordVectors } from '../vectors/wordVectors.js';
import type { DictionaryEntry } from './dictionaryFile.js';
import { halfMeans } from './dictionaryInduction.js';
import type { LexiconOptions } from './lexiconAccuracy.types.js';
import { createVectorPrograms, type Nearest, type VectorPrograms } from './vectorPrograms.js';

export type { LexiconOptions };

/** Options of measuring mapped vectors by a dictionary. */
export const lexiconOptionsSchema = z.strictObject({
  precisionAt: z
    .array(z.coerce.number<number>().int().min(1))
    .min(1)
    .default([1, 5])
    .describe(
      'Values of k for precision at k: numbers of nearest words that are searched for a translation of the dictionary.',
    ),
  retrieval: z
    .enum(['csls', 'cosine'])
    .default('csls')
    .describe(
      'Similarity for nearest neighbours: CSLS (cross-domain similarity local scaling) or the cosine.',
    ),
  neighborhood: z.int().min(1).default(10).describe('Number of nearest neighbours in CSLS.'),
  mostFrequent: z
    .int()
    .min(1)
    .optional()
    .describe('Number of source words to test, from the first. Default: all words of the dictionary.'),
  wordsOnly: z.boolean().default(false).describe('Leave n-grams of several words out of both languages.'),
  lowercase: z.boolean().default(false).describe('Lower-case the dictionary.'),
  device: z.string().default('cpu').describe('Device for matrix products: cpu, webgpu, cuda or tfjs:NAME.'),
  threads: z.int().min(1).optional().describe('Threads on the CPU. Default: all cores.'),
});

/** How well the nearest words of mapped vectors are those of a dictionary. */
export interface LexiconAccuracy {
  /** By length of the list: share of words that have a translation in it. */
  precision: Record<number, number>;
  /** Share of the dictionary's words that were asked for: those with a vector, and a vector of a translation. */
  coverage: number;
  /** How many that are. */
  words: number;
}

/**
 * Precision at k of the nearest target words of each source word that a dictionary translates; any of its translations is right
 * (as Conneau et al. 2018 measure it). Words without a vector count for the coverage alone.
 * @param dictionary its lower-casing is up to who reads it
 * @throws INPUT_INVALID where no word can be asked for, or the sizes differ; OPTION_UNKNOWN, OPTION_INVALID
 */
export async function lexiconAccuracy(
  source: WordVectors,
  target: WordVectors,
  dictionary: readonly DictionaryEntry[],
  options: LexiconOptions = {},
): Promise<LexiconAccuracy> {
  requireVectors(source, 'source');
  requireVectors(target, 'target');
  requireList(dictionary, 'dictionary', 'pairs of a word and its translation');
  const resolved = readOptions(lexiconOptionsSchema, options, 'evaluate lexicon');
  if (source.size !== target.size) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `The source's vectors have ${source.size} features and the target's ${target.size}: give two files of one mapping.`,
    );
  }
  const { wordsOnly, mostFrequent } = resolved;
  const [from, to] = [source, target].map((vectors) => candidates(vectors, wordsOnly));
  const { questions, asked } = questionsOf(from, to, dictionary, mostFrequent);
  if (questions.size === 0) {
    throw new PolybeamError(
      'INPUT_INVALID',
      'No word of the dictionary has a vector, and a translation with one: check its languages, their order, and capital letters (lowercase).',
    );
  }
  const programs = createVectorPrograms({ device: resolved.device as Device, threads: resolved.threads });
  try {
    const nearest = await retrieve(programs, from.rows, to.rows, [...questions.keys()], resolved);
    return {
      precision: Object.fromEntries(
        resolved.precisionAt.map((length) => [length, precisionAt(length, nearest, [...questions.values()])]),
      ),
      coverage: questions.size / asked,
      words: questions.size,
    };
  } finally {
    await programs.release();
  }
}

interface Candidates {
  /** [words]: place in `rows` */
  places: Map<string, number>;
  /** Of length 1. */
  rows: VectorRows;
}

function candidates(vectors: WordVectors, wordsOnly: boolean): Candidates {
  const kept = vectors.words
    .map((word, at) => ({ word, at }))
    .filter(({ word }) => !(wordsOnly && word.includes(' ')));
  const rows = gatherRows(
    rowsOf(vectors),
    kept.map(({ at }) => at),
  );
  return {
    places: new Map(kept.map(({ word }, place) => [word, place])),
    rows: normalizeRows(rows, ['unit']),
  };
}

/** The right answers for each source word that can be asked for, and how many words the dictionary has. */
function questionsOf(
  source: Candidates,
  target: Candidates,
  dictionary: readonly DictionaryEntry[],
  mostFrequent = Number.POSITIVE_INFINITY,
): { questions: Map<number, Set<number>>; asked: number } {
  const questions = new Map<number, Set<number>>();
  const words = new Set<string>();
  for (const [word, translation] of dictionary) {
    const [from, to] = [source.places.get(word), target.places.get(translation)];
    if (from !== undefined && from >= mostFrequent) continue;
    words.add(word);
    if (from === undefined || to === undefined) continue;
    questions.set(from, (questions.get(from) ?? new Set()).add(to));
  }
  return { questions, asked: words.size };
}

async function retrieve(
  programs: VectorPrograms,
  source: VectorRows,
  target: VectorRows,
  words: number[],
  { retrieval, neighborhood, precisionAt: lengths }: z.output<typeof lexiconOptionsSchema>,
): Promise<Nearest> {
  const penalties =
    retrieval === 'csls' ? halfMeans(await programs.nearest(target, source, neighborhood)) : undefined;
  return programs.nearest(gatherRows(source, words), target, Math.max(...lengths), penalties);
}

function precisionAt(length: number, { count, indices }: Nearest, answers: readonly Set<number>[]): number {
  const right = answers.filter((set, row) =>
    indices.subarray(row * count, row * count + Math.min(count, length)).some((at) => set.has(at)),
  );
  return right.length / answers.length;
}
