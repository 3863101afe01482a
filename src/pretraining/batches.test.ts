import { describe, expect, test } from 'vitest';
import type { TrainBatch } from '../training/trainStep.js';
import { createPretrainingBatches, type MixedObjective } from './batches.js';
import type { Example, PretrainingObjective } from './objective.js';

/** An objective that only notes what it was given. */
function recorder(
  reads: 'text' | 'pairs' = 'text',
): PretrainingObjective & { given: Map<TrainBatch, Example[]> } {
  const given = new Map<TrainBatch, Example[]>();
  return {
    reads,
    loss: { signature: {}, loss: () => expect.unreachable() },
    extraTokens: 0,
    given,
    batch: (examples) => {
      const numbers = examples.flatMap(({ ids, draws }) => [ids[0], draws.uniform()]);
      const data = Float32Array.from(numbers);
      return {
        feeds: { seen: { dtype: 'float32', shape: [data.length], data } },
        sentences: examples.length,
        sourceTokens: 0,
        targetTokens: 1,
      };
    },
  };
}

const text = Array.from({ length: 40 }, (_, i) => new Array<number>(3 + (i % 9)).fill(i));
const pairs = Array.from({ length: 30 }, (_, i) => ({ source: [100 + i], target: [200 + i] }));
const options = { seed: 3, maxTokens: 24, maxLength: 50, sortWindow: 20, lengthMultiple: 1, accumulate: 1 };
const mixed = (name: string, weight = 1, reads?: 'text' | 'pairs'): MixedObjective => ({
  name,
  weight,
  objective: recorder(reads),
});
const seen = (batch: TrainBatch) => Array.from(batch.feeds.seen.data);
const firsts = (batch: TrainBatch) => seen(batch).filter((_, at) => at % 2 === 0);

describe('batches for pre-training', () => {
  test('an epoch has every piece once; the next one corrupts it anew', () => {
    const batches = createPretrainingBatches({ text }, [mixed('mass')], options);
    const draws = [0, 1].map((epoch) => {
      const plan = batches.epoch(epoch);
      const found = new Map<number, number>();
      for (let index = 0; index < plan.count; index++) {
        const numbers = seen(plan.build(index));
        for (let at = 0; at < numbers.length; at += 2) found.set(numbers[at], numbers[at + 1]);
      }
      return found;
    });
    expect([...draws[0].keys()].sort((a, b) => a - b)).toEqual(text.map((_, i) => i));
    expect([...draws[1].keys()].sort((a, b) => a - b)).toEqual(text.map((_, i) => i));
    for (const [piece, number] of draws[0]) expect(draws[1].get(piece)).not.toBe(number);
  });

  test('a batch is the same whenever and in whatever order it is built', () => {
    const make = () =>
      createPretrainingBatches({ text, pairs }, [mixed('a'), mixed('b'), mixed('c', 1, 'pairs')], options);
    const [forward, other] = [make().epoch(2), make()];
    other.epoch(5).build(0);
    const again = other.epoch(2);
    const built = Array.from({ length: forward.count }, (_, index) => forward.build(index));
    for (let index = forward.count - 1; index >= 0; index--) {
      expect(seen(again.build(index))).toEqual(seen(built[index]));
      expect(again.build(index).task).toBe(built[index].task);
    }
  });

  test('objectives share the batches by their weights', () => {
    const many = Array.from({ length: 3000 }, (_, i) => [i, i, i]);
    const mixture = [mixed('often', 3), mixed('seldom', 1)];
    const plan = createPretrainingBatches({ text: many }, mixture, { ...options, maxTokens: 3 }).epoch(0);
    let often = 0;
    for (let index = 0; index < plan.count; index++) if (plan.build(index).task === 'often') often++;
    // Five standard deviations of a binomial share are 4 %.
    expect(Math.abs(often / plan.count - 0.75)).toBeLessThan(0.04);
  });

  test('the batches of one update have one objective and one kind of data', () => {
    const mixture = [mixed('a'), mixed('b'), mixed('c', 1, 'pairs')];
    const plan = createPretrainingBatches({ text, pairs }, mixture, {
      ...options,
      maxTokens: 12,
      accumulate: 3,
    }).epoch(1);
    expect(plan.count % 3).toBe(0);
    const tasks = Array.from({ length: plan.count }, (_, index) => plan.build(index).task);
    for (let at = 0; at < tasks.length; at += 3) expect(new Set(tasks.slice(at, at + 3)).size).toBe(1);
    expect(new Set(tasks)).toEqual(new Set(['a', 'b', 'c']));
  });

  test('pairs and text are both there, each to its objective', () => {
    const mixture = [mixed('a'), mixed('c', 1, 'pairs')];
    const plan = createPretrainingBatches({ text, pairs }, mixture, options).epoch(0);
    for (let index = 0; index < plan.count; index++) {
      const batch = plan.build(index);
      expect(firsts(batch).every((id) => (batch.task === 'c' ? id >= 100 : id < 100))).toBe(true);
    }
  });

  test('an objective without its kind of data is refused', () => {
    expect(() => createPretrainingBatches({ text }, [mixed('c', 1, 'pairs')], options)).toThrow(/data.pairs/);
    expect(() => createPretrainingBatches({ text: [] }, [mixed('a')], options)).toThrow(/data.train/);
  });
});
