import * as tf from '@tensorflow/tfjs-core';
import { logSoftmax } from './logSoftmax.js';
import { rangeTo } from './sizes.js';

/**
 * Cross entropy of each row with label smoothing (Szegedy et al. 2016): the target distribution is
 * (1 - smoothing) at the label and smoothing / classes everywhere.
 * @param logits [rows, classes]
 * @param labels int32 [rows]
 * @returns per row: the smoothed loss and the plain negative log-likelihood (nats), both [rows]; only the loss has a
 * gradient
 */
export function crossEntropy(
  logits: tf.Tensor,
  labels: tf.Tensor,
  smoothing: number,
): { loss: tf.Tensor; negativeLogLikelihood: tf.Tensor } {
  const loss = tf.customGrad((...args) => {
    const [scores, save] = args as unknown as [tf.Tensor, tf.GradSaveFunc];
    const logProbabilities = logSoftmax(scores);
    const picked = tf.gatherND(logProbabilities, cells(labels));
    save([scores]);
    const value =
      smoothing === 0
        ? tf.neg(picked)
        : tf.sub(tf.mul(picked, smoothing - 1), tf.mul(tf.mean(logProbabilities, -1), smoothing));
    return { value, gradFunc: (dy, [saved]) => gradient(dy as tf.Tensor, saved, labels, smoothing) };
  })(logits);
  // The same nodes again; ONNX Runtime computes them once.
  const negativeLogLikelihood = tf.neg(tf.gatherND(logSoftmax(logits), cells(labels)));
  return { loss, negativeLogLikelihood };
}

/** [row, label] of each row. */
function cells(labels: tf.Tensor): tf.Tensor {
  return tf.stack([rangeTo(labels.shape[0]!), labels], 1);
}

function gradient(dy: tf.Tensor, logits: tf.Tensor, labels: tf.Tensor, smoothing: number): tf.Tensor {
  const [rows, classes] = logits.shape;
  // One fused operator, where an exponential of what the loss kept is a slower pass over all classes.
  const probabilities = tf.softmax(logits);
  const uniform = smoothing === 0 ? probabilities : tf.sub(probabilities, smoothing / classes);
  const column = tf.reshape(dy, [rows, 1]);
  const dense = tf.mul(uniform, column);
  // Not read from `dense`: an array with one reader is written in place.
  const picked = tf.gatherND(probabilities, cells(labels));
  const atLabel = tf.mul(tf.sub(picked, 1 - smoothing + smoothing / classes), dy);
  return tf.tensorScatterUpdate(dense, cells(labels), atLabel);
}
