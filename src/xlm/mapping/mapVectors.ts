import type { Device } from '../../engine/program.js';
import { PolybeamError } from '../../errors.js';
import { gatherRows, normalizeRows, rowsOf, sliceRows, type VectorRows } from '../vectors/vectorRows.js';
import { requireDistinct, requireVectors, type WordVectors } from '../vectors/wordVectors.js';
import { readDictionary } from './dictionaryFile.js';
import type { WordPairs } from './dictionaryInduction.js';
import { orthogonalMap, symmetricMaps } from './linearMaps.js';
import { foundAgain, measureAgreement } from './mappingAgreement.js';
import {
  type MappingOptions,
  type ResolvedMappingOptions,
  resolveMappingOptions,
  tooFewWords,
} from './mappingOptions.js';
import { failedMapping, type MappingReport, reportOf } from './mappingReport.js';
import { alikePairs, dictionaryPairs, isNumeral, similarityPairs } from './seedDictionaries.js';
import {
  amongAll,
  learnPairs,
  type MappedSide,
  type MappedSides,
  type MappingHooks,
  pairProducts,
} from './selfLearning.js';
import { createVectorPrograms, type VectorPrograms } from './vectorPrograms.js';

/** Vectors of two languages in one space. */
export interface Mapping {
  source: WordVectors;
  target: WordVectors;
  /** The dictionary that the last mapping was made from, as places among the words. */
  pairs: WordPairs;
  report: MappingReport;
}

/**
 * Maps the vectors of two languages into one space without parallel text (Artetxe, Labaka and Agirre, ACL 2018, "A robust
 * self-learning method for fully unsupervised cross-lingual mappings of word embeddings"): a first dictionary, then in turns the
 * rotation that suits the dictionary and the dictionary of nearest neighbours under the rotation, then re-weighting.
 * @throws MAPPING_FAILED unless `keepFailed`; INPUT_INVALID where no pair can be begun with, the sizes of the vectors differ, or a word
 * comes twice;
 * OPTION_UNKNOWN, OPTION_INVALID, OPTION_CONFLICT
 */
export async function mapVectors(
  source: WordVectors,
  target: WordVectors,
  options: MappingOptions = {},
  hooks: MappingHooks = {},
): Promise<Mapping> {
  requireVectors(source, 'source');
  requireVectors(target, 'target');
  const resolved = resolveMappingOptions(options);
  if (source.size !== target.size) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `The source's vectors have ${source.size} features and the target's ${target.size}: train both with one size.`,
    );
  }
  requireDistinct(source.words, 'source');
  requireDistinct(target.words, 'target');
  const programs = createVectorPrograms({ device: resolved.device as Device, threads: resolved.threads });
  try {
    const sides: MappedSides = [sideOf(source, resolved), sideOf(target, resolved)];
    // Self-learning goes on from any pairs to pairs of all words that are learned from.
    if (resolved.selfLearning)
      requireWords(
        sides.map(({ learned }) => learned.count),
        source.size,
        resolved,
      );
    const seedPairs = await firstPairs(programs, sides, resolved);
    if (!resolved.selfLearning) {
      const { sources, targets } = seedPairs;
      requireWords([new Set(sources).size, new Set(targets).size], source.size, resolved);
    }
    const learned = await learnPairs(programs, sides, seedPairs, resolved, hooks);
    const mapped = await finalVectors(programs, sides, learned.pairs, resolved);
    const agreement = await measureAgreement(programs, sides, mapped, resolved.neighborhood);
    const again =
      resolved.selfLearning && learned.converged
        ? await foundAgain(programs, sides, learned, resolved, hooks.signal)
        : undefined;
    const words = { source: sides[0].places.length, target: sides[1].places.length };
    const report = reportOf({ words, seedPairs, learned, agreement, again }, resolved);
    if (report.problem !== undefined && !resolved.keepFailed) throw failedMapping(report);
    return {
      source: { words: source.words, size: mapped[0].size, values: mapped[0].values },
      target: { words: target.words, size: mapped[1].size, values: mapped[1].values },
      pairs: learned.pairs,
      report,
    };
  } finally {
    await programs.release();
  }
}

/** @throws INPUT_INVALID where the words of the dictionary will be too few for the last mapping */
function requireWords(
  [source, target]: readonly number[],
  size: number,
  options: ResolvedMappingOptions,
): void {
  const few = source < target ? { words: source, side: 'source' } : { words: target, side: 'target' };
  if (!tooFewWords(few.words, size, options)) return;
  throw new PolybeamError(
    'INPUT_INVALID',
    `The dictionary has ${few.words} words of the ${few.side} at most, fewer than the ${size} features of a vector, so finalMapping symmetric ` +
      'cannot whiten them; take finalMapping orthogonal, vectors of fewer features, or vectors of more words.',
  );
}

function sideOf(vectors: WordVectors, options: ResolvedMappingOptions): MappedSide {
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
  [source, target]: MappedSides,
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

/** All vectors of both sides in the common space. */
async function finalVectors(
  programs: VectorPrograms,
  [source, target]: MappedSides,
  pairs: WordPairs,
  { finalMapping, reweight }: ResolvedMappingOptions,
): Promise<[VectorRows, VectorRows]> {
  const { sources, targets } = pairs;
  const cross = await pairProducts(programs, source.rows, sources, target.rows, targets);
  const { size } = source.rows;
  if (finalMapping === 'orthogonal') {
    return [await programs.multiply(source.rows, orthogonalMap(cross, size)), target.rows];
  }
  const products = {
    source: await pairProducts(programs, source.rows, sources, source.rows, sources),
    target: await pairProducts(programs, target.rows, targets, target.rows, targets),
    cross,
  };
  const maps = symmetricMaps(products, size, reweight);
  return [
    await programs.multiply(source.rows, maps.source),
    await programs.multiply(target.rows, maps.target),
  ];
}
