import { createInterruption } from '../../generation/abort.js';
import { createDraws } from '../../pretraining/draws.js';
import { gatherRows, type VectorRows } from '../vectors/vectorRows.js';
import { type InductionOptions, induceDictionary, type WordPairs } from './dictionaryInduction.js';
import { orthogonalMap } from './linearMaps.js';
import type { ResolvedMappingOptions } from './mappingOptions.js';
import type { VectorPrograms } from './vectorPrograms.js';

/** One language while a mapping is learned. */
export interface MappedSide {
  words: readonly string[];
  /** Normalized vectors of all words. */
  rows: VectorRows;
  /** Places of the words that dictionaries are induced over. */
  places: Int32Array;
  /** Their vectors. */
  learned: VectorRows;
}

export type MappedSides = readonly [source: MappedSide, target: MappedSide];

/** Where self-learning stands after an iteration. */
export interface MappingProgress {
  /** From 1. */
  iteration: number;
  /** Mean cosine of a word with its nearest of the other language, of both directions. */
  objective: number;
  /** Share of similarities that the dictionary was induced from. */
  keepProbability: number;
}

/** What a caller may do while a mapping is learned. */
export interface MappingHooks {
  /** Called after each iteration. */
  onIteration?(progress: MappingProgress): void;
  /** Ends the mapping between two iterations with ABORTED, whose cause is its reason. */
  signal?: AbortSignal;
}

/** The constants of self-learning. */
export type LearningSchedule = Pick<
  ResolvedMappingOptions,
  | 'keepProbability'
  | 'keepGrowth'
  | 'patience'
  | 'threshold'
  | 'maxIterations'
  | 'neighborhood'
  | 'seed'
  | 'selfLearning'
>;

/** What self-learning came to. */
export interface Learned {
  /** The last dictionary, or the first where nothing is learned; places among all words. */
  pairs: WordPairs;
  trace: MappingProgress[];
  converged: boolean;
}

/**
 * In turns the rotation that suits the dictionary and the dictionary under the rotation, from more and more of the similarities, until
 * the objective no longer improves (Artetxe et al. 2018, ACL, sections 3.3 and 3.4).
 */
export async function learnPairs(
  programs: VectorPrograms,
  [source, target]: MappedSides,
  seedPairs: WordPairs,
  schedule: LearningSchedule,
  { onIteration, signal }: MappingHooks,
): Promise<Learned> {
  const interrupt = createInterruption(signal, 'mapping');
  const trace: MappingProgress[] = [];
  let pairs = seedPairs;
  let keepProbability = schedule.selfLearning ? schedule.keepProbability : 1;
  let [best, stalled] = [Number.NEGATIVE_INFINITY, 0];
  for (let iteration = 1; ; iteration++) {
    await interrupt();
    if (stalled >= schedule.patience) {
      if (keepProbability >= 1) return { pairs, trace, converged: true };
      keepProbability = Math.min(1, keepProbability * schedule.keepGrowth);
      stalled = 0;
    }
    if (iteration > schedule.maxIterations) return { pairs, trace, converged: false };
    const products = await pairProducts(programs, source.rows, pairs.sources, target.rows, pairs.targets);
    const induced = await induceDictionary(
      programs,
      await programs.multiply(source.learned, orthogonalMap(products, source.rows.size)),
      target.learned,
      inductionOptions(schedule, keepProbability, iteration),
    );
    const objective = (induced.meanBest.source + induced.meanBest.target) / 2;
    trace.push({ iteration, objective, keepProbability });
    onIteration?.(trace[trace.length - 1]);
    if (!schedule.selfLearning) return { pairs, trace, converged: true };
    stalled++;
    if (objective - best >= schedule.threshold) [best, stalled] = [objective, 0];
    pairs = amongAll(induced.pairs, source, target);
  }
}

function inductionOptions(
  { neighborhood, seed }: LearningSchedule,
  probability: number,
  iteration: number,
): InductionOptions {
  if (probability >= 1) return { neighborhood };
  return { neighborhood, keep: { probability, draws: createDraws(seed, 'mapping', 0, iteration) } };
}

/** Pairs of places among the learned words as places among all. */
export function amongAll({ sources, targets }: WordPairs, source: MappedSide, target: MappedSide): WordPairs {
  return {
    sources: sources.map((at) => source.places[at]),
    targets: targets.map((at) => target.places[at]),
  };
}

/** a^T b over pairs of places. [size, size] */
export function pairProducts(
  programs: VectorPrograms,
  a: VectorRows,
  aPlaces: Int32Array,
  b: VectorRows,
  bPlaces: Int32Array,
): Promise<Float64Array> {
  return programs.crossProduct(pieces(a, aPlaces, b, bPlaces));
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
