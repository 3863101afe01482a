import { entropy } from './leastWeight.js';

/**
 * Locally typical sampling (Meister et al., "Locally typical sampling", 2023): keeps the fewest candidates whose
 * information -log p is nearest to the entropy and whose probabilities reach `mass`; those as near as the last of them
 * too, as in Hugging Face. Kept weights and places close up in their old order.
 *
 * @param weights `count` weights
 * @param places moved with the weights
 * @param scratch room for `count` numbers
 * @param fewest how many are kept at least
 * @returns how many are kept, and their sum
 */
export function keepTypical(
  weights: Float64Array,
  places: Int32Array,
  count: number,
  sum: number,
  mass: number,
  scratch: Float64Array,
  fewest = 1,
): { count: number; sum: number } {
  const expected = entropy(weights, count, sum);
  const distances = scratch.subarray(0, count);
  for (let i = 0; i < count; i++) {
    // A weight that underflowed to 0 is the farthest of all.
    distances[i] =
      weights[i] > 0 ? Math.abs(-Math.log(weights[i] / sum) - expected) : Number.POSITIVE_INFINITY;
  }
  const order = Uint32Array.from(distances.keys()).sort((a, b) => distances[a] - distances[b] || a - b);
  let reached = 0;
  let last = 0;
  for (; last < count - 1; last++) {
    reached += weights[order[last]];
    if (reached >= mass * sum && last >= fewest - 1) break;
  }
  const farthest = distances[order[last]];
  let kept = 0;
  let keptSum = 0;
  for (let i = 0; i < count; i++) {
    if (distances[i] > farthest) continue;
    weights[kept] = weights[i];
    places[kept++] = places[i];
    keptSum += weights[kept - 1];
  }
  return { count: kept, sum: keptSum };
}
