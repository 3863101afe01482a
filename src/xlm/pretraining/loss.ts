import * as tf from '@tensorflow/tfjs-core';
import { encodeXlm, hasLanguages, type XlmConfig, xlmLogits } from '../../encoder/xlm.js';
import type { DropoutSource } from '../../engine/ops/dropout.js';
import type { Parameters } from '../../engine/parameters.js';
import type { Signature, Tensors } from '../../engine/program.js';
import { rowsAt, summedCrossEntropy } from '../../training/sequenceToSequence.js';
import type { Objective } from '../../training/step.js';

/** Scope of the stack in a model with the head of a language model. */
export const stackScope = 'transformer';

/** What rows consist of, beyond their tokens. */
export interface RowShape {
  /** Rows have several lengths: `attentionMask` tells where they have tokens. */
  padded: boolean;
  /** Positions restart and languages switch within a row. */
  bilingual: boolean;
}

/** Rows as `xlmHidden` reads them. */
export function rowSignature(config: XlmConfig, { padded, bilingual }: RowShape): Signature {
  const size = { type: 'int32', shape: ['batch', 'length'] } as const;
  const perRow = { type: 'int32', shape: ['batch', 1] } as const;
  return {
    inputIds: size,
    ...(padded && { attentionMask: size }),
    ...(bilingual && { positions: size }),
    ...(hasLanguages(config) && { languages: bilingual ? size : perRow }),
  };
}

/** Logits of some positions of rows. @param positions int32 [tokens], row * length + column @returns [tokens, vocabSize] */
export function logitsAt(
  p: Parameters,
  config: XlmConfig,
  inputs: Tensors,
  positions: tf.Tensor,
  dropout?: DropoutSource,
): tf.Tensor {
  const { inputIds, attentionMask, languages, positions: places } = inputs;
  const stack = p.scope(stackScope);
  const hidden = encodeXlm(stack, config, {
    inputIds,
    attentionMask,
    languages,
    positions: places,
    dropout,
  });
  return xlmLogits(p, stack, config, rowsAt(hidden, positions));
}

/**
 * Cross entropy of tokens at some positions of rows; only these reach the vocabulary projection. An evaluation also tells how many
 * tokens are the likeliest (`correct`).
 */
export function predictionLoss(config: XlmConfig, shape: RowShape, labelSmoothing: number): Objective {
  const logits = (p: Parameters, inputs: Tensors, dropout?: DropoutSource) =>
    logitsAt(p, config, inputs, inputs.labelPositions, dropout);
  return {
    signature: {
      ...rowSignature(config, shape),
      labelPositions: { type: 'int32', shape: ['tokens'] },
      labels: { type: 'int32', shape: ['tokens'] },
    },
    loss: (p, inputs, dropout) =>
      summedCrossEntropy(logits(p, inputs, dropout), inputs.labels, labelSmoothing),
    evaluate: (p, inputs) => {
      const scores = logits(p, inputs);
      const right = tf.equal(tf.cast(tf.argMax(scores, -1), 'int32'), inputs.labels);
      return {
        ...summedCrossEntropy(scores, inputs.labels, labelSmoothing),
        correct: tf.sum(tf.cast(right, 'float32')),
      };
    },
  };
}
