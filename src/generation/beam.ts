import { addNode } from './backPointers.js';
import { createFinishedList, finish, finishedOf, scoreToBeat } from './finishedList.js';
import { unreadToken } from './frontier.js';
import { finishedWanted } from './optionConflicts.js';
import { createLengthScore } from './processors/lengthScore.js';
import { stopStringList } from './processors/stopStrings.js';
import { endToken } from './processors/suppressedTokens.js';
import type { SearchContext, Selector } from './selector.js';
import type { Candidates } from './stepModel.js';

/**
 * Beam search with the semantics of Hugging Face transformers 5 (`GenerationMixin._beam_search`):
 *
 * - A step ranks all continuations of all beams by summed log-probability. Those that end and rank among the first
 *   `beams` become finished hypotheses; the best `beams` that do not end go on.
 * - A finished hypothesis scores log-probability / length^lengthPenalty, or what replaces it; the best `beams` of them,
 *   times `patience`, are kept.
 * - With `siblingPenalty` γ (Li et al., "A simple, fast diverse decoding algorithm", 2016, as fairseq applies it) the
 *   k-th best continuation of a hypothesis loses γ·k, so that one parent does not fill the beam.
 * - The sentence stops at the length limit, or as `earlyStopping` says once that many hypotheses are finished.
 *
 * Both sets lie within the first beams + (number of end tokens) allowed candidates of a row, so that is all the model is
 * asked for; rows arrive sorted and are merged, not sorted again. Where a vocabulary or bans leave fewer than `beams`
 * continuations, the other rows are dead (score -Infinity) instead of repeating one another; where they leave none, the
 * rows end as they are.
 */
export function createBeamSelector(context: SearchContext): Selector {
  const { frontier, pointers, options, limits, classes, rules, batch } = context;
  const beams = frontier.beams;
  const { earlyStopping, siblingPenalty } = options;
  let rankPenalty = 0;
  const lengthScore = createLengthScore(options);
  const room = finishedWanted(options);
  const heads = new Int32Array(beams);
  /** Which of its parent's continuations each head is, from 1. */
  const siblings = new Int32Array(beams);
  const headScores = new Float64Array(beams);
  const next = {
    parents: new Int32Array(beams),
    tokens: new Int32Array(beams),
    nodes: new Int32Array(beams),
    scores: new Float64Array(beams),
  };
  const finished = createFinishedList(batch, room);

  const { suppressedTokenIds = [], beginSuppressedTokenIds = [], eosTokenIds } = rules;
  // Any of a row's best may turn out to complete a stop string.
  const stopping = stopStringList(options).length > 0 ? beams : 0;
  const wanted =
    beams + stopping + eosTokenIds.length + suppressedTokenIds.length + beginSuppressedTokenIds.length;

  /** What a head adds to the score of its hypothesis: see `siblingPenalty`. */
  function stepScore({ logits, logSumExp }: Candidates, modelRow: number, row: number, at: number): number {
    const logProbability = logits[at] - logSumExp[modelRow];
    return rankPenalty === 0 ? logProbability : logProbability - rankPenalty * siblings[row];
  }

  /** Moves row `row`'s head on to its next allowed candidate. */
  function settleHead(
    candidates: Candidates,
    firstRow: number,
    base: number,
    row: number,
    hidden: number,
  ): void {
    const { width } = candidates;
    const ids = candidates.ids as Int32Array;
    const offset = (firstRow + row) * width;
    while (heads[row] < width && (classes[ids[offset + heads[row]]] & hidden) !== 0) heads[row]++;
    siblings[row]++;
    headScores[row] =
      heads[row] < width
        ? frontier.scores[base + row] + stepScore(candidates, firstRow + row, row, offset + heads[row])
        : Number.NEGATIVE_INFINITY;
  }

  /** Whether no open beam can still improve on the finished hypotheses, by the rule of `earlyStopping`. */
  function isSettled(sentence: number, bestOpen: number, count: number): boolean {
    const least = scoreToBeat(finished, sentence);
    if (least === Number.NEGATIVE_INFINITY) return false;
    if (earlyStopping === true) return true;
    const length = earlyStopping === 'never' && lengthScore.growing ? limits.maxNewTokens : count;
    return !(lengthScore.of(bestOpen, length) > least);
  }

  /** No row can go on and none has ended: what there is so far is the output. */
  function finishAsTheyAre(sentence: number, base: number, length: number): void {
    for (let row = 0; row < beams; row++) {
      const score = frontier.scores[base + row];
      if (score > Number.NEGATIVE_INFINITY && (frontier.nodes[base + row] >= 0 || row === 0)) {
        finish(finished, sentence, lengthScore.of(score, Math.max(1, length)), frontier.nodes[base + row]);
      }
    }
  }

  function advance(
    slot: number,
    candidates: Candidates,
    firstRow: number,
    rows: number,
    count: number,
    hidden: number,
    last: boolean,
    stops?: Uint8Array,
  ): boolean {
    const base = slot * beams;
    const sentence = frontier.sentences[slot];
    const ids = candidates.ids as Int32Array;
    // First tokens have no cousins to be held against; where tokens are forced, nothing is hidden and nothing to choose.
    rankPenalty = rows === 1 || hidden === 0 ? 0 : siblingPenalty;
    for (let row = 0; row < rows; row++) {
      heads[row] = 0;
      siblings[row] = 0;
      settleHead(candidates, firstRow, base, row, hidden);
    }
    let open = 0;
    for (let rank = 0; last ? rank < beams : open < beams; rank++) {
      let best = -1;
      let score = Number.NEGATIVE_INFINITY;
      for (let row = 0; row < rows; row++) {
        if (headScores[row] > score) {
          best = row;
          score = headScores[row];
        }
      }
      if (best < 0) break;
      const at = (firstRow + best) * candidates.width + heads[best];
      const token = ids[at];
      const ends = last || (classes[token] & endToken) !== 0 || stops?.[at] === 1;
      if (!ends || rank < beams) {
        const logProbability = stepScore(candidates, firstRow + best, best, at);
        const node = addNode(pointers, frontier.nodes[base + best], token, logProbability);
        if (ends) {
          finish(finished, sentence, lengthScore.of(score, count), node);
        } else {
          next.parents[open] = best;
          next.tokens[open] = token;
          next.nodes[open] = node;
          next.scores[open++] = score;
        }
      }
      heads[best]++;
      settleHead(candidates, firstRow, base, best, hidden);
    }
    if (open === 0) {
      if (finished.counts[sentence] === 0) finishAsTheyAre(sentence, base, count - 1);
      return true;
    }
    for (let row = 0; row < beams; row++) {
      const alive = row < open;
      frontier.parents[base + row] = alive ? next.parents[row] : row;
      frontier.tokens[base + row] = alive ? next.tokens[row] : unreadToken;
      frontier.nodes[base + row] = alive ? next.nodes[row] : -1;
      frontier.scores[base + row] = alive ? next.scores[row] : Number.NEGATIVE_INFINITY;
    }
    return isSettled(sentence, next.scores[0], count);
  }

  function outputs(sentence: number) {
    return finishedOf(finished, sentence).slice(0, options.numReturnSequences);
  }

  return { candidates: wanted, advance, outputs };
}
