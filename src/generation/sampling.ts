import { type Choose, createIndependentSelector, hiddenCandidates } from './independentRows.js';
import { temperatureWeights } from './processors/temperature.js';
import { topKCandidates } from './processors/topK.js';
import { keepNucleus } from './processors/topP.js';
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
  const scratch = new Float64Array(vocabSize);

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
    if (topP < 1) ({ count: allowed, sum } = keepNucleus(weights, places, allowed, sum, topP, scratch));
    return places[pick(weights, allowed, uniform * sum)];
  };

  /** Keeps the `k` largest logits and their places, of a vocabulary so small that the model returned all of it. */
  function keepLargest(allowed: number, k: number): number {
    const order = Array.from({ length: allowed }, (_, i) => i).sort((a, b) => logits[b] - logits[a] || a - b);
    const kept = order.slice(0, k);
    const keptLogits = kept.map((i) => logits[i]);
    places.set(kept.map((i) => places[i]));
    logits.set(keptLogits);
    return k;
  }

  return createIndependentSelector(context, topKCandidates(topK, hiddenCandidates(context), vocabSize), draw);
}

/** The first place at which the running sum of weights passes `target`. */
function pick(weights: Float64Array, count: number, target: number): number {
  let running = 0;
  for (let i = 0; i < count; i++) {
    running += weights[i];
    if (target < running) return i;
  }
  return count - 1;
}
