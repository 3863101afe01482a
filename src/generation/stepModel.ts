/**
 * The one interface between the search and a model. The search never asks what architecture it is serving; a model
 * never asks what search is running. Everything here is plain data; arrays are owned by their maker, and are
 * valid until the next call of the same method unless said otherwise.
 */

/** Sentences to decode, all padded to one length. */
export interface SourceBatch {
  /** [batch, source] */
  inputIds: Int32Array;
  /** 1 for a token, 0 for padding. [batch, source] */
  attentionMask: Int32Array;
  batch: number;
  source: number;
}

/** Which attention over the source is returned: that of one cross-attention layer, averaged over heads. */
export interface AttentionSpec {
  /** Layer of the decoder, from 0. Default: the last. */
  layer?: number;
  /** Heads of the layer, from 0. Default: all. */
  heads?: readonly number[];
}

/** What the model must return of each row's next-token distribution; chosen once per `start`. */
export interface SelectionSpec {
  /**
   * Return the `candidates` largest logits of each row, after edits and penalty; 0 returns every logit of the row,
   * edited and penalized as well (then `ids` is undefined and `logits` is [rows, vocabSize]). At most vocabSize.
   */
  candidates: number;
  /**
   * Whether steps may carry `cells`: 'bans' without `values`, 'values' with them. A model may compile a smaller program
   * for 'none', and for 'bans' than for 'values'.
   */
  edits: 'none' | 'bans' | 'values';
  /**
   * Repetition penalty on the tokens listed in `StepFeed.penalized`; 1 is none. 'logProbabilities' divides or
   * multiplies log-softmax values (beam search in Hugging Face), 'logits' raw logits (greedy and sampling there).
   * Values below 0 are multiplied by the penalty, others divided; a token listed twice is penalized once.
   */
  repetitionPenalty: number;
  penaltySpace: 'logits' | 'logProbabilities';
  /**
   * Whether `Candidates.logSumExp` is taken over the edited and penalized logits instead of the raw ones, so that
   * log-probabilities sum to one over what is still allowed (`renormalize_logits` in Hugging Face, which Marian's
   * checkpoints ask for).
   */
  renormalize: boolean;
  /** Whether steps carry `rescaled`. */
  rescale: boolean;
  /** Whether steps carry `allowed`. */
  allowed: boolean;
  /** Whether steps carry `lookup`. Default false. */
  lookup?: boolean;
  /** Whether `Candidates.ownLogits` is wanted. */
  ownLogits: boolean;
  /** Whether `Candidates.hidden` is wanted. Default false. */
  hidden?: boolean;
  /** Whether `Candidates.rawLogits` is wanted. Default false. */
  rawLogits?: boolean;
  /** Which weights over the source are wanted as `Candidates.attention`. Default: none are computed. */
  attention?: AttentionSpec;
  /** Whether steps carry `positions`, since sentences may be added to the batch: see `StepModel.adopt`. Default false. */
  ownPositions?: boolean;
}

/** All logits of a row, without edits or selection. */
export const everyLogit: SelectionSpec = {
  candidates: 0,
  edits: 'none',
  repetitionPenalty: 1,
  penaltySpace: 'logits',
  renormalize: false,
  rescale: false,
  allowed: false,
  ownLogits: false,
};

/**
 * Sparse edits for one step. Logits change in this order: `values` are added, the repetition penalty, `rescaled`; then
 * `allowed` selects the tokens that it lists.
 */
export interface StepEdits {
  /** Pairs (row, token) whose logit changes, flattened: [n, 2]. With `values`, each pair once. */
  cells?: Int32Array;
  /** Added to the logits of `cells`, -Infinity included; where `edits` is 'bans', all are -Infinity. [n] */
  values?: Float32Array;
  /** Token ids already in each row, padded by repeating one of them: [rows, penalizedWidth]. */
  penalized?: Int32Array;
  penalizedWidth?: number;
  /** Pairs (row, token) whose value, in `penaltySpace`, is multiplied, flattened; each pair once: [m, 2]. */
  rescaled?: Int32Array;
  /** For each pair the factor of a value below 0, and that of another; -Infinity stays. [m, 2] */
  factors?: Float32Array;
  /**
   * The only tokens allowed in each row, without repetition, padded with -1; a row of -1 alone is free. At least as wide
   * as `selection.candidates`. [rows, allowedWidth]
   */
  allowed?: Int32Array;
  allowedWidth?: number;
  /** Tokens of each row whose edited logits are wanted beside its candidates, padded with -1. [rows, lookupWidth] */
  lookup?: Int32Array;
  lookupWidth?: number;
}

export interface StartFeed extends StepEdits {
  source: SourceBatch;
  /** Decoder prompt, at least the decoder start token; one length for the batch. [batch, promptLength] */
  prompt: Int32Array;
  promptLength: number;
  /** Number of rows of each sentence in every later `step`: beams or samples. */
  beams: number;
  /** Maximum number of positions (prompt and new tokens). */
  maxLength: number;
  selection: SelectionSpec;
  /**
   * The only allowed tokens, ascending; for models that take it (`takesVocabulary`). Tokens in edits and in
   * `Candidates`, and vocabSize there, are then indices into this list; `prompt` and `tokens` stay ids. Indices from its
   * length on may be among the candidates, at -Infinity. Default every token.
   */
  vocabulary?: Int32Array;
}

export interface StepFeed extends StepEdits {
  /** The token each row appended last: it is read, and its keys and values stored at [row, position]. [rows] */
  tokens: Int32Array;
  /**
   * Position of `tokens`: promptLength in the first step, one more each time. With `positions` the largest of them. A row
   * alone (one sentence, one beam) may also go back to any position from promptLength on: what was written from there on is
   * no more read, and written over.
   */
  position: number;
  /**
   * If the selection announces it, the position of each sentence. A sentence at -1 is skipped: its caches do not
   * change, and its candidates are undefined. A sentence whose candidates are no longer needed may be at 0. [batch]
   */
  positions?: Int32Array;
  /**
   * From which beam row of its sentence each position 0..position of each row is read. Prompt positions are 0.
   * [batch, beams, columns], columns from position + 1: a search has maxLength of them.
   */
  ancestry: Int32Array;
}

/** The part of each row's next-token distribution the search asked for. */
export interface Candidates {
  /** Rows: one per sentence from `start`, batch * beams from `step`. */
  rows: number;
  /** Candidates per row: `selection.candidates`, or vocabSize where that is 0. */
  width: number;
  /** Token ids, best first; -1 where fewer are allowed. [rows, width] */
  ids?: Int32Array;
  /**
   * Edited and penalized logits of `ids`; -Infinity where banned. In penaltySpace 'logProbabilities' the penalized
   * log-probability plus the raw logSumExp, so that `logits - logSumExp` gives it back. [rows, width]
   */
  logits: Float32Array;
  /** Logits of `ids` before any change, where the selection asks for them; that of -1 has no meaning. [rows, width] */
  ownLogits?: Float32Array;
  /**
   * Edited and penalized logits of `StepEdits.lookup`; that of -1 has no meaning, that of a token outside `vocabulary` is
   * -Infinity. [rows, lookupWidth]
   */
  lookedUp?: Float32Array;
  /**
   * log(sum(exp)) over the raw logits of each row, before bans and penalty (after them where `selection.renormalize`):
   * logits - logSumExp are log-probabilities. Without meaning in a row whose logits are all -Infinity. [rows]
   */
  logSumExp: Float32Array;
  /** Where the selection asks for it: every logit of the row before any change. [rows, vocabSize] */
  rawLogits?: Float32Array;
  /**
   * Where the selection asks for it: the decoder's last hidden states where tokens were read.
   * [rows, features], of `start` [batch, promptLength, features]
   */
  hidden?: Float32Array;
  /**
   * Where the selection asks for it: how each row's choice reads the source, 0 for padding; sums to 1.
   * [rows, source], `source` as at the start
   */
  attention?: Float32Array;
  /** Of `start`, with `attention`: the same for each token of the prompt but the first. [batch, promptLength - 1, source] */
  promptAttention?: Float32Array;
}

/** `Candidates` with every field named: a wrapper that makes candidates of another model's cannot forget one. */
export type EveryCandidateField = { [Name in keyof Required<Candidates>]: Candidates[Name] };

/** Decoding state: caches and the source's memory. Only the model that made it looks inside. */
export interface DecodingState {
  readonly batch: number;
  readonly beams: number;
}

/** A model that predicts the next token of many rows at once. */
export interface StepModel {
  readonly vocabSize: number;
  /** Positions the decoder can address, prompt included; Infinity where there is no limit. */
  readonly maxPositions: number;
  /** The length up to which sources may be padded; undefined: do not pad beyond the longest source (int8). */
  readonly maxSource?: number;
  /** Layers and heads of the attention over the source that it can return; undefined where it has none. */
  readonly attention?: { layers: number; heads: number };
  /** Whether it can return hidden states. Default false. */
  readonly givesHidden?: boolean;
  /** Whether `start` takes `vocabulary`. */
  readonly takesVocabulary?: boolean;
  /** Reads the source and the prompt, one row per sentence; returns the candidates for the first new token. */
  start(feed: StartFeed): Promise<{ state: DecodingState; candidates: Candidates }>;
  /**
   * Appends one token to every row and returns the candidates for the next. A step with `positions` that throws may be
   * taken again, at the same positions, with other edits or fewer sentences.
   */
  step(state: DecodingState, feed: StepFeed): Promise<Candidates>;
  /**
   * Keeps only the listed sentences, in the listed order (ascending): the others have left the batch.
   *
   * @param source length to which sources that were padded are cut, where `adopt` had made them longer
   */
  keep(state: DecodingState, sentences: readonly number[], source?: number): Promise<DecodingState>;
  /**
   * Copies the sentences of `from` to the given indices of `into`: those of sentences that have left, or after the last one
   * without a gap. Both have one selection, which announces `ownPositions`, and one number of beams; the larger of their
   * maxLength applies from then on. `from` must not be used afterwards. Without this, each search steps by itself.
   */
  adopt?(into: DecodingState, from: DecodingState, places: readonly number[]): Promise<DecodingState>;
  /**
   * Reads tokens of one row (one sentence, one beam) at `position` and the positions after it, with attention to those before
   * `position`, in one pass; the cache from there on is overwritten. A step or another pass may follow at any
   * position up to the one behind the last token. Comes with `select`; not for states whose selection asks for attention,
   * hidden states or positions of their own, nor with a vocabulary.
   *
   * @param tokens one or more, at most as many as the state's maxLength has room for
   */
  extend?(state: DecodingState, tokens: Int32Array, position: number): Promise<void>;
  /**
   * What `step` would return for a token that the last `extend` of this state read.
   *
   * @param place of the token among those of `extend`, from 0
   */
  select?(state: DecodingState, place: number, edits: StepEdits): Promise<Candidates>;
  /** Frees what the state holds. */
  dispose(state: DecodingState): void;
}
