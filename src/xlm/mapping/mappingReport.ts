import { PolybeamError } from '../../errors.js';
import type { WordPairs } from './dictionaryInduction.js';
import type { Agreement } from './mappingAgreement.js';
import type { ResolvedMappingOptions } from './mappingOptions.js';
import type { Learned } from './selfLearning.js';

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
  /** Share of the pairs that self-learning finds again from a tenth of them; absent where it did not learn, or did not converge. */
  foundAgain?: number;
  /** What is wrong with the mapping, in one sentence; absent where it can be used. */
  problem?: string;
  /** By iteration. */
  objectives: number[];
  keepProbabilities: number[];
}

/** The report of a mapping. */
export function reportOf(
  outcome: {
    words: MappingReport['words'];
    seedPairs: WordPairs;
    learned: Learned;
    agreement: Agreement;
    again: number | undefined;
  },
  options: ResolvedMappingOptions,
): MappingReport {
  const { words, seedPairs, agreement, again } = outcome;
  const { trace, converged } = outcome.learned;
  const objective = trace[trace.length - 1].objective;
  const problem = problemOf(converged, objective, again, options);
  return {
    seedDictionary: options.seedDictionary,
    seedPairs: seedPairs.sources.length,
    words,
    iterations: trace.length,
    converged,
    objective,
    ...agreement,
    ...(again === undefined ? {} : { foundAgain: again }),
    ...(problem === undefined ? {} : { problem }),
    objectives: trace.map((step) => step.objective),
    keepProbabilities: trace.map((step) => step.keepProbability),
  };
}

function problemOf(
  converged: boolean,
  objective: number,
  again: number | undefined,
  { maxIterations, minObjective, minFoundAgain }: ResolvedMappingOptions,
): string | undefined {
  if (!converged) return `it still improved after ${maxIterations} iterations`;
  if (objective < minObjective) return `that is below minObjective ${minObjective}`;
  if (again !== undefined && again < minFoundAgain) {
    const found = `${(100 * again).toFixed(0)} % of its pairs are found again when self-learning restarts from a tenth of them`;
    return `only ${found} (minFoundAgain ${minFoundAgain}), as for random pairs`;
  }
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
