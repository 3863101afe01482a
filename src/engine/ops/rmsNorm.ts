import * as tf from '@tensorflow/tfjs-core';
import { region } from '../region.js';

/**
 * Root mean square normalization over the last axis (Zhang and Sennrich 2019): no mean is subtracted, no bias added.
 * @param x [..., features]
 * @param gain [features]
 */
export function rmsNorm(x: tf.Tensor, gain: tf.Tensor, epsilon: number): tf.Tensor {
  const [result] = region('rmsNorm', [x, gain], { epsilon: { float: epsilon } }, (t, g) => {
    const deviation = tf.rsqrt(tf.add(tf.mean(tf.mul(t, t), -1, true), epsilon));
    return [tf.mul(tf.mul(t, deviation), g)];
  });
  return result;
}
