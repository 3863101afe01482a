import { wantsAttention } from './attentionLog.js';
import { createCellList } from './cellList.js';
import { isContrastive } from './contrastive.js';
import { conventionsOf, searchesBeams } from './conventions.js';
import type { Frontier } from './frontier.js';
import type { ResolvedGenerationOptions } from './options.js';
import { createAllowedMaker } from './processors/allowedTokens.js';
import { createEncoderNgramBlocker } from './processors/encoderNoRepeatNgram.js';
import { createEncoderPenalty } from './processors/encoderRepetitionPenalty.js';
import { createDecay } from './processors/exponentialDecay.js';
import type { Forcing } from './processors/forcedTokens.js';
import { createNgramBlocker } from './processors/noRepeatNgram.js';
import { createPhraseBias, phraseBiases } from './processors/phraseBias.js';
import {
  createPenalizedList,
  createRepetitionScaling,
  listPenalized,
} from './processors/repetitionPenalty.js';
import { createTokenBan } from './processors/suppressedTokens.js';
import type { RowEditor } from './rowEditor.js';
import type { SearchContext, Selector } from './selector.js';
import type { AttentionSpec, SelectionSpec, StepEdits } from './stepModel.js';

/** Makes the sparse edits of each step: the changes of logits before the model selects. */
export interface EditMaker {
  /** The features that the model must support. */
  readonly needs: Pick<SelectionSpec, 'edits' | 'rescale' | 'allowed' | 'lookup'>;
  /**
   * Edits for the choice of new token number `count`, after the frontier moved to the tokens chosen last. Arrays are
   * reused.
   *
   * @param rowsPerSentence 1 before the first new token, else the number of beams
   * @param hidden token classes that may not be chosen in this step; they become bans where the model renormalizes
   */
  next(rowsPerSentence: number, count: number, hidden: number): StepEdits;
}

/** Whether the processors in use read token histories. */
export function needsHistory({ options }: Pick<SearchContext, 'options'>): boolean {
  return (
    options.noRepeatNgramSize > 0 ||
    options.encoderNoRepeatNgramSize > 1 ||
    options.repetitionPenalty !== 1 ||
    phraseBiases(options).some(([ids]) => ids.length > 1)
  );
}

/** The repetition penalty on tokens that are listed for the model, which the decoder start token always is. */
function listedPenalty(options: SearchContext['options']): number {
  return conventionsOf(options).startRepeats ? options.repetitionPenalty : 1;
}

/** Whether the model must ban hidden tokens, because it renormalizes over the others. */
function renormalizes(context: Pick<SearchContext, 'options' | 'rules'>): boolean {
  if (isContrastive(context.options)) return true;
  // A mixture needs normalized probabilities.
  if (context.options.prefixBiasBeta > 0 && !searchesBeams(context.options)) return true;
  const { renormalize } = conventionsOf(context.options);
  if (renormalize !== 'modelSays') return renormalize === 'always';
  return context.options.numBeams > 1 && context.rules.renormalize === true;
}

/**
 * Edits in Hugging Face's order of processors: biases, repetition penalties, bans, which are final in any order, and the
 * length decay.
 */
export function createEditMaker(context: SearchContext, selector: Selector, forcing: Forcing): EditMaker {
  const { frontier, options, classes } = context;
  const { startRepeats } = conventionsOf(options);
  const { noRepeatNgramSize, repetitionPenalty } = options;
  const phrases = phraseBiases(options);
  const weighs = phrases.some(([, value]) => value !== Number.NEGATIVE_INFINITY);
  const added = createCellList(weighs ? 1 : 0, 0, classes.length);
  const scaled = createCellList(2, 1, classes.length);
  const adding: RowEditor[] = [];
  const scaling: RowEditor[] = [];
  if (phrases.length > 0) adding.push(createPhraseBias(frontier, phrases, added));
  if (noRepeatNgramSize > 0) {
    const first = startRepeats ? 0 : 1;
    adding.push(createNgramBlocker(frontier, noRepeatNgramSize, added, first, options.noRepeatNgramIgnore));
  }
  if (options.encoderNoRepeatNgramSize > 0) adding.push(createEncoderNgramBlocker(context, added));
  const tokenBan = renormalizes(context) ? createTokenBan(classes, added) : undefined;
  if (tokenBan) adding.push(tokenBan);
  if (repetitionPenalty !== listedPenalty(options)) {
    scaling.push(createRepetitionScaling(frontier, repetitionPenalty, scaled));
  }
  if (options.encoderRepetitionPenalty !== 1) scaling.push(createEncoderPenalty(context, scaled));
  if (options.exponentialDecayLengthPenalty) scaling.push(createDecay(context, scaled));
  const allowed = createAllowedMaker(context, selector);
  const editors = [...adding, ...scaling];
  const penalized = listedPenalty(options) !== 1 ? createPenalizedList(frontier) : undefined;

  function next(rowsPerSentence: number, count: number, hidden: number): StepEdits {
    const edits: StepEdits = {
      ...allowed?.(rowsPerSentence),
      ...selector.lookup?.(rowsPerSentence),
      ...forcing.lookup?.(rowsPerSentence, count),
    };
    if (penalized) {
      const width = frontier.position + 1;
      listPenalized(frontier, rowsPerSentence, penalized);
      edits.penalized = penalized.subarray(0, frontier.active * rowsPerSentence * width);
      edits.penalizedWidth = width;
    }
    if (tokenBan) tokenBan.hidden = hidden;
    added.length = 0;
    scaled.length = 0;
    for (const editor of editors) editor.advance?.();
    editRows(frontier, editors, rowsPerSentence, count);
    if (added.length > 0) {
      edits.cells = added.cells.subarray(0, added.length * 2);
      if (weighs) edits.values = added.numbers.subarray(0, added.length);
    }
    if (scaled.length > 0) {
      edits.rescaled = scaled.cells.subarray(0, scaled.length * 2);
      edits.factors = scaled.numbers.subarray(0, scaled.length * 2);
    }
    return edits;
  }

  const edits = weighs ? 'values' : adding.length > 0 ? 'bans' : 'none';
  const needs = {
    edits,
    rescale: scaling.length > 0,
    allowed: allowed !== undefined,
    lookup: selector.lookup !== undefined || forcing.lookup !== undefined,
  } as const;
  return { needs, next };
}

function editRows(
  frontier: Frontier,
  editors: readonly RowEditor[],
  rowsPerSentence: number,
  count: number,
): void {
  if (editors.length === 0) return;
  for (let slot = 0; slot < frontier.active; slot++) {
    if (frontier.finished[slot]) continue;
    for (let beam = 0; beam < rowsPerSentence; beam++) {
      const row = slot * rowsPerSentence + beam;
      for (const editor of editors) editor.edit(slot, beam, row, count);
    }
  }
}

function attentionSpec(options: ResolvedGenerationOptions): AttentionSpec | undefined {
  if (!wantsAttention(options)) return undefined;
  return { layer: options.alignmentLayer, heads: options.alignmentHeads };
}

/** What to ask of the model in every step. @param candidates see `Selector.candidates` */
export function selectionSpec(
  context: SearchContext,
  candidates: number,
  needs: EditMaker['needs'],
  vocabSize: number,
): SelectionSpec {
  const repetitionPenalty = listedPenalty(context.options);
  const contrastive = isContrastive(context.options);
  const scoredByChoice = contrastive || context.options.prefixBiasBeta > 0;
  const changed = needs.edits === 'values' || needs.rescale || repetitionPenalty !== 1;
  const beams = searchesBeams(context.options);
  return {
    candidates: Math.min(candidates, vocabSize),
    ...needs,
    repetitionPenalty,
    penaltySpace: beams ? conventionsOf(context.options).penaltySpace : 'logits',
    renormalize: renormalizes(context),
    // Rows that choose for themselves are scored by the model's own log-probabilities.
    ownLogits: changed && !beams && !scoredByChoice,
    ...(contrastive && { hidden: true }),
    rawLogits: context.options.returnLogits || undefined,
    attention: attentionSpec(context.options),
  };
}
