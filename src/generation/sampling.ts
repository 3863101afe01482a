import { type Choose, createIndependentSelector, hiddenCandidates } from './independentRows.js';
import type { ResolvedGenerationOptions } from './options.js';
import { keepEpsilon } from './processors/epsilonCutoff.js';
import { keepEta } from './processors/etaCutoff.js';
import { keepMinP } from './processors/minP.js';
import { temperatureWeights } from './processors/temperature.js';
import { topKCandidates } from './processors/topK.js';
import { keepNucleus } from './processors/topP.js';
import { keepTypical } from './processors/typicalP.js';
import { uniformAt } from './random.js';
import type { SearchContext, Selector } from './selector.js';
import type { Candidates } from './stepModel.js';

/** The options that shape the distribution samples are drawn from, top-k aside. */
type ShapeOptions = Pick<
  ResolvedGenerationOptions,
  'temperature' | 'topP' | 'minP' | 'typicalP' | 'epsilonCutoff' | 'etaCutoff'
>;

/**
 * Sampling: each row draws its token from the model's distribution after penalties and bans, then temperature, top-k,
 * top-p, min-p, typical-p, epsilon and eta in Hugging Face's order. The random number is a function of (seed, sentence,
 * sample, position), so that a sample does not depend on what shares its batch. Candidates of exactly equal logits at
 * the edge of the top k are cut at k, where Hugging Face keeps them all.
 */
export function createSamplingSelector(context: SearchContext): Selector {
  const { classes, options } = context;
  const { topK, seed } = options;
  const vocabSize = classes.length;
  const logits = new Float64Array(vocabSize);
  const weights = new Float64Array(vocabSize);
  const places = new Int32Array(vocabSize);
  const shape = createShaper(options, vocabSize);

  /** Collects the candidates that may be drawn, and returns how many they are. */
  function gather({ ids, width, logits: all }: Candidates, row: number, hidden: number): number {
    const from = row * width;
    if (!ids) return gatherAll(all.subarray(from, from + width), classes, hidden, logits, places);
    const end = from + width;
    const most = topK > 0 ? topK : width;
    let allowed = 0;
    for (let at = from; at < end && allowed < most; at++) {
      const logit = all[at];
      if (logit === Number.NEGATIVE_INFINITY) continue;
      if ((classes[ids[at]] & hidden) !== 0) continue;
      logits[allowed] = logit;
      places[allowed++] = at - from;
    }
    return allowed;
  }

  const draw: Choose = (candidates, row, hidden, sentence, sample, count) => {
    let allowed = gather(candidates, row, hidden);
    if (allowed === 0) return -1;
    if (!candidates.ids && topK > 0 && topK < allowed) allowed = keepLargest(logits, places, allowed, topK);
    const uniform = uniformAt(seed, sentence, sample, count);
    const kept = shape(logits, places, allowed, weights);
    return places[pick(weights, kept.count, uniform * kept.sum)];
  };

  return createIndependentSelector(context, topKCandidates(topK, hiddenCandidates(context), vocabSize), draw);
}

/** All tokens of a row that may be drawn, and their places; a function of its own, whose loop knows the kinds of its arrays. */
function gatherAll(
  all: Float32Array,
  classes: Uint8Array,
  hidden: number,
  logits: Float64Array,
  places: Int32Array,
): number {
  let allowed = 0;
  for (let token = 0; token < all.length; token++) {
    const logit = all[token];
    if (logit === Number.NEGATIVE_INFINITY || (classes[token] & hidden) !== 0) continue;
    logits[allowed] = logit;
    places[allowed++] = token;
  }
  return allowed;
}

/**
 * Keeps the `k` largest of `count` logits and their places, of a vocabulary so small that the model returned all of it.
 *
 * @returns k
 */
export function keepLargest(logits: Float64Array, places: Int32Array, count: number, k: number): number {
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => logits[b] - logits[a] || a - b);
  const kept = order.slice(0, k);
  const keptLogits = kept.map((i) => logits[i]);
  places.set(kept.map((i) => places[i]));
  logits.set(keptLogits);
  return k;
}

/**
 * What follows top-k: a function of `count` logits and their places that leaves the weights of those to draw from in
 * `weights`, moves their places along, and returns how many they are and what they sum to.
 *
 * @param size the most candidates there will ever be
 * @param fewest how many are kept at least, where there are as many
 */
export function createShaper(options: ShapeOptions, size: number, fewest = 1) {
  const { temperature, topP, minP, typicalP, epsilonCutoff, etaCutoff } = options;
  const scratch = new Float64Array(size);
  return (logits: Float64Array, places: Int32Array, allowed: number, weights: Float64Array) => {
    let count = allowed;
    let sum = temperatureWeights(logits, count, temperature, weights);
    if (topP < 1) ({ count, sum } = keepNucleus(weights, places, count, sum, topP, scratch, fewest));
    if (minP > 0) ({ count, sum } = keepMinP(weights, places, count, minP, fewest));
    if (typicalP < 1) ({ count, sum } = keepTypical(weights, places, count, sum, typicalP, scratch, fewest));
    if (epsilonCutoff > 0) ({ count, sum } = keepEpsilon(weights, places, count, sum, epsilonCutoff, fewest));
    if (etaCutoff > 0) ({ count, sum } = keepEta(weights, places, count, sum, etaCutoff, fewest));
    return { count, sum };
  };
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
