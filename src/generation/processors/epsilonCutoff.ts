import { keepAtLeast } from './leastWeight.js';

/**
 * Epsilon sampling (Hewitt et al., "Truncation sampling as language model desmoothing", 2022, section 4.1): keeps what
 * has at least probability `epsilon`, and always the `fewest` most probable. Arguments as in `keepAtLeast`.
 */
export function keepEpsilon(
  weights: Float64Array,
  places: Int32Array,
  count: number,
  sum: number,
  epsilon: number,
  fewest = 1,
) {
  return keepAtLeast(weights, places, count, epsilon * sum, fewest);
}
