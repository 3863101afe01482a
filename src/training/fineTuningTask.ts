import type { EncoderDecoder } from '../decoder/encoderDecoder.js';
import type { DecodingRules } from '../generation/options.js';
import type { Tokenizer } from '../text/tokenizer.js';
import type { Collate } from './batching.js';
import type { Objective } from './objective.js';
import { collatePairs, sequenceToSequence } from './sequenceToSequence.js';

/** What a fine-tuning is made with. */
export interface FineTuningContext {
  /** What decoding begins and ends with. */
  rules: DecodingRules;
  tokenizer: Tokenizer;
  labelSmoothing: number;
  /** Share of a target's tokens that is masked, where the model learns by that. Default 0.7. */
  targetMaskRate?: number;
  /** Decides what is random in batches, with the epoch and the index of a batch. */
  seed: number;
}

/** How a model learns to write a target for each source. */
export interface FineTuningTask {
  objective: Objective;
  /**
   * Makes batches of pairs: a source as the tokenizer encodes it, and a target with its end token as the model is to write it,
   * without the decoder start token.
   */
  collate: Collate;
  /** Positions of source and target together, where both stand in one text; otherwise each has its own limit. */
  maxTogether?: number;
}

/** Supplied by the definition of a model that writes from a source. */
export type FineTuning = (context: FineTuningContext) => FineTuningTask;

/** How every encoder-decoder is fine-tuned: cross entropy of the target, each token given those before it. */
export function encoderDecoderFineTuning(model: EncoderDecoder): FineTuning {
  return ({ rules, labelSmoothing }) => {
    // A model that reads a source is refused without a start token when its configuration is read.
    const ids = { padTokenId: rules.padTokenId, decoderStartTokenId: rules.decoderStartTokenId! };
    return {
      objective: sequenceToSequence(model, labelSmoothing),
      collate: (padded) => collatePairs(padded, ids),
    };
  };
}
