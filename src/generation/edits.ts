import type { Frontier } from './frontier.js';
import {
  addBan,
  type BanList,
  banNgrams,
  createNgramBlocker,
  fileNgrams,
} from './processors/noRepeatNgram.js';
import { createPenalizedList, listPenalized } from './processors/repetitionPenalty.js';
import type { SearchContext } from './selector.js';
import type { SelectionSpec, StepEdits } from './stepModel.js';

/** Makes the sparse edits of each step: what the model must do to logits before it selects. */
export interface EditMaker {
  /** Whether steps may carry bans; goes into `SelectionSpec.bans`. */
  readonly bans: boolean;
  /**
   * Edits for the choice of the next token, after the frontier moved to the tokens chosen last. Arrays are reused.
   *
   * @param rowsPerSentence 1 before the first new token, else the number of beams
   * @param hidden ids that may not be chosen in this step; they become bans where the model renormalizes
   */
  next(rowsPerSentence: number, hidden: readonly number[]): StepEdits;
}

/** Whether the processors in use read token histories. */
export function needsHistory(context: Pick<SearchContext, 'options'>): boolean {
  return context.options.noRepeatNgramSize > 0 || context.options.repetitionPenalty !== 1;
}

/** Whether hidden tokens must be banned by the model: where it renormalizes over what is left. */
export function renormalizes(context: Pick<SearchContext, 'options' | 'rules'>): boolean {
  return context.options.numBeams > 1 && context.rules.renormalize === true;
}

/**
 * Edits in Hugging Face's order of processors: repetition penalty, then bans (n-grams, forbidden and end tokens), which
 * are final in any order.
 */
export function createEditMaker(context: SearchContext): EditMaker {
  const { frontier, options } = context;
  const { noRepeatNgramSize, repetitionPenalty } = options;
  const banHidden = renormalizes(context);
  const bans: BanList = { length: 0, pairs: new Int32Array(256) };
  const blocker = noRepeatNgramSize > 0 ? createNgramBlocker(frontier, noRepeatNgramSize) : undefined;
  const penalized = repetitionPenalty !== 1 ? createPenalizedList(frontier) : undefined;
  let filedPosition = frontier.position;

  function next(rowsPerSentence: number, hidden: readonly number[]): StepEdits {
    const edits: StepEdits = {};
    if (penalized) {
      const width = frontier.position + 1;
      listPenalized(frontier, rowsPerSentence, penalized);
      edits.penalized = penalized.subarray(0, frontier.active * rowsPerSentence * width);
      edits.penalizedWidth = width;
    }
    bans.length = 0;
    if (blocker) {
      if (frontier.position > filedPosition) fileNgrams(blocker, frontier);
      filedPosition = frontier.position;
      banNgrams(blocker, frontier, rowsPerSentence, bans);
    }
    if (banHidden && hidden.length > 0) banAll(frontier, rowsPerSentence, hidden, bans);
    if (bans.length > 0) edits.bans = bans.pairs.subarray(0, bans.length);
    return edits;
  }

  return { bans: blocker !== undefined || banHidden, next };
}

function banAll(frontier: Frontier, rowsPerSentence: number, tokens: readonly number[], bans: BanList): void {
  for (let slot = 0; slot < frontier.active; slot++) {
    if (frontier.finished[slot]) continue;
    for (let beam = 0; beam < rowsPerSentence; beam++) {
      for (const token of tokens) addBan(bans, slot * rowsPerSentence + beam, token);
    }
  }
}

/** What to ask of the model in every step. @param candidates see `Selector.candidates` */
export function selectionSpec(
  context: SearchContext,
  candidates: number,
  bans: boolean,
  vocabSize: number,
): SelectionSpec {
  return {
    candidates: Math.min(candidates, vocabSize),
    bans,
    repetitionPenalty: context.options.repetitionPenalty,
    penaltySpace: context.options.numBeams > 1 ? 'logProbabilities' : 'logits',
    renormalize: renormalizes(context),
  };
}
