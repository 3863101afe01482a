import type { Ranking } from './beam.js';
import { hiddenCandidates } from './independentRows.js';
import { exponential } from './processors/exponential.js';
import { topKCandidates } from './processors/topK.js';
import { uniformAt } from './random.js';
import { createShaper, keepLargest } from './sampling.js';
import type { SearchContext } from './selector.js';
import type { Candidates } from './stepModel.js';

/** Once the remaining sum is below this share of the first, it has lost precision, and weights are computed anew. */
const smallRemainder = 1e-6;

/**
 * Beam sampling, as transformers 5 does it (`_beam_search` with `do_sample`): instead of ranking all continuations of all
 * beams, draws (1 + number of end tokens) · beams of them, at least 2 · beams, without replacement, each with probability
 * proportional to exp(summed log-probability). What is summed are log-probabilities after temperature, top-k, top-p and the
 * other filters of sampling, which are not normalized again unless the model says so. The filters keep at least one token
 * more than there are end tokens.
 *
 * The random number is a function of (seed, sentence, draw, position), whatever the batch.
 */
export function createDrawnRanking(context: SearchContext): Ranking {
  const { frontier, classes, options, rules, sentenceIds } = context;
  const { beams } = frontier;
  const { topK, seed, temperature } = options;
  const vocabSize = classes.length;
  const leastKept = rules.eosTokenIds.length + 1;
  const cut = topK === 0 ? 0 : Math.max(topK, leastKept);
  const draws = Math.max(2, leastKept) * beams;
  const room = cut === 0 ? vocabSize : Math.min(cut, vocabSize);
  const logits = new Float64Array(vocabSize);
  const weights = new Float64Array(vocabSize);
  const places = new Int32Array(vocabSize);
  const shape = createShaper(options, vocabSize, leastKept);
  /** What may be drawn, row after row. */
  const pool = {
    count: 0,
    rows: new Int32Array(beams * room),
    at: new Int32Array(beams * room),
    logProbabilities: new Float64Array(beams * room),
    scores: new Float64Array(beams * room),
    weights: new Float64Array(beams * room),
  };

  /** Adds what the filters leave of one row. */
  function addRow(
    candidates: Candidates,
    modelRow: number,
    row: number,
    before: number,
    hidden: number,
  ): void {
    const { ids, width, logSumExp } = candidates;
    const offset = modelRow * width;
    let allowed = 0;
    for (let place = 0; place < width && (ids === undefined || cut === 0 || allowed < cut); place++) {
      const logit = candidates.logits[offset + place];
      if (logit === Number.NEGATIVE_INFINITY) continue;
      if ((classes[ids ? ids[offset + place] : place] & hidden) !== 0) continue;
      logits[allowed] = logit;
      places[allowed++] = place;
    }
    if (allowed === 0) return;
    if (!ids && cut > 0 && cut < allowed) allowed = keepLargest(logits, places, allowed, cut);
    // Forced tokens are not filtered: nothing is hidden then.
    const shaped = hidden !== 0;
    const kept = shaped ? shape(logits, places, allowed, weights) : { count: allowed, sum: 1 };
    const divisor = shaped ? temperature : 1;
    // What is subtracted before the division: 1 over all tokens, or over those that are left.
    const total =
      shaped && rules.renormalize ? highest(logits, allowed) + divisor * Math.log(kept.sum) : undefined;
    for (let i = 0; i < kept.count; i++) {
      const at = offset + places[i];
      const logProbability = (candidates.logits[at] - (total ?? logSumExp[modelRow])) / divisor;
      pool.rows[pool.count] = row;
      pool.at[pool.count] = at;
      pool.logProbabilities[pool.count] = logProbability;
      pool.scores[pool.count++] = before + logProbability;
    }
  }

  /** Weights of what is not drawn yet, the largest 1. @returns their sum */
  function weigh(): number {
    let largest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < pool.count; i++) {
      if (pool.weights[i] >= 0 && pool.scores[i] > largest) largest = pool.scores[i];
    }
    for (let i = 0; i < pool.count; i++) {
      if (pool.weights[i] >= 0) pool.weights[i] = exponential(pool.scores[i] - largest);
    }
    return remainder();
  }

  /** A drawn continuation has weight -1. */
  function remainder(): number {
    let sum = 0;
    for (let i = 0; i < pool.count; i++) if (pool.weights[i] > 0) sum += pool.weights[i];
    return sum;
  }

  function pick(target: number): number {
    let running = 0;
    let last = -1;
    for (let i = 0; i < pool.count; i++) {
      if (!(pool.weights[i] > 0)) continue;
      running += pool.weights[i];
      last = i;
      if (target < running) return i;
    }
    return last;
  }

  return {
    drawn: true,
    candidates: topKCandidates(cut, hiddenCandidates(context), vocabSize),
    rank: (slot, candidates, firstRow, rows, count, hidden, add) => {
      pool.count = 0;
      for (let row = 0; row < rows; row++) {
        const before = frontier.scores[slot * beams + row];
        if (before > Number.NEGATIVE_INFINITY) addRow(candidates, firstRow + row, row, before, hidden);
      }
      pool.weights.fill(0, 0, pool.count);
      const sentence = sentenceIds[frontier.sentences[slot]];
      const wanted = Math.min(draws, pool.count);
      let sum = weigh();
      for (let draw = 0; draw < wanted; draw++) {
        const left = draw === 0 ? sum : remainder();
        if (left < smallRemainder * sum) sum = weigh();
        const drawn = pick(
          uniformAt(seed, sentence, draw, count) * (left < smallRemainder * sum ? sum : left),
        );
        pool.weights[drawn] = -1;
        if (!add(pool.rows[drawn], pool.at[drawn], pool.logProbabilities[drawn], pool.scores[drawn])) return;
      }
    },
  };
}

function highest(values: Float64Array, count: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i++) if (values[i] > most) most = values[i];
  return most;
}
