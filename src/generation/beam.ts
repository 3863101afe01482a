import { addNode } from './backPointers.js';
import { conventionsOf } from './conventions.js';
import { createFinishedList, finish, finishedOf, finishedRoom, scoreToBeat } from './finishedList.js';
import { unreadToken } from './frontier.js';
import { finishedWanted } from './optionConflicts.js';
import type { ResolvedGenerationOptions } from './optionsSchema.js';
import { createFinalScore } from './processors/coveragePenalty.js';
import { stopStringList } from './processors/stopStrings.js';
import { endToken } from './processors/suppressedTokens.js';
import type { SearchContext, Selector } from './selector.js';
import type { Candidates } from './stepModel.js';

/** Orders the continuations of a sentence's beams for consideration. */
export interface Ranking {
  /** Candidates it needs of each row; 0 is all. */
  readonly candidates: number;
  /** Whether the order is random: then all are considered, not only until the beams are full. */
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
 * Beam search. `Conventions` has the differences between toolkits; the default is Hugging Face transformers 5
 * (`GenerationMixin._beam_search`):
 *
 * - A step ranks all continuations of all beams by summed log-probability. Those that end and rank among the first
 *   `beams` become finished hypotheses; the best `beams` that do not end go on.
 * - A finished hypothesis scores log-probability / length^lengthPenalty, or what replaces it; the best `beams` of them,
 *   times `patience`, are kept.
 * - With `siblingPenalty` γ (Li et al., "A simple, fast diverse decoding algorithm", 2016, as fairseq applies it) the
 *   k-th best continuation of a hypothesis loses γ·k, so that one parent does not fill the beam.
 * - The sentence stops at the length limit, or as `earlyStopping` says once that many hypotheses are finished.
 *
 * In other toolkits a hypothesis that ends occupies a beam, in that step or permanently. Then only the first of all
 * continuations are considered, as many as there are free beams; or all of the first `beams` that end are finished, and the
 * sentence stops once there are enough of them.
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
  const conventions = conventionsOf(options);
  const fillsPlaces = conventions.endTakesPlace === 'none';
  const keepsBest = conventions.keeps === 'best';
  /** Tokens before the new ones that count in the length of scores; a prefix of alternatives does not. */
  const before = conventions.promptCounts && !options.returnAlternatives ? frontier.promptLength - 1 : 0;
  /** Where the best continuation decides when a sentence is done: whether it has ended. */
  const led = stopsAtBest(options) ? new Uint8Array(batch) : undefined;
  /** New token that only the best continuation may end with; 0 is none. */
  const leaderOnly =
    conventions.onlyBestEndsFirst && !options.returnAlternatives ? firstAfterPrompt(context) : 0;
  const finalScore = createFinalScore(context);
  const next = {
    parents: new Int32Array(beams),
    tokens: new Int32Array(beams),
    nodes: new Int32Array(beams),
    scores: new Float64Array(beams),
  };
  const room = finishedRoom(finishedWanted(options), beams, limits.maxNewTokens);
  const finished = createFinishedList(batch, room);

  /** Adds a continuation to the open beams, best first, if one is free. */
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
    if (conventions.stops === 'exhausted') return false;
    if (led) return led[sentence] === 1 && finished.counts[sentence] >= options.numReturnSequences;
    if (finished.counts[sentence] < room) return false;
    if (conventions.stops === 'enough' || earlyStopping === true) return true;
    const length = earlyStopping === 'never' && finalScore.growing ? limits.maxNewTokens : count;
    return !(finalScore.bound(bestOpen, length) > scoreToBeat(finished, sentence));
  }

  /** No row can continue and none has ended: the hypotheses so far are the outputs. */
  function finishAsTheyAre(sentence: number, base: number, length: number): void {
    for (let row = 0; row < beams; row++) {
      const score = frontier.scores[base + row];
      if (score > Number.NEGATIVE_INFINITY && (frontier.nodes[base + row] >= 0 || row === 0)) {
        const node = frontier.nodes[base + row];
        const final = finalScore.of(score, Math.max(1, before + length), node, sentence);
        finish(finished, sentence, final, node);
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
    const places = conventions.endTakesPlace === 'always' ? beams - finished.counts[sentence] : beams;
    let rank = 0;
    let taken = 0;
    let lost = 0;
    ranking.rank(slot, candidates, firstRow, rows, count, hidden, (beam, at, logProbability, score) => {
      const token = ids ? ids[at] : at % width;
      const row = Math.floor(at / width);
      const isEnd = (classes[token] & endToken) !== 0 || stops?.[at] === 1;
      if (!last && !isEnd) {
        taken = open(taken, beam, token, logProbability, score, base + beam, row);
      } else if (isEnd && rank > 0 && count === leaderOnly) {
        if (rank < places) lost++;
      } else if (rank < places) {
        if (led && rank === 0) led[sentence] = 1;
        const node = addNode(pointers, frontier.nodes[base + beam], token, logProbability, row);
        if (keepsBest || finished.counts[sentence] < room) {
          finish(finished, sentence, finalScore.of(score, before + count, node, sentence), node);
        }
      }
      rank++;
      if (last || !fillsPlaces) return rank < places;
      return ranking.drawn || taken + lost < places;
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
  /** Rank of each head among its parent's continuations, from 1. */
  const siblings = new Int32Array(beams);
  const headScores = new Float64Array(beams);

  const { suppressedTokenIds = [], beginSuppressedTokenIds = [], eosTokenIds } = rules;
  // Any of a row's best may turn out to complete a stop string.
  const stopping = stopStringList(options).length > 0 ? beams : 0;
  const wanted =
    beams + stopping + eosTokenIds.length + suppressedTokenIds.length + beginSuppressedTokenIds.length;

  /** A head's change of the score of its hypothesis: see `siblingPenalty`. */
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
      // First tokens have no siblings of other parents; forced tokens are neither hidden nor chosen.
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

/** Whether a sentence is done by `Conventions.stopsAtBest`. */
function stopsAtBest(options: ResolvedGenerationOptions): boolean {
  const { lengthPenalty, gnmtLengthPenalty, wordReward, coveragePenalty } = options;
  const plain = lengthPenalty === 0 && gnmtLengthPenalty === undefined && wordReward === undefined;
  return plain && coveragePenalty === 0 && conventionsOf(options).stopsAtBest;
}

/** Number of the first new token after a prompt or a forced token; 0 where there is none. */
function firstAfterPrompt({ frontier, rules }: SearchContext): number {
  if (frontier.promptLength > 1) return 1;
  return rules.forcedBosTokenId === undefined ? 0 : 2;
}
