import { keepAtLeast, largest } from './leastWeight.js';

/**
 * Min-p sampling (Nguyen et al., "Turning up the heat", 2024): keeps what is at least `minP` times as probable as the
 * most probable candidate. Arguments as in `keepAtLeast`.
 */
export function keepMinP(weights: Float64Array, places: Int32Array, count: number, minP: number, fewest = 1) {
  return keepAtLeast(weights, places, count, minP * largest(weights, count), fewest);
}
