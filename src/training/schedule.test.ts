import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createSchedule, type ScheduleOptions } from './schedule.js';

interface Case extends ScheduleOptions {
  rates: Record<string, number>;
}

const fixture = new URL('../../test/fixtures/training/schedules.json', import.meta.url);
const cases: Case[] = JSON.parse(readFileSync(fixture, 'utf8'));

describe('createSchedule', () => {
  it.each(cases)('$type with $warmupUpdates warm-up updates equals transformers', (options) => {
    const schedule = createSchedule(options);
    for (const [update, rate] of Object.entries(options.rates)) {
      expect(Math.abs(schedule(Number(update)) - rate), `update ${update}`).toBeLessThan(1e-15);
    }
  });

  it('inverse square root is the formula of the Transformer paper and of fairseq', () => {
    const [dModel, warmupUpdates] = [512, 4000];
    const learningRate = dModel ** -0.5 * warmupUpdates ** -0.5;
    const schedule = createSchedule({ type: 'inverseSquareRoot', learningRate, warmupUpdates });
    for (const step of [1, 17, 3999, 4000, 4001, 100_000]) {
      const paper = dModel ** -0.5 * Math.min(step ** -0.5, step * warmupUpdates ** -1.5);
      expect(schedule(step)).toBeCloseTo(paper, 14);
      // fairseq: inverse_square_root_schedule.py with warmup_init_lr 0
      const fairseq =
        step < warmupUpdates
          ? step * (learningRate / warmupUpdates)
          : learningRate * warmupUpdates ** 0.5 * step ** -0.5;
      expect(schedule(step)).toBeCloseTo(fairseq, 14);
    }
  });

  it('slanted triangular is the formula of Howard and Ruder', () => {
    const [total, cutFraction, ratio, learningRate] = [200, 0.1, 32, 0.01];
    const cut = Math.floor(total * cutFraction);
    const type = 'slantedTriangular';
    const schedule = createSchedule({ type, learningRate, warmupUpdates: cut, totalUpdates: total });
    for (let t = 0; t <= total; t++) {
      const p = t < cut ? t / cut : 1 - (t - cut) / (cut * (1 / cutFraction - 1));
      expect(schedule(t), `update ${t}`).toBeCloseTo((learningRate * (1 + p * (ratio - 1))) / ratio, 12);
    }
    expect(schedule(500)).toBeCloseTo(learningRate / ratio, 12);
    const steep = createSchedule({ type, learningRate, warmupUpdates: 0, totalUpdates: total, ratio: 4 });
    expect([steep(0), steep(200)]).toEqual([learningRate, learningRate / 4]);
  });

  it('stays at zero after the last update', () => {
    for (const type of ['linear', 'cosine'] as const) {
      const schedule = createSchedule({ type, learningRate: 1, warmupUpdates: 10, totalUpdates: 100 });
      expect(schedule(100)).toBe(0);
      expect(schedule(150)).toBe(0);
      expect(schedule(99)).toBeGreaterThan(0);
    }
  });
});
