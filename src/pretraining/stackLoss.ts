import type * as tf from '@tensorflow/tfjs-core';
import type { PrefixStack } from '../decoder/prefixLm.js';
import type { DropoutSource } from '../engine/ops/dropout.js';
import type { Parameters } from '../engine/parameters.js';
import type { Signature, Tensors } from '../engine/program.js';
import { stretchBias } from '../nn/prefixAttention.js';
import { rowsAt, summedCrossEntropy } from '../training/sequenceToSequence.js';
import type { Objective } from '../training/step.js';
import type { TrainBatch } from '../training/trainStep.js';
import { listFeed, padRows } from './objective.js';
import type { VocabularyFacts } from './vocabularyFacts.js';

/** One row of a batch for a stack that both reads and writes. Lists are by position, all of one length. */
export interface StackRow {
  inputIds: number[];
  tokenTypeIds: number[];
  /** The first position that each position reads. */
  from: number[];
  /** The position after the last one that each position reads. */
  until: number[];
  /** Positions where a token is predicted. */
  labelPositions: number[];
  /** The token of each. */
  labels: number[];
}

/** What every row of a stack's batch needs. */
export const stackSignature: Signature = {
  inputIds: { type: 'int32', shape: ['batch', 'length'] },
  tokenTypeIds: { type: 'int32', shape: ['batch', 'length'] },
  visibleFrom: { type: 'int32', shape: ['batch', 'length'] },
  visibleUntil: { type: 'int32', shape: ['batch', 'length'] },
  labelPositions: { type: 'int32', shape: ['tokens'] },
  labels: { type: 'int32', shape: ['tokens'] },
};

/**
 * Hidden states under each row's own visibility, which is data: one program serves every objective of a mixture.
 * @returns [batch, length, features]
 */
export function stackStates(
  p: Parameters,
  stack: PrefixStack,
  { inputIds, tokenTypeIds, visibleFrom, visibleUntil }: Tensors,
  dropout?: DropoutSource,
): tf.Tensor {
  const bias = stretchBias(visibleFrom, visibleUntil, inputIds.shape[1]!);
  return stack.run(p, { inputIds, tokenTypeIds, self: { kind: 'sequence', visibility: { bias } }, dropout })
    .hidden;
}

/** Cross entropy of the labels of hidden states: sums over tokens. */
export function labelLoss(
  p: Parameters,
  stack: PrefixStack,
  hidden: tf.Tensor,
  { labelPositions, labels }: Tensors,
  labelSmoothing: number,
) {
  const rows = rowsAt(hidden, labelPositions);
  return summedCrossEntropy(stack.logits(p, rows), labels, labelSmoothing);
}

/** Cross entropy of the labels: the loss of every objective of a stack that predicts tokens. */
export function stackLoss(stack: PrefixStack, labelSmoothing: number): Objective {
  return {
    signature: stackSignature,
    loss: (p, inputs, dropout) =>
      labelLoss(p, stack, stackStates(p, stack, inputs, dropout), inputs, labelSmoothing),
  };
}

/** Pads rows into the feeds of `stackLoss`. Padding reads the first position, and nothing reads it. */
export function stackBatch(
  rows: readonly StackRow[],
  { padTokenId }: Pick<VocabularyFacts, 'padTokenId'>,
  lengthMultiple: number,
): TrainBatch {
  const pad = (key: 'inputIds' | 'tokenTypeIds' | 'from' | 'until', fill: number) =>
    padRows(
      rows.map((row) => row[key]),
      fill,
      lengthMultiple,
    );
  const inputIds = pad('inputIds', padTokenId);
  const width = inputIds.shape[1];
  const labels = rows.flatMap((row) => row.labels);
  return {
    feeds: {
      inputIds,
      tokenTypeIds: pad('tokenTypeIds', 0),
      visibleFrom: pad('from', 0),
      visibleUntil: pad('until', 1),
      labelPositions: listFeed(
        rows.flatMap((row, index) => row.labelPositions.map((at) => index * width + at)),
      ),
      labels: listFeed(labels),
    },
    sentences: rows.length,
    sourceTokens: rows.reduce((sum, row) => sum + row.inputIds.length, 0),
    targetTokens: labels.length,
  };
}
