import * as tf from '@tensorflow/tfjs-core';
import { logSoftmax } from '../../engine/ops/logSoftmax.js';
import { logSumExp } from '../../engine/ops/logSumExp.js';

/** Log-weight of a cell that is none: it has no part in a sum. */
export const noCell = -1e9;

/** Target tokens and where each may come from. */
export interface AlignedTargets {
  /** int32 [targets]: token ids */
  labels: tf.Tensor;
  /** int32 [targets, width]: rows of the logits that a target may be aligned to; any row where there is no cell */
  rows: tf.Tensor;
  /** float32 [targets, width]: logarithms of alignment probabilities, `noCell` where there is no cell */
  logWeights: tf.Tensor;
}

/**
 * -log sum_i a(i|j) p(y_j | row i) of each target token y_j: IBM Model 2 (Brown et al. 1993) with a softmax in place of its table
 * of translations, as Ren et al. 2019 have it. A sum over all alignments of a whole target factors into these (the tokens of a
 * target are aligned independently), so nothing is enumerated. A target of one cell with log-weight 0 is plain cross entropy.
 * @param logits [rows, vocabSize]
 * @returns [targets]; differentiable by the logits
 */
export function alignedNegativeLogLikelihood(logits: tf.Tensor, targets: AlignedTargets): tf.Tensor {
  return tf.customGrad((...args) => {
    const [scores, save] = args as unknown as [tf.Tensor, tf.GradSaveFunc];
    save([scores]);
    const value = tf.neg(logSumExp(joint(scores, targets)));
    return { value, gradFunc: (dy, [saved]) => gradient(dy as tf.Tensor, saved, targets) };
  })(logits);
}

/** log a(i|j) + log p(y_j | row i). [targets, width] */
function joint(logits: tf.Tensor, targets: AlignedTargets): tf.Tensor {
  const picked = tf.gatherND(logSoftmax(logits), cellsOf(targets));
  return tf.add(tf.reshape(picked, targets.rows.shape), targets.logWeights);
}

/** [row, label] of each cell, int32 [targets * width, 2] */
function cellsOf({ rows, labels }: AlignedTargets): tf.Tensor {
  const wide = tf.add(tf.zerosLike(rows), tf.expandDims(labels, 1));
  return tf.stack([tf.reshape(rows, [rows.size]), tf.reshape(wide, [rows.size])], 1);
}

/**
 * Each cell pulls its row towards its label by its posterior gamma: the sum over cells of a row of gamma (softmax - onehot), Ren et
 * al. 2019.
 */
function gradient(dy: tf.Tensor, logits: tf.Tensor, targets: AlignedTargets): tf.Tensor {
  const [rows, classes] = logits.shape;
  const posterior = tf.softmax(joint(logits, targets));
  const pull = tf.reshape(tf.mul(posterior, tf.expandDims(dy, 1)), [targets.rows.size]);
  const perRow = tf.unsortedSegmentSum(
    pull,
    tf.reshape(targets.rows, [targets.rows.size]) as tf.Tensor1D,
    rows,
  );
  const spread = tf.mul(tf.softmax(logits), tf.reshape(perRow, [rows, 1]));
  return tf.sub(spread, tf.scatterND(cellsOf(targets), pull, [rows, classes]));
}
