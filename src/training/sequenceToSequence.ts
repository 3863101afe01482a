import * as tf from '@tensorflow/tfjs-core';
import type { EncoderDecoder } from '../decoder/encoderDecoder.js';
import { crossEntropy } from '../engine/ops/crossEntropy.js';
import type { DropoutSource } from '../engine/ops/dropout.js';
import { rangeTo } from '../engine/ops/sizes.js';
import type { Parameters } from '../engine/parameters.js';
import type { Tensors } from '../engine/program.js';
import type { PaddedPairs } from './batching.js';
import type { Objective } from './step.js';
import type { TrainBatch, TrainFeed } from './trainStep.js';

/**
 * Translation as an objective: the decoder reads the target shifted right and predicts it (teacher forcing).
 * Only real target tokens reach the vocabulary projection, the dearest product of a small model.
 */
export function sequenceToSequence(model: EncoderDecoder, labelSmoothing: number): Objective {
  return {
    signature: {
      inputIds: { type: 'int32', shape: ['batch', 'source'] },
      attentionMask: { type: 'int32', shape: ['batch', 'source'] },
      decoderInputIds: { type: 'int32', shape: ['batch', 'target'] },
      labelPositions: { type: 'int32', shape: ['tokens'] },
      labels: { type: 'int32', shape: ['tokens'] },
    },
    loss: (p, inputs, dropout) => {
      const decoderPositions = rangeTo(inputs.decoderInputIds.shape[1]!);
      const given = { ...inputs, memoryMask: inputs.attentionMask, decoderPositions };
      return teacherForcedLoss(model, p, given, labelSmoothing, dropout);
    },
  };
}

/**
 * Cross entropy of the labels given a source and the tokens before each of them, summed.
 * @param inputs `inputIds`, `attentionMask` and `memoryMask` (what cross-attention may see) [batch, source]; `decoderInputIds` [batch,
 * target]; `decoderPositions` [target] or [batch, target]; `labelPositions` and `labels` [tokens]
 */
export function teacherForcedLoss(
  model: EncoderDecoder,
  p: Parameters,
  inputs: Tensors,
  labelSmoothing: number,
  dropout?: DropoutSource,
): ReturnType<Objective['loss']> {
  const memory = model.encode(p, inputs.inputIds, inputs.attentionMask, dropout);
  const { hidden } = model.decode(p, {
    inputIds: inputs.decoderInputIds,
    positions: inputs.decoderPositions,
    memory: model.readMemory(p, memory),
    memoryMask: inputs.memoryMask,
    self: { kind: 'sequence', visibility: { causal: true } },
    dropout,
  });
  return summedCrossEntropy(
    model.logits(p, rowsAt(hidden, inputs.labelPositions)),
    inputs.labels,
    labelSmoothing,
  );
}

/** Cross entropy as objectives give it. @param logits [tokens, vocabSize] @param labels int32 [tokens] */
export function summedCrossEntropy(
  logits: tf.Tensor,
  labels: tf.Tensor,
  labelSmoothing: number,
): ReturnType<Objective['loss']> {
  const { loss, negativeLogLikelihood } = crossEntropy(logits, labels, labelSmoothing);
  return { lossSum: tf.sum(loss), nllSum: tf.sum(negativeLogLikelihood) };
}

/**
 * Some positions of a batch's hidden states.
 * @param hidden [batch, length, features]
 * @param positions int32 [tokens], row * length + column
 * @returns [tokens, features]
 */
export function rowsAt(hidden: tf.Tensor, positions: tf.Tensor): tf.Tensor {
  return tf.gather(tf.reshape(hidden, [-1, hidden.shape[2]!]), positions as tf.Tensor1D);
}

/** Ids that batches are made with. */
export interface SpecialIds {
  padTokenId: number;
  decoderStartTokenId: number;
}

/** Pads pairs, shifts targets right behind the start token, and lists the positions that have a label. */
export function collatePairs(
  { pairs, sourceLength, targetLength }: Pick<PaddedPairs, 'pairs' | 'sourceLength' | 'targetLength'>,
  ids: SpecialIds,
): TrainBatch {
  const batch = pairs.length;
  const inputIds = new Int32Array(batch * sourceLength).fill(ids.padTokenId);
  const attentionMask = new Int32Array(batch * sourceLength);
  const decoderInputIds = new Int32Array(batch * targetLength).fill(ids.padTokenId);
  const targetTokens = pairs.reduce((sum, pair) => sum + pair.target.length, 0);
  const sourceTokens = pairs.reduce((sum, pair) => sum + pair.source.length, 0);
  const labels = new Int32Array(targetTokens);
  const labelPositions = new Int32Array(targetTokens);
  let next = 0;
  pairs.forEach(({ source, target }, row) => {
    inputIds.set(source, row * sourceLength);
    attentionMask.fill(1, row * sourceLength, row * sourceLength + source.length);
    decoderInputIds[row * targetLength] = ids.decoderStartTokenId;
    for (let i = 0; i < target.length; i++) {
      if (i > 0) decoderInputIds[row * targetLength + i] = target[i - 1];
      labels[next] = target[i];
      labelPositions[next++] = row * targetLength + i;
    }
  });
  const matrix = (data: Int32Array, length: number): TrainFeed => ({
    dtype: 'int32',
    shape: [batch, length],
    data,
  });
  const list = (data: Int32Array): TrainFeed => ({ dtype: 'int32', shape: [targetTokens], data });
  const feeds: TrainBatch['feeds'] = {
    inputIds: matrix(inputIds, sourceLength),
    attentionMask: matrix(attentionMask, sourceLength),
    decoderInputIds: matrix(decoderInputIds, targetLength),
    labelPositions: list(labelPositions),
    labels: list(labels),
  };
  return { feeds, sentences: batch, sourceTokens, targetTokens };
}
