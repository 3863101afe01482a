import type { DraftCounts } from '../generation/assisted.js';
import type { AlignmentLink, WordAlignment } from './alignment.js';

/** One output of `generate`. */
export interface ModelSequence {
  /**
   * As Hugging Face returns them, without the decoder start token, up to and including the end token. A model that
   * continues texts returns the text, too: the last tokenLogProbabilities.length ids are new.
   */
  ids: number[];
  /** Beam search: log-probability / length^lengthPenalty; otherwise the log-probability. Nats. */
  score: number;
  /** Natural logarithm of each new token's probability, as summed in `score`. */
  tokenLogProbabilities: number[];
  /** Where the model has a tokenizer. */
  text?: string;
  /** Where there are `forceWordsIds`: indices of those that the output lacks; an input's own come last. */
  unmetConstraints?: readonly number[];
  /** With `assistantModel` or `promptLookupNumTokens`: how often the model ran, tokens drafted, and those that were right. */
  drafts?: DraftCounts;
  /** With `returnLogits`: what each new token was chosen from, before all processors. [vocabSize] each */
  logits?: Float32Array[];
  /** With `returnAttention`: how each of `ids` reads the source; sums to 1. [inputIds.length] each */
  attention?: Float32Array[];
  /** With `returnAttention`: for each of `ids` the source token that it reads most; none for end tokens and the like. */
  alignment?: AlignmentLink[];
  /** The same between the words of texts, where the input is a text. */
  words?: WordAlignment;
}

export interface ModelOutput {
  /** The ids that were read. */
  inputIds: readonly number[];
  /** Best first. */
  sequences: ModelSequence[];
}
