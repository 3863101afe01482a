import type { DraftCounts } from './assisted.js';
import type { AttentionLog } from './attentionLog.js';
import type { BackPointers } from './backPointers.js';
import type { Frontier } from './frontier.js';
import type { DecodingRules, LengthLimits, ResolvedGenerationOptions } from './options.js';
import type { Candidates, SourceBatch, StepEdits } from './stepModel.js';

/** One output. */
export interface GeneratedSequence {
  /**
   * Token ids: the decoder prompt without the decoder start token, then the new tokens up to and including the end
   * token (none where the length limit came first).
   */
  ids: number[];
  /**
   * Summed log-probability of the new tokens over length^lengthPenalty, or what replaces it (length in new tokens, end
   * token included; lengthPenalty 1 in greedy search and sampling). Natural logarithm. Other conventions count otherwise.
   */
  score: number;
  /** Log-probability of each new token, as summed in `score`. */
  tokenLogProbabilities: number[];
  /** With `forceWordsIds`: indices of the constraints that the output does not meet; those of the input come last. */
  unmetConstraints?: number[];
  /** With `returnAttention`: for each of `ids` how it reads the source; sums to 1. [source] each */
  attention?: Float32Array[];
  /** With `returnLogits`: the logits that each new token was chosen from, before all processors. [vocabSize] each */
  logits?: Float32Array[];
  /** With `assistantModel` or `promptLookupNumTokens`: what the drafts did. */
  drafts?: DraftCounts;
}

/** The state that all selectors work on. */
export interface SearchContext {
  readonly source: SourceBatch;
  /** Decoder prompts. [batch, promptLength] */
  readonly prompt: Int32Array;
  /** First new tokens of each sentence: prompts that are scored. [batch, length] */
  readonly prefix?: { readonly ids: Int32Array; readonly length: number };
  readonly frontier: Frontier;
  readonly pointers: BackPointers;
  readonly options: ResolvedGenerationOptions;
  readonly limits: LengthLimits;
  readonly rules: DecodingRules;
  /** See `tokenClasses`. */
  readonly classes: Uint8Array;
  /** Sentences at the start. */
  readonly batch: number;
  /** Index in the caller's list of each sentence of the batch; keys the random numbers. [batch] */
  readonly sentenceIds: readonly number[];
  /** If attention is requested; holds the current step when selectors choose. */
  readonly attention?: AttentionLog;
  /** If unprocessed logits are requested, those of each step. [rows, vocabSize] each */
  readonly rawLogits?: Float32Array[];
  /** Draft statistics so far, if drafts are used. */
  readonly drafts?: DraftCounts;
}

/** A way of choosing the next tokens: beam, greedy, sampling. */
export interface Selector {
  /** Candidates it needs of each row for an exact choice; 0 is all. */
  readonly candidates: number;
  /**
   * Whether it reads `Candidates.hidden`: then a proposed token is chosen one step later, and the model reads the last one
   * like the others.
   */
  readonly readsHidden?: boolean;
  /**
   * Chooses the new token number `count` of each row of an unfinished slot: sets tokens, parents, nodes and scores.
   *
   * @param firstRow first of the slot's rows in `candidates`
   * @param rows 1 before the first new token, else the number of beams
   * @param hidden token classes that may not be chosen
   * @param last whether there will be no more tokens
   * @param stops 1 for each candidate that ends its hypothesis, whatever its token
   * @returns whether the sentence is finished
   */
  advance(
    slot: number,
    candidates: Candidates,
    firstRow: number,
    rows: number,
    count: number,
    hidden: number,
    last: boolean,
    stops?: Uint8Array,
  ): boolean;
  /** Tokens that it must know more of than the best candidates: what `StepEdits` says of `lookup`. */
  lookup?(rowsPerSentence: number): Required<Pick<StepEdits, 'lookup' | 'lookupWidth'>>;
  /** For independent rows: whether one continues. */
  isOpen?(slot: number, sample: number): boolean;
  /** Ends such a row after its `count` new tokens. @returns whether the sentence is finished */
  end?(slot: number, sample: number, count: number): boolean;
  /**
   * Outputs of a finished sentence: back-pointer, score, and unmet constraints if there are constraints. For beams, also
   * while the sentence is open: the finished hypotheses so far, best first.
   */
  outputs(sentence: number): { node: number; score: number; unmetConstraints?: number[] }[];
}
