import { exponential } from './exponential.js';

/**
 * Weights proportional to exp(logit / temperature) (Ackley et al., "A learning algorithm for Boltzmann machines",
 * 1985), largest weight 1.
 *
 * @param logits the allowed candidates' logits: `count` of them
 * @param weights receives `count` weights
 * @returns their sum
 */
export function temperatureWeights(
  logits: Float64Array,
  count: number,
  temperature: number,
  weights: Float64Array,
): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i++) if (logits[i] > largest) largest = logits[i];
  // Finite, or the largest logit, 0 here, would become no number.
  const rate = Math.min(1 / temperature, Number.MAX_VALUE);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    weights[i] = exponential((logits[i] - largest) * rate);
    sum += weights[i];
  }
  return sum;
}
