import { describe, expect, test } from 'vitest';
import type { Batches } from '../../training/batching.js';
import { permutation } from '../../training/random.js';
import type { TrainBatch } from '../../training/trainStep.js';
import { createLaneBatches, type Lane } from './lanes.js';

/** Batches that say what they are of. */
function lane(name: string, texts: string, share: number, count: number): Lane {
  const batches: Batches = {
    pairs: count,
    droppedLong: 0,
    droppedEmpty: 0,
    epoch: (epoch) => {
      const order = permutation(count, 3, name, epoch);
      return {
        count,
        build: (index): TrainBatch => ({
          task: name,
          feeds: {},
          sentences: order[index],
          sourceTokens: epoch,
          targetTokens: 1,
        }),
      };
    },
  };
  return { name, texts, share, batches };
}

const epochOf = (batches: Batches, epoch: number) => {
  const found = batches.epoch(epoch);
  return Array.from({ length: found.count }, (_, index) => found.build(index));
};

describe('batches of lanes', () => {
  const options = { seed: 7, accumulate: 2 };
  const lanes = () => [
    lane('mlm/en', 'streams/en', 0.5, 30),
    lane('mlm/de', 'streams/de', 0.3, 10),
    lane('cmlm/en', 'streams/en', 0.19, 30),
    lane('tlm/en-de', 'pairs/en-de', 0.01, 5),
  ];

  test('an epoch is as long as it takes to see all texts once, and an update is of one lane', () => {
    const batches = createLaneBatches(lanes(), options);
    expect(batches.pairs).toBe(45);
    // 45 batches: 23 updates of two.
    expect(Math.abs(batches.epoch(0).count - 46)).toBeLessThanOrEqual(4);
    for (const epoch of [0, 1]) {
      const tasks = epochOf(batches, epoch).map(({ task }) => task);
      for (let at = 0; at < tasks.length; at += 2) expect(tasks[at]).toBe(tasks[at + 1]);
    }
  });

  test('over epochs each lane has its share to within one update, a small one too', () => {
    const batches = createLaneBatches(lanes(), options);
    const count = new Map<string, number>();
    for (let epoch = 0; epoch < 40; epoch++) {
      for (const { task } of epochOf(batches, epoch)) count.set(task!, (count.get(task!) ?? 0) + 1);
    }
    for (const { name, share } of lanes()) {
      expect(Math.abs(count.get(name)! / 2 - share * 23 * 40)).toBeLessThanOrEqual(1);
    }
  });

  test('a lane goes through all its texts before it repeats one', () => {
    const batches = createLaneBatches(lanes(), { seed: 7, accumulate: 1 });
    // 13 or 14 batches of 10: one round, and the beginning of another.
    const own = epochOf(batches, 3).filter(({ task }) => task === 'mlm/de');
    expect(own.length).toBeGreaterThan(10);
    const rounds = new Set(own.map(({ sourceTokens }) => sourceTokens));
    expect(rounds.size).toBe(2);
    const first = own.filter(({ sourceTokens }) => sourceTokens === 3).map(({ sentences }) => sentences);
    expect(first.sort((a, b) => a - b)).toEqual([...Array(10).keys()]);
  });

  test('a batch depends on epoch and index alone, and epochs differ', () => {
    const once = epochOf(createLaneBatches(lanes(), options), 1);
    const batches = createLaneBatches(lanes(), options);
    const last = batches.epoch(1).count - 1;
    expect(batches.epoch(1).build(last)).toEqual(once[last]);
    expect(batches.epoch(1).build(0)).toEqual(once[0]);
    expect(epochOf(batches, 0)).not.toEqual(once);
  });
});
