/**
 * Keeps the candidates that weigh at least `least`, and always the `fewest` heaviest. Kept weights and places close up in their
 * old order.
 *
 * @param weights `count` weights
 * @param places moved with the weights
 * @returns how many are kept, and their sum
 */
export function keepAtLeast(
  weights: Float64Array,
  places: Int32Array,
  count: number,
  least: number,
  fewest = 1,
): { count: number; sum: number } {
  const threshold = Math.min(least, nthLargest(weights, count, fewest));
  let kept = 0;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const weight = weights[i];
    if (weight < threshold) continue;
    weights[kept] = weight;
    places[kept++] = places[i];
    sum += weight;
  }
  return { count: kept, sum };
}

/** The largest of the first `count` weights. */
export function largest(weights: Float64Array, count: number): number {
  let most = 0;
  for (let i = 0; i < count; i++) if (weights[i] > most) most = weights[i];
  return most;
}

/** The n-th largest of the first `count` weights, for a small n; the smallest where there are fewer. */
export function nthLargest(weights: Float64Array, count: number, n: number): number {
  if (n === 1) return largest(weights, count);
  const best: number[] = [];
  for (let i = 0; i < count; i++) {
    if (best.length === n && weights[i] <= best[n - 1]) continue;
    let at = best.length;
    while (at > 0 && best[at - 1] < weights[i]) at--;
    best.splice(at, 0, weights[i]);
    best.length = Math.min(best.length, n);
  }
  return best[best.length - 1] ?? 0;
}

/** Entropy in nats of the distribution that the first `count` weights are proportional to. */
export function entropy(weights: Float64Array, count: number, sum: number): number {
  let total = 0;
  for (let i = 0; i < count; i++) if (weights[i] > 0) total -= weights[i] * Math.log(weights[i] / sum);
  return total / sum;
}
