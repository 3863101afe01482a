import type { Device } from '../engine/program.js';
import { PolybeamError } from '../errors.js';
import { createDraws } from '../pretraining/draws.js';
import { readDictionary } from './dictionaryFile.js';
import { type InductionOptions, induceDictionary, type WordPairs } from './dictionaryInduction.js';
import { orthogonalMap, symmetricMaps } from './linearMaps.js';
import { type MappingOptions, type ResolvedMappingOptions, resolveMappingOptions } from './mappingOptions.js';
import {
  type Agreement,
  agreementOf,
  failedMapping,
  type MappingProgress,
  type MappingReport,
  objectiveOf,
  reportOf,
} from './mappingReport.js';
import { alikePairs, dictionaryPairs, isNumeral, similarityPairs } from './seedDictionaries.js';
import { createVectorPrograms, type VectorPrograms } from './vectorPrograms.js';
import { gatherRows, normalizeRows, rowsOf, sliceRows, type VectorRows } from './vectorRows.js';
import type { WordVectors } from './wordVectors.js';

/** Vectors of two languages in one space. */
export interface Mapping {
  source: WordVectors;
  target: WordVectors;
  /** The dictionary that the last mapping was made from, as places among the words. */
  pairs: WordPairs;
  report: MappingReport;
}

/** What a caller may do while a mapping is learned. */
export interface MappingHooks {
  /** Called after each iteration. */
  onIteration?(progress: MappingProgress): void;
  /** Ends the mapping between two iterations, with its reason. */
  signal?: AbortSignal;
}

/** One language while a mapping is learned. */
interface Side {
  words: readonly string[];
  /** Normalized vectors of all words. */
  rows: VectorRows;
  /** Places of the words that dictionaries are induced over. */
  places: Int32Array;
  /** Their vectors. */
  learned: VectorRows;
}

/**
 * Maps the vectors of two languages into one space without parallel text (Artetxe, Labaka and Agirre, ACL 2018, "A robust
 * self-learning method for fully unsupervised cross-lingual mappings of word embeddings"): a first dictionary, then in turns the
 * rotation that suits the dictionary and the dictionary of nearest neighbours under the rotation, then re-weighting.
 * @throws MAPPING_FAILED unless `keepFailed`; INPUT_INVALID where no pair can be begun with, or the sizes of the vectors differ;
 * OPTION_UNKNOWN, OPTION_INVALID, OPTION_CONFLICT
 */
export async function mapVectors(
  source: WordVectors,
  target: WordVectors,
  options: MappingOptions = {},
  hooks: MappingHooks = {},
): Promise<Mapping> {
  const resolved = resolveMappingOptions(options);
  if (source.size !== target.size) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `The source's vectors have ${source.size} features and the target's ${target.size}: train both with one size.`,
    );
  }
  const programs = createVectorPrograms({ device: resolved.device as Device, threads: resolved.threads });
  try {
    const sides: Sides = [sideOf(source, resolved), sideOf(target, resolved)];
    const seedPairs = await firstPairs(programs, sides, resolved);
    const { pairs, trace, converged } = await learn(programs, sides, seedPairs, resolved, hooks);
    const mapped = await finalVectors(programs, sides, pairs, resolved);
    const agreement = await measure(programs, sides, mapped, resolved);
    const words = { source: sides[0].places.length, target: sides[1].places.length };
    const report = reportOf({ words, seedPairs, trace, converged, agreement }, resolved);
    if (report.problem !== undefined && !resolved.keepFailed) throw failedMapping(report);
    return {
      source: { words: source.words, size: mapped[0].size, values: mapped[0].values },
      target: { words: target.words, size: mapped[1].size, values: mapped[1].values },
      pairs,
      report,
    };
  } finally {
    await programs.release();
  }
}

type Sides = [source: Side, target: Side];

function sideOf(vectors: WordVectors, options: ResolvedMappingOptions): Side {
  const rows = normalizeRows(rowsOf(vectors), options.normalize);
  const places: number[] = [];
  for (let at = 0; at < rows.count && places.length < options.vocabularySize; at++) {
    if (options.learnFromNgrams || !vectors.words[at].includes(' ')) places.push(at);
  }
  if (places.length === 0) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `All ${rows.count} vectors of a language are of n-grams of several words, and dictionaries are induced over words: give vectors of words too, or set learnFromNgrams.`,
    );
  }
  return { words: vectors.words, rows, places: Int32Array.from(places), learned: gatherRows(rows, places) };
}

/** The pairs that are begun with, as places among all words. */
async function firstPairs(
  programs: VectorPrograms,
  [source, target]: Sides,
  options: ResolvedMappingOptions,
): Promise<WordPairs> {
  switch (options.seedDictionary) {
    case 'identical':
      return atLeastOne(alikePairs(source.words, target.words), options);
    case 'numerals':
      return atLeastOne(alikePairs(source.words, target.words, isNumeral), options);
    case 'dictionary': {
      const dictionary = await readDictionary(options.dictionary!);
      return atLeastOne(dictionaryPairs(source.words, target.words, dictionary), options);
    }
    case 'unsupervised': {
      const count = Math.min(options.seedVocabularySize, source.learned.count, target.learned.count);
      const [some, others] = [source, target].map(({ learned }) => sliceRows(learned, 0, count));
      return amongAll(await similarityPairs(programs, some, others, options), source, target);
    }
  }
}

/** Pairs of places among the learned words as places among all. */
function amongAll({ sources, targets }: WordPairs, source: Side, target: Side): WordPairs {
  return {
    sources: sources.map((at) => source.places[at]),
    targets: targets.map((at) => target.places[at]),
  };
}

function atLeastOne(pairs: WordPairs, { seedDictionary, dictionary }: ResolvedMappingOptions): WordPairs {
  if (pairs.sources.length > 0) return pairs;
  const what = {
    identical: 'The languages have no word that is written alike',
    numerals: 'The languages have no number that is written alike',
    dictionary: `No pair of ${dictionary} has a vector on both sides`,
    unsupervised: 'There is no word',
  }[seedDictionary];
  const dictionaryRemedy =
    seedDictionary === 'dictionary'
      ? 'check how its words are spelled, capital letters too'
      : 'give a file of some translations (seedDictionary dictionary)';
  throw new PolybeamError(
    'INPUT_INVALID',
    `${what}, so there is nothing to begin a mapping with: ${dictionaryRemedy}, or take seedDictionary unsupervised.`,
  );
}

/** The dictionary that self-learning ends with, or the first where there is none. */
async function learn(
  programs: VectorPrograms,
  [source, target]: Sides,
  seedPairs: WordPairs,
  options: ResolvedMappingOptions,
  { onIteration, signal }: MappingHooks,
): Promise<{ pairs: WordPairs; trace: MappingProgress[]; converged: boolean }> {
  const trace: MappingProgress[] = [];
  let pairs = seedPairs;
  let keepProbability = options.selfLearning ? options.keepProbability : 1;
  let [best, stalled] = [Number.NEGATIVE_INFINITY, 0];
  for (let iteration = 1; ; iteration++) {
    signal?.throwIfAborted();
    const map = orthogonalMap(await cross(programs, source, target, pairs), source.rows.size);
    if (stalled >= options.patience) {
      if (keepProbability >= 1) return { pairs, trace, converged: true };
      keepProbability = Math.min(1, keepProbability * options.keepGrowth);
      stalled = 0;
    }
    if (iteration > options.maxIterations) return { pairs, trace, converged: false };
    const induced = await induceDictionary(
      programs,
      await programs.multiply(source.learned, map),
      target.learned,
      inductionOptions(options, keepProbability, iteration),
    );
    const objective = objectiveOf(induced);
    trace.push({ iteration, objective, keepProbability });
    onIteration?.(trace[trace.length - 1]);
    if (!options.selfLearning) return { pairs, trace, converged: true };
    stalled++;
    if (objective - best >= options.threshold) [best, stalled] = [objective, 0];
    pairs = amongAll(induced.pairs, source, target);
  }
}

function inductionOptions(
  { neighborhood, seed }: ResolvedMappingOptions,
  probability: number,
  iteration: number,
): InductionOptions {
  if (probability >= 1) return { neighborhood };
  return { neighborhood, keep: { probability, draws: createDraws(seed, 'mapping', 0, iteration) } };
}

/** x^T z over the pairs. */
function cross(
  programs: VectorPrograms,
  source: Side,
  target: Side,
  pairs: WordPairs,
): Promise<Float64Array> {
  return programs.crossProduct(pieces(source.rows, pairs.sources, target.rows, pairs.targets));
}

function* pieces(
  a: VectorRows,
  aPlaces: Int32Array,
  b: VectorRows,
  bPlaces: Int32Array,
): Generator<[VectorRows, VectorRows]> {
  for (let from = 0; from < aPlaces.length; from += 1024) {
    yield [
      gatherRows(a, aPlaces.subarray(from, from + 1024)),
      gatherRows(b, bPlaces.subarray(from, from + 1024)),
    ];
  }
}

/** All vectors of both sides in the common space. */
async function finalVectors(
  programs: VectorPrograms,
  [source, target]: Sides,
  pairs: WordPairs,
  { finalMapping, reweight }: ResolvedMappingOptions,
): Promise<[VectorRows, VectorRows]> {
  const crossProduct = await cross(programs, source, target, pairs);
  const { size } = source.rows;
  if (finalMapping === 'orthogonal') {
    return [await programs.multiply(source.rows, orthogonalMap(crossProduct, size)), target.rows];
  }
  const { sources, targets } = pairs;
  const products = {
    source: await programs.crossProduct(pieces(source.rows, sources, source.rows, sources)),
    target: await programs.crossProduct(pieces(target.rows, targets, target.rows, targets)),
    cross: crossProduct,
  };
  const maps = symmetricMaps(products, size, reweight);
  return [
    await programs.multiply(source.rows, maps.source),
    await programs.multiply(target.rows, maps.target),
  ];
}

/** How the languages agree in the common space. */
async function measure(
  programs: VectorPrograms,
  [source, target]: Sides,
  [mappedSource, mappedTarget]: readonly [VectorRows, VectorRows],
  { neighborhood }: ResolvedMappingOptions,
): Promise<Agreement> {
  const [some, others] = [
    gatherRows(mappedSource, source.places),
    gatherRows(mappedTarget, target.places),
  ].map((rows) => normalizeRows(rows, ['unit']));
  return agreementOf(
    await induceDictionary(programs, some, others, { neighborhood }),
    some.count,
    others.count,
  );
}
