import { addNode } from './backPointers.js';
import { createFinishedList, finish, finishedOf, scoreToBeat } from './finishedList.js';
import { unreadToken } from './frontier.js';
import { finishedWanted } from './optionConflicts.js';
import { createFinalScore } from './processors/coveragePenalty.js';
import { stopStringList } from './processors/stopStrings.js';
import { endToken } from './processors/suppressedTokens.js';
import type { SearchContext, Selector } from './selector.js';
import type { Candidates } from './stepModel.js';

/** Puts the continuations of a sentence's beams into the order in which they are considered. */
export interface Ranking {
  /** Candidates it needs of each row; 0 is all. */
  readonly candidates: number;
  /** Whether the order is one of chance: then all are considered, not only until the beams are full. */
  readonly drawn: boolean;
  /**
   * Calls `add` for one continuation after the other until it returns false. Arguments as in `Selector.advance`.
   *
   * @param add takes the beam, the index in `Candidates`, its log-probability and the summed one
   */
  rank(
    slot: number,
    candidates: Candidates,
    firstRow: number,
    rows: number,
    count: number,
    hidden: number,
    add: (beam: number, at: number, logProbability: number, score: number) => boolean,
  ): void;
}

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
export function createBeamSelector(
  context: SearchContext,
  ranking: Ranking = createBestFirst(context),
): Selector {
  const { frontier, pointers, options, limits, classes, batch } = context;
  const beams = frontier.beams;
  const { earlyStopping } = options;
  const finalScore = createFinalScore(context);
  const next = {
    parents: new Int32Array(beams),
    tokens: new Int32Array(beams),
    nodes: new Int32Array(beams),
    scores: new Float64Array(beams),
  };
  const finished = createFinishedList(batch, finishedWanted(options));

  /** Takes a place among the open beams, best first, if there is one. */
  function open(
    taken: number,
    parent: number,
    token: number,
    logProbability: number,
    score: number,
    row: number,
    candidateRow: number,
  ) {
    let at = taken;
    if (at === beams && !(score > next.scores[at - 1])) return taken;
    const node = addNode(pointers, frontier.nodes[row], token, logProbability, candidateRow);
    if (at === beams) at--;
    for (; at > 0 && score > next.scores[at - 1]; at--) {
      next.parents[at] = next.parents[at - 1];
      next.tokens[at] = next.tokens[at - 1];
      next.nodes[at] = next.nodes[at - 1];
      next.scores[at] = next.scores[at - 1];
    }
    next.parents[at] = parent;
    next.tokens[at] = token;
    next.nodes[at] = node;
    next.scores[at] = score;
    return Math.min(taken + 1, beams);
  }

  /** Whether no open beam can still improve on the finished hypotheses, by the rule of `earlyStopping`. */
  function isSettled(sentence: number, bestOpen: number, count: number): boolean {
    const least = scoreToBeat(finished, sentence);
    if (least === Number.NEGATIVE_INFINITY) return false;
    if (earlyStopping === true) return true;
    const length = earlyStopping === 'never' && finalScore.growing ? limits.maxNewTokens : count;
    return !(finalScore.bound(bestOpen, length) > least);
  }

  /** No row can go on and none has ended: what there is so far is the output. */
  function finishAsTheyAre(sentence: number, base: number, length: number): void {
    for (let row = 0; row < beams; row++) {
      const score = frontier.scores[base + row];
      if (score > Number.NEGATIVE_INFINITY && (frontier.nodes[base + row] >= 0 || row === 0)) {
        const node = frontier.nodes[base + row];
        finish(finished, sentence, finalScore.of(score, Math.max(1, length), node, sentence), node);
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
    const { ids, width } = candidates;
    let rank = 0;
    let taken = 0;
    ranking.rank(slot, candidates, firstRow, rows, count, hidden, (beam, at, logProbability, score) => {
      const token = ids ? ids[at] : at % width;
      const row = Math.floor(at / width);
      const ends = last || (classes[token] & endToken) !== 0 || stops?.[at] === 1;
      if (!ends) {
        taken = open(taken, beam, token, logProbability, score, base + beam, row);
      } else if (rank < beams) {
        const node = addNode(pointers, frontier.nodes[base + beam], token, logProbability, row);
        finish(finished, sentence, finalScore.of(score, count, node, sentence), node);
      }
      rank++;
      return last ? rank < beams : ranking.drawn || taken < beams;
    });
    if (taken === 0) {
      if (finished.counts[sentence] === 0) finishAsTheyAre(sentence, base, count - 1);
      return true;
    }
    for (let row = 0; row < beams; row++) {
      const alive = row < taken;
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

  return { candidates: ranking.candidates, advance, outputs };
}

/** All continuations by summed log-probability, the best first: the rows' candidates arrive sorted and are merged. */
function createBestFirst(context: SearchContext): Ranking {
  const { frontier, options, classes, rules } = context;
  const { beams } = frontier;
  const { siblingPenalty } = options;
  let rankPenalty = 0;
  const heads = new Int32Array(beams);
  /** Which of its parent's continuations each head is, from 1. */
  const siblings = new Int32Array(beams);
  const headScores = new Float64Array(beams);

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

  return {
    candidates: wanted,
    drawn: false,
    rank: (slot, candidates, firstRow, rows, _, hidden, add) => {
      const base = slot * beams;
      // First tokens have no cousins to be held against; where tokens are forced, nothing is hidden and nothing to choose.
      rankPenalty = rows === 1 || hidden === 0 ? 0 : siblingPenalty;
      for (let row = 0; row < rows; row++) {
        heads[row] = 0;
        siblings[row] = 0;
        settleHead(candidates, firstRow, base, row, hidden);
      }
      for (;;) {
        let best = -1;
        let score = Number.NEGATIVE_INFINITY;
        for (let row = 0; row < rows; row++) {
          if (headScores[row] > score) {
            best = row;
            score = headScores[row];
          }
        }
        if (best < 0) return;
        const at = (firstRow + best) * candidates.width + heads[best];
        if (!add(best, at, stepScore(candidates, firstRow + best, best, at), score)) return;
        heads[best]++;
        settleHead(candidates, firstRow, base, best, hidden);
      }
    },
  };
}
