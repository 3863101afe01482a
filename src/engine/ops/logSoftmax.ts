import * as tf from '@tensorflow/tfjs-core';
import { region } from '../region.js';

/** log(softmax(x)) over the last axis. It has no gradient: callers that differentiate define their own. */
export function logSoftmax(x: tf.Tensor): tf.Tensor {
  const [result] = region('logSoftmax', [x], {}, (scores) => {
    const shifted = tf.sub(scores, tf.max(scores, -1, true));
    return [tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), -1, true)))];
  });
  return result;
}
