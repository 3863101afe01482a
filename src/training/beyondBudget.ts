import type { EpochBatches } from './batching.js';
import type { LoopConfig } from './trainer.js';

/** What `beyondBudget` looks at. */
export interface PlannedRun {
  config: LoopConfig;
  /** Updates over which the learning rate rises. */
  warmupUpdates: number;
  /** The batches of the first epoch. */
  firstEpoch: () => Pick<EpochBatches<unknown>, 'count' | 'groupSize'>;
  /** Whether there is something to validate on. */
  validates: boolean;
}

/**
 * What a run plans but does not reach: warm-up, or the first validation, that lie beyond its budget of updates or epochs. How many
 * updates fit into a budget of minutes is not known when it starts.
 * @returns a sentence for each
 */
export function beyondBudget({ config, warmupUpdates, firstEpoch, validates }: PlannedRun): string[] {
  const { maxUpdates = Number.POSITIVE_INFINITY, maxEpochs } = config.budget;
  const epochs =
    maxEpochs === undefined
      ? Number.POSITIVE_INFINITY
      : maxEpochs * updatesOf(firstEpoch(), config.batch.accumulate);
  const end = Math.min(maxUpdates, epochs);
  const ends =
    maxUpdates <= epochs
      ? `budget.maxUpdates ends training after ${end} updates`
      : `budget.maxEpochs ends training after about ${end} updates`;
  const { everyUpdates } = config.validation;
  const found: string[] = [];
  if (warmupUpdates >= end) {
    found.push(
      `schedule.warmupUpdates is ${warmupUpdates}, but ${ends}: the learning rate does not reach schedule.learningRate; ` +
        'lower schedule.warmupUpdates, or raise the budget.',
    );
  }
  if (validates && everyUpdates > end) {
    found.push(
      `validation.everyUpdates is ${everyUpdates}, but ${ends}: nothing is validated; lower validation.everyUpdates, or raise the ` +
        'budget.',
    );
  }
  return found;
}

/** Updates of an epoch. */
function updatesOf(
  { count, groupSize }: Pick<EpochBatches<unknown>, 'count' | 'groupSize'>,
  accumulate: number,
): number {
  if (!groupSize) return Math.ceil(count / accumulate);
  let updates = 0;
  for (let index = 0; index < count; index += groupSize(index)) updates++;
  return updates;
}
