import { expect, test } from 'vitest';
import { readWeightSchedule, silentFrom, weightAt, weightScheduleSchema } from './lossWeight.js';

test('the weight of the paper goes from 1 to 0.1 in 100,000 rounds and to 0 in 200,000 more', () => {
  const schedule = readWeightSchedule('0:1,100000:0.1,300000:0');
  const weights = [0, 50_000, 100_000, 200_000, 299_998, 300_000, 1e6].map((round) =>
    weightAt(schedule, round),
  );
  [1, 0.55, 0.1, 0.05, 1e-6, 0, 0].forEach((wanted, at) => {
    expect(weights[at]).toBeCloseTo(wanted, 9);
  });
});

test('a number is a weight that stays, and a first point later than 0 holds before it', () => {
  expect([0, 7].map((round) => weightAt(readWeightSchedule(0.5), round))).toEqual([0.5, 0.5]);
  expect(weightAt(readWeightSchedule('10:2, 20:.5'), 3)).toBe(2);
});

test.each(['', '0', '0:1,', '5:1,5:0', '5:1,2:0', '0:-1', '0:x', '1.5:1', -1])('%j is refused', (given) => {
  expect(weightScheduleSchema.safeParse(given).success).toBe(false);
});

test.each([
  [['0:1,10:0', '0:0,10:1'], undefined],
  [['0:1,10:0', '10:0,20:1'], undefined],
  [['0:1,10:0', '0:0'], 10],
  [['0:1,10:0', '12:0,20:1'], 10],
  [['5:0,9:1'], 0],
])('%j learn nothing from round %s on', (texts, round) => {
  expect(silentFrom(texts.map(readWeightSchedule))).toBe(round);
});
