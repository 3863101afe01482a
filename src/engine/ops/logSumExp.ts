import * as tf from '@tensorflow/tfjs-core';
import { region } from '../region.js';

/** log(sum(exp(x))) over the last axis, which is dropped. */
export function logSumExp(x: tf.Tensor): tf.Tensor {
  const [result] = region('logSumExp', [x], {}, (scores) => {
    const largest = tf.max(scores, -1, true);
    const sum = tf.sum(tf.exp(tf.sub(scores, largest)), -1);
    return [tf.add(tf.squeeze(largest, [-1]), tf.log(sum))];
  });
  return result;
}
