import * as tf from '@tensorflow/tfjs';
import { logSumExp } from '../engine/ops/logSumExp.js';
import { rangeTo } from '../engine/ops/sizes.js';
import type { Signature, Tensors } from '../engine/program.js';
import type { SelectionSpec } from '../generation/stepModel.js';

/** Inputs of a program that selects candidates, beyond those of the decoder. */
export function selectionSignature(spec: SelectionSpec, rows: string): Signature {
  const signature: Signature = {};
  if (spec.bans) signature.bans = { type: 'int32', shape: ['bans', 2] };
  if (spec.repetitionPenalty !== 1) signature.penalized = { type: 'int32', shape: [rows, 'penalized'] };
  return signature;
}

/**
 * Edits logits and keeps the best of each row, so that the host reads a few numbers instead of a vocabulary.
 * @param logits [rows, vocabSize]
 * @param inputs `bans` int32 [n, 2] and `penalized` int32 [rows, width], where the spec wants them
 * @returns `logSumExp` [rows], and `ids` and `logits` [rows, candidates]; every logit where that is 0
 */
export function selectCandidates(logits: tf.Tensor, spec: SelectionSpec, inputs: Tensors): Tensors {
  const rawSum = logSumExp(logits);
  let edited = logits;
  if (spec.repetitionPenalty !== 1) edited = penalize(edited, inputs.penalized, rawSum, spec);
  if (spec.bans) edited = ban(edited, inputs.bans);
  const normalizer = spec.renormalize ? logSumExp(edited) : rawSum;
  if (spec.candidates === 0) return { logits: tf.add(edited, 0), logSumExp: normalizer };
  const { values, indices } = tf.topk(edited, spec.candidates, true);
  return { ids: indices, logits: values, logSumExp: normalizer };
}

/** Values below 0 are multiplied by the penalty, others divided (Keskar et al. 2019, section 4.1, as in transformers). */
function penalize(
  logits: tf.Tensor,
  penalized: tf.Tensor,
  rawSum: tf.Tensor,
  spec: SelectionSpec,
): tf.Tensor {
  const [rows, width] = penalized.shape as [number, number];
  const row = tf.mul(rangeTo(rows).reshape([rows, 1]), tf.onesLike(penalized));
  const cells = tf.stack([row, penalized], -1).reshape([rows * width, 2]);
  const found = tf.gatherND(logits, cells).reshape([rows, width]);
  const offset = spec.penaltySpace === 'logProbabilities' ? rawSum.reshape([rows, 1]) : tf.scalar(0);
  const value = tf.sub(found, offset);
  const lower = tf.where(
    tf.less(value, 0),
    tf.mul(value, spec.repetitionPenalty),
    tf.div(value, spec.repetitionPenalty),
  );
  return tf.tensorScatterUpdate(logits, cells, tf.add(lower, offset).reshape([rows * width]));
}

function ban(logits: tf.Tensor, bans: tf.Tensor): tf.Tensor {
  return tf.tensorScatterUpdate(logits, bans, tf.fill([bans.shape[0]!], Number.NEGATIVE_INFINITY));
}
