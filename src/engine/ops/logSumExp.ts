import * as tf from '@tensorflow/tfjs';
import { logSoftmax } from './logSoftmax.js';

/**
 * log(sum(exp(x))) over the last axis, which is dropped. Not meant to be differentiated.
 *
 * It is the largest value less the largest log-probability: maxima are exact, and the runtime's log-softmax sums a row in one order
 * however many rows there are, which its plain sum does not (one row alone is summed otherwise than the same row among others).
 */
export function logSumExp(x: tf.Tensor): tf.Tensor {
  return tf.sub(tf.max(x, -1), tf.max(logSoftmax(x), -1));
}
