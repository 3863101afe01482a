import { addNode, trace } from './backPointers.js';
import { createFinishedList, finish, finishedOf, finishedRoom, scoreToBeat } from './finishedList.js';
import { unreadToken } from './frontier.js';
import { hiddenCandidates } from './independentRows.js';
import { finishedWanted } from './optionConflicts.js';
import { createFinalScore } from './processors/coveragePenalty.js';
import { type Constraint, type ConstraintState, createTracker } from './processors/lexicalConstraints.js';
import { endToken } from './processors/suppressedTokens.js';
import type { SearchContext, Selector } from './selector.js';
import type { Candidates } from './stepModel.js';

/** Tokens that the model was asked about. */
type Lookup = ReturnType<NonNullable<Selector['lookup']>>;

/** A continuation of one beam. */
interface Continuation {
  parent: number;
  /** Row of the candidates. */
  row: number;
  token: number;
  logProbability: number;
  score: number;
  state: ConstraintState;
}

/**
 * Beam search under positive lexical constraints, with dynamic beam allocation (Post and Vilar, "Fast lexically
 * constrained decoding with dynamic beam allocation", 2018; phrases and alternatives as in Hu et al., 2019):
 *
 * - In addition to a row's best candidates, tokens that advance a constraint are considered.
 * - Continuations are divided into banks by the number of constraint tokens they have met, and the beams are divided
 *   equally among the banks. Beams that a bank cannot fill go to the one below; those that none below can fill go to the
 *   banks above.
 * - A hypothesis may end once all its constraints are met. Those that end and rank among the first `beams` of the last
 *   bank are finished.
 *
 * The fullest bank always has a beam, and one of its continuations advances by a token. So constraints are met if
 * their tokens are allowed and the length suffices. Otherwise the outputs are the hypotheses that met most.
 * Without constraints this is `createBeamSelector`.
 */
export function createConstrainedSelector(
  context: SearchContext,
  constraints: readonly (readonly Constraint[])[],
): Selector {
  const { frontier, pointers, options, limits, classes, rules, batch } = context;
  const beams = frontier.beams;
  const finalScore = createFinalScore(context);
  const room = finishedRoom(finishedWanted(options), beams, limits.maxNewTokens);
  const finished = createFinishedList(batch, room);
  const trackers = constraints.map((list) => createTracker(list, options.orderedConstraints));
  /** Of each back-pointer. */
  const states: ConstraintState[] = [];
  let lookups: Lookup = { lookup: new Int32Array(0), lookupWidth: 0 };
  const forbidden = hiddenCandidates({ ...context, limits: { ...limits, minNewTokens: 0 } });

  function stateOf(slot: number, beam: number): ConstraintState {
    const node = frontier.nodes[slot * beams + beam];
    return node < 0 ? trackers[frontier.sentences[slot]].start : states[node];
  }

  /** The tokens that advance the rows' constraints, whose logits the model looks up. */
  function lookup(rows: number): Lookup {
    const lists: (readonly number[])[] = [];
    for (let slot = 0; slot < frontier.active; slot++) {
      for (let beam = 0; beam < rows; beam++) {
        const idle =
          frontier.finished[slot] === 1 || frontier.scores[slot * beams + beam] === Number.NEGATIVE_INFINITY;
        lists.push(idle ? [] : stateOf(slot, beam).needed);
      }
    }
    const lookupWidth = lists.reduce((width, list) => Math.max(width, list.length), 1);
    const ids = new Int32Array(lists.length * lookupWidth).fill(-1);
    for (let row = 0; row < lists.length; row++) ids.set(lists[row], row * lookupWidth);
    lookups = { lookup: ids, lookupWidth };
    return lookups;
  }

  /** Whether a row's candidates include a token. */
  function offers({ ids, width }: Candidates, row: number, token: number): boolean {
    for (let at = row * width; at < (row + 1) * width; at++)
      if ((ids as Int32Array)[at] === token) return true;
    return false;
  }

  /** All continuations that may be chosen, best first. */
  function rank(
    slot: number,
    candidates: Candidates,
    firstRow: number,
    rows: number,
    hidden: number,
  ): Continuation[] {
    const tracker = trackers[frontier.sentences[slot]];
    const { width, logits, lookedUp } = candidates;
    const ids = candidates.ids as Int32Array;
    const { lookup: asked, lookupWidth } = lookups;
    const found: Continuation[] = [];
    for (let parent = 0; parent < rows; parent++) {
      const before = frontier.scores[slot * beams + parent];
      if (before === Number.NEGATIVE_INFINITY) continue;
      const state = stateOf(slot, parent);
      // Forced tokens are not hidden, and a forced end is chosen even if constraints are unmet.
      const barred = hidden === 0 || state.whole ? hidden : hidden | endToken;
      const row = firstRow + parent;
      const consider = (token: number, logit: number) => {
        if ((classes[token] & barred) !== 0 || logit === Number.NEGATIVE_INFINITY) return;
        const logProbability = logit - candidates.logSumExp[row];
        const score = before + logProbability;
        found.push({ parent, row, token, logProbability, score, state: tracker.follow(state, token) });
      };
      for (let at = row * width; at < (row + 1) * width; at++) consider(ids[at], logits[at]);
      for (let at = row * lookupWidth; lookedUp && at < (row + 1) * lookupWidth; at++) {
        if (asked[at] >= 0 && !offers(candidates, row, asked[at])) consider(asked[at], lookedUp[at]);
      }
    }
    return found.sort((a, b) => b.score - a.score || a.parent - b.parent);
  }

  /** Moves the rows of a slot on to the chosen continuations. */
  function moveOn(slot: number, chosen: readonly Continuation[]): void {
    const base = slot * beams;
    const nodes = chosen.map((one) => addState(base, one));
    for (let beam = 0; beam < beams; beam++) {
      const one = chosen[beam];
      frontier.parents[base + beam] = one?.parent ?? beam;
      frontier.tokens[base + beam] = one?.token ?? unreadToken;
      frontier.nodes[base + beam] = nodes[beam] ?? -1;
      frontier.scores[base + beam] = one?.score ?? Number.NEGATIVE_INFINITY;
    }
  }

  function addState(base: number, { parent, row, token, logProbability, state }: Continuation): number {
    const node = addNode(pointers, frontier.nodes[base + parent], token, logProbability, row);
    states[node] = state;
    return node;
  }

  function finishOne(sentence: number, score: number, length: number, node: number): void {
    finish(finished, sentence, finalScore.of(score, length, node, sentence), node);
  }

  /** Finishes hypotheses as they are: the best of those that met most constraints. */
  function finishBest(slot: number, ranked: readonly Continuation[], count: number): void {
    const base = slot * beams;
    for (const one of farthest(ranked, ({ state }) => state).slice(0, beams)) {
      finishOne(frontier.sentences[slot], one.score, count, addState(base, one));
    }
  }

  /** No row can continue and none has ended: the hypotheses so far that met most constraints are the outputs. */
  function finishRows(slot: number, length: number): void {
    const open: number[] = [];
    for (let beam = 0; beam < beams; beam++) {
      const row = slot * beams + beam;
      const exists = frontier.nodes[row] >= 0 || beam === 0;
      if (exists && frontier.scores[row] > Number.NEGATIVE_INFINITY) open.push(beam);
    }
    for (const beam of farthest(open, (one) => stateOf(slot, one))) {
      const row = slot * beams + beam;
      finishOne(frontier.sentences[slot], frontier.scores[row], Math.max(1, length), frontier.nodes[row]);
    }
  }

  function isSettled(sentence: number, bestOpen: number, count: number): boolean {
    const least = scoreToBeat(finished, sentence);
    if (least === Number.NEGATIVE_INFINITY) return false;
    if (options.earlyStopping === true) return true;
    const length = options.earlyStopping === 'never' && finalScore.growing ? limits.maxNewTokens : count;
    return !(finalScore.bound(bestOpen, length) > least);
  }

  return {
    candidates: beams + rules.eosTokenIds.length + forbidden,
    lookup,
    advance: (slot, candidates, firstRow, rows, count, hidden, last) => {
      const sentence = frontier.sentences[slot];
      const { total } = trackers[sentence];
      const ranked = rank(slot, candidates, firstRow, rows, hidden);
      const open = ranked.filter(({ token }) => !last && (classes[token] & endToken) === 0);
      const whole = ranked.filter(({ state }) => state.whole).slice(0, beams);
      for (const one of whole) {
        if (!last && (classes[one.token] & endToken) === 0) continue;
        finishOne(sentence, one.score, count, addState(slot * beams, one));
      }
      if (open.length === 0) {
        if (finished.counts[sentence] === 0 && ranked.length > 0) finishBest(slot, ranked, count);
        if (finished.counts[sentence] === 0) finishRows(slot, count - 1);
        return true;
      }
      const chosen = allocate(open, total, beams);
      moveOn(slot, chosen);
      return isSettled(sentence, chosen[0].score, count);
    },
    outputs: (sentence) =>
      finishedOf(finished, sentence)
        .slice(0, options.numReturnSequences)
        .map(({ node, score }) => {
          const { start, follow, unmet } = trackers[sentence];
          const { ids } = trace(pointers, node);
          return { node, score, unmetConstraints: unmet(ids.reduce(follow, start)) };
        }),
  };
}

/** Those that met most constraints, and among these those that met most tokens of the others; in the order given. */
function farthest<T>(all: readonly T[], stateOf: (one: T) => ConstraintState): T[] {
  const most = (list: readonly T[], read: (state: ConstraintState) => number) => {
    const top = list.reduce((largest, one) => Math.max(largest, read(stateOf(one))), 0);
    return list.filter((one) => read(stateOf(one)) === top);
  };
  const met = most(all, (state) => state.met.reduce((sum, one) => sum + one, 0));
  return most(met, ({ bank }) => bank);
}

/**
 * The continuations that stay open, best first: the best of each bank, as many as the bank has beams.
 *
 * @param open sorted, best first
 * @param total number of the last bank
 */
function allocate(open: readonly Continuation[], total: number, beams: number): Continuation[] {
  const banks: Continuation[][] = Array.from({ length: total + 1 }, () => []);
  for (const one of open) banks[one.state.bank].push(one);
  const share = Math.floor(beams / banks.length);
  const sizes = banks.map(() => share);
  sizes[total] += beams - share * banks.length;
  let spare = 0;
  const fill = (bank: number) => {
    const most = Math.min(sizes[bank] + spare, banks[bank].length);
    spare += sizes[bank] - most;
    sizes[bank] = most;
  };
  for (let bank = total; bank >= 0; bank--) fill(bank);
  for (let bank = total; bank >= 0 && spare > 0; bank--) fill(bank);
  const chosen = banks.flatMap((list, bank) => list.slice(0, sizes[bank]));
  return chosen.sort((a, b) => b.score - a.score || a.parent - b.parent);
}
