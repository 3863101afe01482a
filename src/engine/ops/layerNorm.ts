import * as tf from '@tensorflow/tfjs-core';
import { region } from '../region.js';
import { asRows, sumOfRows } from './linear.js';

/**
 * Layer normalization over the last axis (Ba et al. 2016).
 * @param x [..., features]
 * @param gain [features]
 * @param bias [features]
 */
export function layerNorm<T extends tf.Tensor>(x: T, gain: tf.Tensor, bias: tf.Tensor, epsilon: number): T {
  const op = tf.customGrad((...args) => {
    const [input, weight, shift, save] = args as unknown as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
      tf.GradSaveFunc,
    ];
    const [value, mean, inverse] = region(
      'layerNorm',
      [input, weight, shift],
      { epsilon: { float: epsilon } },
      (t, g, b) => {
        const center = tf.mean(t, -1, true);
        const offset = tf.sub(t, center);
        const deviation = tf.rsqrt(tf.add(tf.mean(tf.mul(offset, offset), -1, true), epsilon));
        return [tf.add(tf.mul(tf.mul(offset, deviation), g), b), center, deviation];
      },
    );
    save([input, weight, mean, inverse]);
    return { value, gradFunc: (dy, saved) => gradients(dy as tf.Tensor, saved) };
  });
  return op(x, gain, bias) as T;
}

function gradients(dy: tf.Tensor, [x, gain, mean, inverse]: tf.Tensor[]): tf.Tensor[] {
  const normal = tf.mul(tf.sub(x, mean), inverse);
  const scaled = tf.mul(dy, gain);
  const projection = tf.mul(normal, tf.mean(tf.mul(scaled, normal), -1, true));
  const dx = tf.mul(inverse, tf.sub(tf.sub(scaled, tf.mean(scaled, -1, true)), projection));
  return [dx, sumOfRows(asRows(tf.mul(dy, normal))), sumOfRows(asRows(dy))];
}
