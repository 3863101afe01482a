import { PolybeamError } from '../errors.js';
import type { InducedDictionary, WordPairs } from './dictionaryInduction.js';
import type { ResolvedMappingOptions } from './mappingOptions.js';

/** Where self-learning stands after an iteration. */
export interface MappingProgress {
  /** From 1. */
  iteration: number;
  /** Mean cosine of a word with its nearest of the other language, of both directions. */
  objective: number;
  /** Share of similarities that the dictionary was induced from. */
  keepProbability: number;
}

/** How two languages agree in a common space. */
export interface Agreement {
  /** Mean cosine of each language's words with their nearest of the other. */
  meanBestCosine: { source: number; target: number };
  /** Share of each language's words that are the nearest (by CSLS) of the word nearest to them. */
  coverage: { source: number; target: number };
}

/** What a mapping came to; plain data, written as JSON beside the vectors. */
export interface MappingReport extends Agreement {
  seedDictionary: ResolvedMappingOptions['seedDictionary'];
  /** Pairs that were begun with. */
  seedPairs: number;
  /** Words that dictionaries were induced over. */
  words: { source: number; target: number };
  iterations: number;
  converged: boolean;
  /** The last, under the last rotation. */
  objective: number;
  /** What is wrong with the mapping, in one sentence; absent where it can be used. */
  problem?: string;
  /** By iteration. */
  objectives: number[];
  keepProbabilities: number[];
}

/** Mean over both directions. */
export function objectiveOf({ meanBest }: InducedDictionary): number {
  return (meanBest.source + meanBest.target) / 2;
}

/** @param induced over `source` and `target` words, from all similarities */
export function agreementOf(
  { pairs, meanBest }: InducedDictionary,
  source: number,
  target: number,
): Agreement {
  let mutual = 0;
  for (let at = 0; at < source; at++) {
    if (pairs.sources[source + pairs.targets[at]] === at) mutual++;
  }
  return { meanBestCosine: meanBest, coverage: { source: mutual / source, target: mutual / target } };
}

/** The report of a mapping. */
export function reportOf(
  outcome: {
    words: MappingReport['words'];
    seedPairs: WordPairs;
    trace: readonly MappingProgress[];
    converged: boolean;
    agreement: Agreement;
  },
  options: ResolvedMappingOptions,
): MappingReport {
  const { words, seedPairs, trace, converged, agreement } = outcome;
  const objective = trace[trace.length - 1].objective;
  const problem = problemOf(converged, objective, options);
  return {
    seedDictionary: options.seedDictionary,
    seedPairs: seedPairs.sources.length,
    words,
    iterations: trace.length,
    converged,
    objective,
    ...agreement,
    ...(problem === undefined ? {} : { problem }),
    objectives: trace.map((step) => step.objective),
    keepProbabilities: trace.map((step) => step.keepProbability),
  };
}

function problemOf(
  converged: boolean,
  objective: number,
  { maxIterations, minObjective }: ResolvedMappingOptions,
): string | undefined {
  if (!converged) return `it still improved after ${maxIterations} iterations`;
  if (objective < minObjective) return `that is below minObjective ${minObjective}`;
  return undefined;
}

/** The error that stands for a mapping that is not to be used. */
export function failedMapping(report: MappingReport): PolybeamError {
  const { objective, problem, seedPairs, seedDictionary, converged } = report;
  const remedy = converged
    ? 'begin with other pairs (seedDictionary identical, or dictionary with a file of some hundred translations)'
    : 'raise maxIterations';
  return new PolybeamError(
    'MAPPING_FAILED',
    `The mapping begun with ${seedPairs} pairs (seedDictionary ${seedDictionary}) ended at the objective ${objective.toFixed(4)} and is not used, since ${problem}: ${remedy}, or take it all the same with keepFailed.`,
  );
}
