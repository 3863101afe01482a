import { gatherRows, normalizeRows, type VectorRows } from '../vectors/vectorRows.js';
import { type InducedDictionary, induceDictionary, type WordPairs } from './dictionaryInduction.js';
import type { ResolvedMappingOptions } from './mappingOptions.js';
import { type Learned, learnPairs, type MappedSides } from './selfLearning.js';
import type { VectorPrograms } from './vectorPrograms.js';

/** How two languages agree in a common space. */
export interface Agreement {
  /** Mean cosine of each language's words with their nearest of the other. */
  meanBestCosine: { source: number; target: number };
  /** Share of each language's words that are the nearest (by CSLS) of the word nearest to them. */
  coverage: { source: number; target: number };
}

/** Of mapped vectors, over the words that dictionaries were induced over. */
export async function measureAgreement(
  programs: VectorPrograms,
  [source, target]: MappedSides,
  [mappedSource, mappedTarget]: readonly [VectorRows, VectorRows],
  neighborhood: number,
): Promise<Agreement> {
  const [some, others] = [
    gatherRows(mappedSource, source.places),
    gatherRows(mappedTarget, target.places),
  ].map((rows) => normalizeRows(rows, ['unit']));
  const { pairs, meanBest }: InducedDictionary = await induceDictionary(programs, some, others, {
    neighborhood,
  });
  const mutual = mutualPairs(pairs).sources.length;
  return {
    meanBestCosine: meanBest,
    coverage: { source: mutual / some.count, target: mutual / others.count },
  };
}

/** Options of the restart: faster than the first run, since less has to be learned. */
const again = { patience: 2, keepGrowth: 10, maxIterations: 100, selfLearning: true };

/**
 * Whether self-learning recovers its own result: it restarts from a tenth of its pairs. @returns the share of all pairs
 * that it finds again. If the two languages' spaces have the same shape, a few right pairs lead to the rest. If they were paired at
 * random, other pairs fit as well, though the objective may be as high and as many words each other's nearest.
 */
export async function foundAgain(
  programs: VectorPrograms,
  sides: MappedSides,
  { pairs }: Learned,
  options: ResolvedMappingOptions,
  signal?: AbortSignal,
): Promise<number> {
  const mutual = mutualPairs(pairs);
  const count = mutual.sources.length;
  if (count === 0) return 0;
  // Of few pairs more, or nothing could be found from them.
  const step = Math.min(10, Math.max(2, Math.floor(count / 20)));
  const every = (places: Int32Array) => places.filter((_, at) => at % step === 0);
  const seeds = { sources: every(mutual.sources), targets: every(mutual.targets) };
  const learned = await learnPairs(programs, sides, seeds, { ...options, ...again }, { signal });
  const found = keysOf(mutualPairs(learned.pairs));
  return [...keysOf(mutual)].filter((key) => found.has(key)).length / count;
}

/** Of a dictionary of both directions the pairs that are in both. */
export function mutualPairs({ sources, targets }: WordPairs): WordPairs {
  const seen = new Set<number>();
  const mutual: number[] = [];
  sources.forEach((source, at) => {
    const key = keyOf(source, targets[at]);
    if (seen.has(key)) mutual.push(at);
    seen.add(key);
  });
  return {
    sources: Int32Array.from(mutual, (at) => sources[at]),
    targets: Int32Array.from(mutual, (at) => targets[at]),
  };
}

/** One number for two places; exact below 2^53. */
function keyOf(source: number, target: number): number {
  return source * 0x4000000 + target;
}

function keysOf({ sources, targets }: WordPairs): Set<number> {
  return new Set(Array.from(sources, (source, at) => keyOf(source, targets[at])));
}
