import { addNode, trace } from './backPointers.js';
import { createFinishedList, finish, finishedOf, finishedRoom, scoreToBeat } from './finishedList.js';
import { unreadToken } from './frontier.js';
import { hiddenCandidates } from './independentRows.js';
import { createFinalScore } from './processors/coveragePenalty.js';
import { stopStringList } from './processors/stopStrings.js';
import { endToken } from './processors/suppressedTokens.js';
import type { SearchContext, Selector } from './selector.js';
import type { Candidates } from './stepModel.js';

/** A continuation of one of a group's beams. */
interface Continuation {
  /** The sentence's beam that it continues. */
  parent: number;
  /** Row of the candidates. */
  row: number;
  /** Index in `Candidates`. */
  at: number;
  token: number;
  logProbability: number;
  /** Summed log-probability of the hypothesis, penalties included. */
  score: number;
}

/**
 * Diverse beam search (Vijayakumar et al., "Diverse beam search", 2018, with the Hamming penalty) as transformers 4.51
 * did it (`_group_beam_search`): `numBeamGroups` beam searches of numBeams / numBeamGroups beams each. The groups choose
 * one after the other, and a token loses `diversityPenalty` for each beam of an earlier group that has just taken it. The
 * penalty is part of a hypothesis's score. In the end the finished hypotheses of all groups are ranked together; one that
 * several groups have found counts once.
 *
 * A penalized token can only lose ranks, and at most the beams of earlier groups are penalized, so that many more candidates
 * of each row are enough.
 */
export function createGroupBeamSelector(context: SearchContext): Selector {
  const { frontier, pointers, options, limits, classes, rules, batch } = context;
  const beams = frontier.beams;
  const groups = options.numBeamGroups;
  const size = beams / groups;
  const { diversityPenalty, earlyStopping } = options;
  const finalScore = createFinalScore(context);
  const patient = Math.max(1, Math.round(size * options.patience));
  const finished = createFinishedList(batch * groups, finishedRoom(patient, size, limits.maxNewTokens));
  const done = new Uint8Array(batch * groups);
  const stopping = stopStringList(options).length > 0 ? size : 0;
  const forbidden = hiddenCandidates({ ...context, limits: { ...limits, minNewTokens: 0 } });
  const wanted = beams + stopping + rules.eosTokenIds.length + forbidden;

  /** The best continuations of a group, best first; as many as can matter. */
  function rank(
    slot: number,
    group: number,
    { ids, logits, logSumExp, width }: Candidates,
    firstRow: number,
    rows: number,
    hidden: number,
    taken: Map<number, number>,
  ): Continuation[] {
    const found: Continuation[] = [];
    for (let parent = group * size; parent < (rows === 1 ? group * size + 1 : (group + 1) * size); parent++) {
      const row = rows === 1 ? firstRow : firstRow + parent;
      const before = frontier.scores[slot * beams + parent];
      for (let at = row * width; at < (row + 1) * width; at++) {
        const token = (ids as Int32Array)[at];
        if ((classes[token] & hidden) !== 0) continue;
        // Forced tokens are not hidden, and no choice is penalized.
        const penalty = hidden === 0 ? 0 : diversityPenalty * (taken.get(token) ?? 0);
        const logProbability = logits[at] - logSumExp[row] - penalty;
        const score = before + logProbability;
        if (score > Number.NEGATIVE_INFINITY) found.push({ parent, row, at, token, logProbability, score });
      }
    }
    return found.sort((a, b) => b.score - a.score || a.parent - b.parent || a.token - b.token);
  }

  /** Chooses for one group. @returns whether it has finished */
  function advanceGroup(
    slot: number,
    group: number,
    ranked: readonly Continuation[],
    count: number,
    last: boolean,
    stops?: Uint8Array,
  ): boolean {
    const search = frontier.sentences[slot] * groups + group;
    const first = slot * beams + group * size;
    const next: { from: Continuation; node: number }[] = [];
    for (let place = 0; place < ranked.length && next.length < size; place++) {
      const from = ranked[place];
      const ends = (classes[from.token] & endToken) !== 0 || stops?.[from.at] === 1;
      if (ends && place >= size) continue;
      const node = addNode(
        pointers,
        frontier.nodes[slot * beams + from.parent],
        from.token,
        from.logProbability,
        from.row,
      );
      if (ends) finishOne(search, from.score, count, node);
      else next.push({ from, node });
    }
    if (next.length === 0 && finished.counts[search] === 0) finishAsTheyAre(search, first, count - 1);
    for (let beam = 0; beam < size; beam++) {
      const chosen = next[beam];
      frontier.parents[first + beam] = chosen?.from.parent ?? group * size + beam;
      frontier.tokens[first + beam] = chosen?.from.token ?? unreadToken;
      frontier.nodes[first + beam] = chosen?.node ?? -1;
      frontier.scores[first + beam] = chosen?.from.score ?? Number.NEGATIVE_INFINITY;
    }
    if (next.length === 0 || isSettled(search, ranked[0].score, count)) return true;
    if (last) {
      for (const { from, node } of next) finishOne(search, from.score, count, node);
    }
    return last;
  }

  function finishOne(search: number, score: number, length: number, node: number): void {
    finish(finished, search, finalScore.of(score, length, node, Math.floor(search / groups)), node);
  }

  /** Whether no open beam can still improve on the finished hypotheses; `best` is that of all continuations. */
  function isSettled(search: number, best: number, count: number): boolean {
    const least = scoreToBeat(finished, search);
    if (least === Number.NEGATIVE_INFINITY) return false;
    if (earlyStopping === true) return true;
    const length = earlyStopping === 'never' && finalScore.growing ? limits.maxNewTokens : count;
    return !(finalScore.bound(best, length) > least);
  }

  /** No beam of the group can continue and none has ended: the hypotheses so far are its outputs. */
  function finishAsTheyAre(search: number, first: number, length: number): void {
    for (let row = first; row < first + size; row++) {
      const score = frontier.scores[row];
      if (score > Number.NEGATIVE_INFINITY && (frontier.nodes[row] >= 0 || row === first)) {
        finishOne(search, score, Math.max(1, length), frontier.nodes[row]);
      }
    }
  }

  function close(slot: number, group: number): void {
    const first = slot * beams + group * size;
    for (let beam = 0; beam < size; beam++) {
      frontier.parents[first + beam] = group * size + beam;
      frontier.tokens[first + beam] = unreadToken;
      frontier.scores[first + beam] = Number.NEGATIVE_INFINITY;
    }
  }

  return {
    candidates: wanted,
    advance: (slot, candidates, firstRow, rows, count, hidden, last, stops) => {
      const sentence = frontier.sentences[slot];
      const taken = new Map<number, number>();
      let open = 0;
      for (let group = 0; group < groups; group++) {
        const search = sentence * groups + group;
        if (!done[search]) {
          const ranked = rank(slot, group, candidates, firstRow, rows, hidden, taken);
          done[search] = Number(advanceGroup(slot, group, ranked, count, last, stops));
          for (let beam = 0; beam < size; beam++) {
            const row = slot * beams + group * size + beam;
            const token = frontier.tokens[row];
            if (frontier.nodes[row] >= 0) taken.set(token, (taken.get(token) ?? 0) + 1);
          }
        }
        if (done[search]) close(slot, group);
        else open++;
      }
      return open === 0;
    },
    outputs: (sentence) => {
      const all = Array.from({ length: groups }, (_, group) =>
        finishedOf(finished, sentence * groups + group),
      );
      const ranked = all.flat().sort((a, b) => b.score - a.score);
      const best = new Map<string, { node: number; score: number }>();
      for (const one of ranked) {
        const ids = trace(pointers, one.node).ids.join(' ');
        if (!best.has(ids)) best.set(ids, one);
      }
      return [...best.values()].slice(0, options.numReturnSequences);
    },
  };
}
