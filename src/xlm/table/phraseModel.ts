import type { DecodingState, StartFeed, StepEdits, StepModel } from '../../generation/stepModel.js';
import type { PhraseSentence, PlaceSet } from './phraseStates.js';

interface State extends DecodingState {
  inner: DecodingState;
  /** The sentence of each slot. */
  sentences: readonly PhraseSentence[];
  /** Where each row is; undefined where nothing can come of it. [batch * beams], at the start [batch] */
  rows: (PlaceSet | undefined)[];
  /** Rows of a sentence in `rows`. */
  perSentence: number;
  candidates: number;
}

/**
 * A language model that may write nothing but translations of sentences by phrases, and finds them as probable as the table and it
 * together do: to the log-probability of a token is added what it changes of the table's score (`phraseStates.ts`). The only source
 * id of a sentence is its place in `sentences`. For a search without edits of its own.
 *
 * @param steps the language model
 */
export function createPhraseModel(steps: StepModel, sentences: readonly PhraseSentence[]): StepModel {
  return {
    vocabSize: steps.vocabSize,
    maxPositions: steps.maxPositions,
    start: async (feed: StartFeed) => {
      const own = Array.from(feed.source.inputIds, (id) => sentences[id]);
      const rows = own.map(({ start }) => start);
      const selection = { ...feed.selection, edits: 'values' as const, allowed: true };
      const wanted = feed.selection.candidates;
      const started = await steps.start({ ...feed, selection, ...editsOf(own, rows, 1, wanted) });
      const { batch, beams } = started.state;
      const state: State = {
        batch,
        beams,
        inner: started.state,
        sentences: own,
        rows,
        perSentence: 1,
        candidates: wanted,
      };
      return { state, candidates: started.candidates };
    },
    step: async (given, feed) => {
      const state = given as State;
      const { batch, beams, sentences: own } = state;
      const columns = feed.ancestry.length / (batch * beams);
      state.rows = Array.from(feed.tokens, (token, row) => {
        const slot = Math.floor(row / beams);
        const parent = feed.ancestry[row * columns + feed.position - 1];
        const before = state.rows[slot * state.perSentence + parent];
        return before && own[slot].movesOf(before).get(token);
      });
      state.perSentence = beams;
      return steps.step(state.inner, { ...feed, ...editsOf(own, state.rows, beams, state.candidates) });
    },
    keep: async (given, kept) => {
      const state = given as State;
      const inner = await steps.keep(state.inner, kept);
      const { perSentence, rows } = state;
      const next: State = {
        ...state,
        batch: inner.batch,
        inner,
        sentences: kept.map((slot) => state.sentences[slot]),
        rows: kept.flatMap((slot) => rows.slice(slot * perSentence, (slot + 1) * perSentence)),
      };
      return next;
    },
    dispose: (state) => steps.dispose((state as State).inner),
  };
}

/** The tokens that may come in each row, and what the table adds to them. */
function editsOf(
  sentences: readonly PhraseSentence[],
  rows: readonly (PlaceSet | undefined)[],
  perSentence: number,
  candidates: number,
): StepEdits {
  const moves = rows.map((set, row) => {
    if (!set) return [];
    const next = sentences[Math.floor(row / perSentence)].movesOf(set);
    return Array.from(next, ([token, { value }]) => ({ token, gain: value - set.value }));
  });
  const total = moves.reduce((sum, { length }) => sum + length, 0);
  const allowedWidth = Math.max(candidates, ...moves.map(({ length }) => length));
  const cells = new Int32Array(2 * total);
  const values = new Float32Array(total);
  const allowed = new Int32Array(rows.length * allowedWidth).fill(-1);
  let cell = 0;
  moves.forEach((own, row) => {
    own.forEach(({ token, gain }, at) => {
      cells[2 * cell] = row;
      cells[2 * cell + 1] = token;
      values[cell++] = gain;
      allowed[row * allowedWidth + at] = token;
    });
  });
  return { cells, values, allowed, allowedWidth };
}
