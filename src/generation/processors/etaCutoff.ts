import { exponential } from './exponential.js';
import { entropy, keepAtLeast } from './leastWeight.js';

/**
 * Eta sampling (Hewitt et al., "Truncation sampling as language model desmoothing", 2022, section 4.2): keeps what has
 * at least probability min(epsilon, sqrt(epsilon) · exp(-H)), H being the entropy, and always the `fewest` most probable: a flat
 * distribution is cut less than a sharp one. Arguments as in `keepAtLeast`.
 */
export function keepEta(
  weights: Float64Array,
  places: Int32Array,
  count: number,
  sum: number,
  epsilon: number,
  fewest = 1,
) {
  const eta = Math.min(epsilon, Math.sqrt(epsilon) * exponential(-entropy(weights, count, sum)));
  return keepAtLeast(weights, places, count, eta * sum, fewest);
}
