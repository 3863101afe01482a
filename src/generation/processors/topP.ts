import { nthLargest } from './leastWeight.js';

/**
 * Nucleus sampling (Holtzman et al., "The curious case of neural text degeneration", 2020): keeps the fewest heaviest
 * candidates whose weights reach `topP` of the sum, at least `fewest`; of equal weights the first. Kept weights and places
 * close up in their old order.
 *
 * The lightest weight that is kept is found by selection (Hoare's quickselect, on sums instead of counts), so a whole
 * vocabulary costs a few passes and is never sorted.
 *
 * @param weights `count` weights
 * @param places moved with the weights
 * @param scratch room for `count` numbers
 * @returns how many are kept, and their sum
 */
export function keepNucleus(
  weights: Float64Array,
  places: Int32Array,
  count: number,
  sum: number,
  topP: number,
  scratch: Float64Array,
  fewest = 1,
): { count: number; sum: number } {
  let { least, equals } = lightestKept(weights, count, sum, topP, scratch);
  if (fewest > 1) {
    const wanted = nthLargest(weights, count, fewest);
    let heavier = 0;
    for (let i = 0; i < count; i++) if (weights[i] > wanted) heavier++;
    if (wanted < least) equals = 0;
    if (wanted <= least) equals = Math.max(equals, fewest - heavier);
    least = Math.min(least, wanted);
  }
  let kept = 0;
  let keptSum = 0;
  let spare = equals;
  for (let i = 0; i < count; i++) {
    const weight = weights[i];
    if (weight > least || (weight === least && spare-- > 0)) {
      weights[kept] = weight;
      places[kept++] = places[i];
      keptSum += weight;
    }
  }
  return { count: kept, sum: keptSum };
}

/** The lightest weight in the nucleus, and how many of exactly that weight belong to it. */
function lightestKept(
  weights: Float64Array,
  count: number,
  sum: number,
  topP: number,
  scratch: Float64Array,
): { least: number; equals: number } {
  const target = topP * sum;
  // The lightest member, with all that are lighter, makes up more than 1 - topP of the sum, so it weighs more than
  // (1 - topP) * sum / count; a little lower, because the sum of many is rounded.
  const floor = (((1 - topP) * sum) / count) * (1 - 1e-9);
  let high = 0;
  for (let i = 0; i < count; i++) if (weights[i] > floor) scratch[high++] = weights[i];
  let low = 0;
  let before = 0;
  let least = 0;
  while (low < high) {
    const pivot = middle(scratch[low], scratch[(low + high) >> 1], scratch[high - 1]);
    let heavier = low;
    let lighter = high;
    let heavierSum = 0;
    for (let i = low; i < lighter; ) {
      const weight = scratch[i];
      if (weight > pivot) {
        heavierSum += weight;
        scratch[i++] = scratch[heavier];
        scratch[heavier++] = weight;
      } else if (weight < pivot) {
        scratch[i] = scratch[--lighter];
        scratch[lighter] = weight;
      } else i++;
    }
    if (heavier > low && before + heavierSum >= target) {
      high = heavier;
      continue;
    }
    before += heavierSum;
    const needed = Math.max(1, Math.ceil((target - before) / pivot));
    if (needed <= lighter - heavier) return { least: pivot, equals: needed };
    before += pivot * (lighter - heavier);
    least = pivot;
    low = lighter;
  }
  return { least, equals: count };
}

function middle(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
