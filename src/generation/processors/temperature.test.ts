import { expect, it } from 'vitest';
import { temperatureWeights } from './temperature.js';

it('weighs by exp of the logits over the temperature, the largest 1, however low the temperature', () => {
  const weights = new Float64Array(3);
  const logits = Float64Array.of(1, 3, 2);
  expect(temperatureWeights(logits, 3, 2, weights)).toBeCloseTo(1 + Math.exp(-0.5) + Math.exp(-1), 11);
  expect([...weights].map((weight) => Math.log(weight) * 2)).toEqual(
    [-2, 0, -1].map((x) => expect.closeTo(x, 11)),
  );
  expect(temperatureWeights(logits, 3, Number.MIN_VALUE, weights)).toBe(1);
  expect([...weights]).toEqual([0, 1, 0]);
});
