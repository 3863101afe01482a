import * as tf from '@tensorflow/tfjs';
import type { EncoderDecoder } from '../decoder/encoderDecoder.js';
import { crossEntropy } from '../engine/ops/crossEntropy.js';
import { rangeTo } from '../engine/ops/sizes.js';
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
      const memory = model.encode(p, inputs.inputIds, inputs.attentionMask, dropout);
      const { hidden } = model.decode(p, {
        inputIds: inputs.decoderInputIds,
        positions: rangeTo(inputs.decoderInputIds.shape[1]!),
        memory: model.readMemory(p, memory),
        memoryMask: inputs.attentionMask,
        self: { kind: 'sequence', visibility: { causal: true } },
        dropout,
      });
      const features = hidden.shape[2]!;
      const rows = tf.gather(hidden.reshape([-1, features]), inputs.labelPositions as tf.Tensor1D);
      const { loss, negativeLogLikelihood } = crossEntropy(
        model.logits(p, rows),
        inputs.labels,
        labelSmoothing,
      );
      return { lossSum: tf.sum(loss), nllSum: tf.sum(negativeLogLikelihood) };
    },
  };
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
