/**
 * Nucleus sampling (Holtzman et al., "The curious case of neural text degeneration", 2020): the fewest most probable
 * candidates whose probabilities reach `topP`, at least one. `order` lists the candidates by falling weight.
 *
 * @returns how many of the first in `order` are kept, and the sum of their weights
 */
export function nucleus(
  weights: Float64Array,
  order: Int32Array,
  count: number,
  sum: number,
  topP: number,
): { count: number; sum: number } {
  let kept = 0;
  let before = 0;
  while (kept < count && (kept === 0 || before < topP * sum)) before += weights[order[kept++]];
  return { count: kept, sum: before };
}

/**
 * Places with weight enough to be in the nucleus, unsorted. The lightest member, with all that are lighter, makes up
 * more than 1 - topP of the sum; so it weighs more than (1 - topP) * sum / count, and the rest need not be sorted.
 *
 * @param order receives the places
 * @returns how many
 */
export function nucleusMembers(
  weights: Float64Array,
  count: number,
  sum: number,
  topP: number,
  order: Int32Array,
): number {
  // A little lower, because the sum of many is rounded.
  const least = (((1 - topP) * sum) / count) * (1 - 1e-9);
  let members = 0;
  for (let i = 0; i < count; i++) if (weights[i] > least) order[members++] = i;
  return members;
}
