import { type Choose, createIndependentSelector, hiddenCandidates } from './independentRows.js';
import { temperatureWeights } from './processors/temperature.js';
import { topKCandidates } from './processors/topK.js';
import { nucleus, nucleusMembers } from './processors/topP.js';
import { uniformAt } from './random.js';
import type { SearchContext, Selector } from './selector.js';

/**
 * Sampling: each row draws its token from the model's distribution after penalties and bans, then temperature, top-k
 * and top-p in Hugging Face's order. The random number is a function of (seed, sentence, sample, position), so that a
 * sample does not depend on what shares its batch. Candidates of exactly equal logits at the edge of the top k are cut
 * at k, where Hugging Face keeps them all.
 */
export function createSamplingSelector(context: SearchContext): Selector {
  const { classes, options } = context;
  const { temperature, topK, topP, seed } = options;
  const vocabSize = classes.length;
  const logits = new Float64Array(vocabSize);
  const weights = new Float64Array(vocabSize);
  const places = new Int32Array(vocabSize);
  const order = new Int32Array(vocabSize);

  const draw: Choose = (candidates, row, hidden, sentence, sample, count) => {
    const { ids, width } = candidates;
    const offset = row * width;
    const cut = ids && topK > 0 ? topK : width;
    let allowed = 0;
    for (let place = 0; place < width && allowed < cut; place++) {
      const logit = candidates.logits[offset + place];
      if (logit === Number.NEGATIVE_INFINITY) continue;
      if ((classes[ids ? ids[offset + place] : place] & hidden) !== 0) continue;
      logits[allowed] = logit;
      places[allowed++] = place;
    }
    if (allowed === 0) return -1;
    if (!ids && topK > 0 && topK < allowed) allowed = keepLargest(allowed, topK);
    const uniform = uniformAt(seed, sentence, sample, count);
    let sum = temperatureWeights(logits, allowed, temperature, weights);
    if (topP === 1) return places[pick(weights, undefined, allowed, uniform * sum)];
    let members = nucleusMembers(weights, allowed, sum, topP, order);
    // Equal weights in order of place, so that the draw is the same whatever sorted them.
    if (!ids) order.subarray(0, members).sort((a, b) => weights[b] - weights[a] || a - b);
    ({ count: members, sum } = nucleus(weights, order, members, sum, topP));
    return places[pick(weights, order, members, uniform * sum)];
  };

  /** Sorts the first `allowed` logits and places by falling logit and keeps `k`; for small vocabularies. */
  function keepLargest(allowed: number, k: number): number {
    for (let i = 0; i < allowed; i++) order[i] = i;
    const sorted = order.subarray(0, allowed).sort((a, b) => logits[b] - logits[a] || a - b);
    const keptLogits = Array.from(sorted.subarray(0, k), (i) => logits[i]);
    const keptPlaces = Array.from(sorted.subarray(0, k), (i) => places[i]);
    logits.set(keptLogits);
    places.set(keptPlaces);
    return keptLogits.length;
  }

  return createIndependentSelector(context, topKCandidates(topK, hiddenCandidates(context), vocabSize), draw);
}

/** The first place, in `order` where given, at which the running sum of weights passes `target`. */
function pick(weights: Float64Array, order: Int32Array | undefined, count: number, target: number): number {
  let running = 0;
  for (let i = 0; i < count; i++) {
    running += weights[order ? order[i] : i];
    if (target < running) return order ? order[i] : i;
  }
  return order ? order[count - 1] : count - 1;
}
