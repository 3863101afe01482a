import * as tf from '@tensorflow/tfjs-core';
import type { PrefixParts } from '../decoder/prefixLm.js';
import { firstPosition } from '../encoder/bert.js';
import { crossEntropy } from '../engine/ops/crossEntropy.js';
import { rangeTo, sizeOf } from '../engine/ops/sizes.js';
import type { Parameters } from '../engine/parameters.js';
import type { Signature, Tensors } from '../engine/program.js';
import { PolybeamError } from '../errors.js';
import type { Objective } from '../training/step.js';
import type { TrainBatch } from '../training/trainStep.js';
import { listFeed } from './objective.js';
import { labelLoss, type StackRow, stackBatch, stackSignature, stackStates } from './stackLoss.js';
import { visibleRow } from './unilm.js';
import type { VocabularyFacts } from './vocabularyFacts.js';

/**
 * A source and the text behind it, which is predicted token by token, each from the one before it; the first from the end of the
 * source.
 */
export function paraphraseRow(
  source: readonly number[],
  target: readonly number[],
  { prefix, suffix }: Pick<VocabularyFacts, 'prefix' | 'suffix'>,
  { config: { sourceTypeId, targetTypeId } }: PrefixParts,
): StackRow {
  const first = [...prefix, ...source, ...suffix];
  const whole = [...first, ...target, ...suffix];
  const row = visibleRow(whole, first.length, sourceTypeId, targetTypeId, 'sequenceToSequence');
  const labels = whole.slice(first.length);
  return { ...row, labels, labelPositions: labels.map((_, at) => first.length - 1 + at) };
}

/** Pads rows that come in pairs, two ways of saying the same behind each other, and says which row is whose partner. */
export function partnerBatch(
  rows: readonly StackRow[],
  facts: Pick<VocabularyFacts, 'padTokenId'>,
  lengthMultiple: number,
): TrainBatch {
  const batch = stackBatch(rows, facts, lengthMultiple);
  return { ...batch, feeds: { ...batch.feeds, partners: listFeed(rows.map((_, row) => row ^ 1)) } };
}

/** Vectors of length 1. @param x [rows, features] */
export function normalized(x: tf.Tensor): tf.Tensor {
  return tf.mul(x, tf.rsqrt(tf.add(tf.sum(tf.mul(x, x), -1, true), 1e-12)));
}

/** Cosines of all rows. @param x [rows, features] @returns [rows, rows] */
export function cosines(x: tf.Tensor): tf.Tensor {
  const unit = normalized(x);
  return tf.matMul(unit as tf.Tensor2D, unit as tf.Tensor2D, false, true);
}

/**
 * How badly each row finds its partner among all others (in-batch negatives): the mean cross entropy of scaled cosines, a row's own
 * left out.
 * @param vectors [rows, features]
 * @param partners int32 [rows]
 */
export function contrastiveLoss(vectors: tf.Tensor, partners: tf.Tensor, scale: number): tf.Tensor {
  const rows = rangeTo(vectors.shape[0]!);
  const own = tf.cast(tf.equal(tf.expandDims(rows, 0), tf.expandDims(rows, 1)), 'float32');
  const scores = tf.sub(tf.mul(cosines(vectors), scale), tf.mul(own, 1e9));
  return tf.mean(crossEntropy(scores, partners, 0).loss);
}

/** What is added to the loss of writing: a mean over rows. */
export interface SimilarityPart {
  /** What it reads beside the rows. */
  signature: Signature;
  /** @param vectors of [CLS], [rows, features] @returns a scalar */
  loss(vectors: tf.Tensor, inputs: Tensors): tf.Tensor;
}

/**
 * Cross entropy of the text behind each source, and beside it, as much for each predicted token, the loss of the vectors of [CLS],
 * which read their sources alone. The negative log-likelihood is that of the text.
 * @throws CONFIG_INVALID where the model reads its next token elsewhere; TOKENIZER_INVALID without [CLS]
 */
export function similarityObjective(
  name: string,
  { stack, config }: PrefixParts,
  { prefix }: Pick<VocabularyFacts, 'prefix'>,
  part: SimilarityPart,
  labelSmoothing: number,
): Objective {
  if (config.nextToken !== 'last') {
    throw new PolybeamError(
      'CONFIG_INVALID',
      `${name} trains models that read the next token at the text's last one, and next_token is ${config.nextToken}: use model.type bert or roformer, or set polybeam.prefix_lm.next_token to last in config.json.`,
    );
  }
  if (prefix.length === 0) {
    throw new PolybeamError(
      'TOKENIZER_INVALID',
      `${name} compares texts by what their [CLS] says, and the tokenizer writes none: use a wordpiece vocabulary, or a tokenizer that puts [CLS] before texts.`,
    );
  }
  return {
    signature: { ...stackSignature, ...part.signature },
    loss: (p: Parameters, inputs, dropout) => {
      const hidden = stackStates(p, stack, inputs, dropout);
      const { lossSum, nllSum } = labelLoss(p, stack, hidden, inputs, labelSmoothing);
      const tokens = tf.cast(sizeOf(inputs.labels, 0), 'float32');
      return { lossSum: tf.add(lossSum, tf.mul(part.loss(firstPosition(hidden), inputs), tokens)), nllSum };
    },
  };
}
