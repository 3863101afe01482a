import { expect, test } from 'vitest';
import { fakeConfig } from '../../test/fixtures/training/fakeRun.js';
import { beyondBudget, type PlannedRun } from './beyondBudget.js';
import type { LoopConfig } from './trainer.js';

const firstEpoch = () => ({ count: 9 });
const found = (config: Partial<LoopConfig>, more: Partial<PlannedRun> = {}) =>
  beyondBudget({
    config: { ...fakeConfig, ...config },
    warmupUpdates: 0,
    firstEpoch,
    validates: true,
    ...more,
  }).map((text) => /^([\w.]+) .* but (.*?):/.exec(text)!.slice(1));

test.each<[string, Partial<LoopConfig>, Partial<PlannedRun>, string[][]]>([
  ['all within', { budget: { maxUpdates: 6 } }, { warmupUpdates: 5 }, []],
  [
    'warm-up as long as the budget, whose peak would be in the next update',
    { budget: { maxUpdates: 6 } },
    { warmupUpdates: 6 },
    [['schedule.warmupUpdates', 'budget.maxUpdates ends training after 6 updates']],
  ],
  [
    'a first validation after the last update',
    { budget: { maxUpdates: 5 } },
    {},
    [['validation.everyUpdates', 'budget.maxUpdates ends training after 5 updates']],
  ],
  ['nothing to validate on', { budget: { maxUpdates: 5 } }, { validates: false }, []],
  [
    'an epoch of 9 batches, two an update, the last alone',
    { budget: { maxUpdates: 40, maxEpochs: 1 } },
    { warmupUpdates: 10 },
    [
      ['schedule.warmupUpdates', 'budget.maxEpochs ends training after about 5 updates'],
      ['validation.everyUpdates', 'budget.maxEpochs ends training after about 5 updates'],
    ],
  ],
  [
    'epochs whose updates are groups of three batches',
    { budget: { maxEpochs: 2 } },
    { firstEpoch: () => ({ count: 9, groupSize: () => 3 }), warmupUpdates: 6 },
    [['schedule.warmupUpdates', 'budget.maxEpochs ends training after about 6 updates']],
  ],
  ['minutes, whose updates are not known', { budget: { maxMinutes: 1 } }, { warmupUpdates: 1e6 }, []],
])('warm-up and validation beyond the budget: %s', (_, config, more, wanted) => {
  expect(found(config, more)).toEqual(wanted);
});
