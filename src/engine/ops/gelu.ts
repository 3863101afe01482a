import * as tf from '@tensorflow/tfjs-core';
import { region } from '../region.js';

/**
 * Gaussian error linear unit, x * Phi(x) (Hendrycks and Gimpel 2016).
 * @param approximate the tanh form that GPT-2 and `gelu_new` use
 */
export function gelu<T extends tf.Tensor>(x: T, approximate = false): T {
  const op = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [tf.Tensor, tf.GradSaveFunc];
    const [value] = region('gelu', [input], { approximate: approximate ? 1 : 0 }, (t) => [
      approximate ? tanhGelu(t) : erfGelu(t),
    ]);
    save([input]);
    return { value, gradFunc: (dy, [t]) => tf.mul(dy as tf.Tensor, slope(t, approximate)) };
  });
  return op(x) as T;
}

function erfGelu(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
}

const tanhScale = Math.sqrt(2 / Math.PI);

function tanhGelu(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(tanhInner(x)), 1));
}

function tanhInner(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.mul(x, tf.add(tf.mul(tf.mul(x, x), 0.044715), 1)), tanhScale);
}

function slope(x: tf.Tensor, approximate: boolean): tf.Tensor {
  if (!approximate) {
    const cdf = tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
    const density = tf.mul(tf.exp(tf.mul(tf.mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return tf.add(cdf, tf.mul(x, density));
  }
  const t = tf.tanh(tanhInner(x));
  const inner = tf.mul(tf.add(tf.mul(tf.mul(x, x), 3 * 0.044715), 1), tanhScale);
  const half = tf.mul(tf.mul(x, 0.5), tf.mul(tf.sub(1, tf.mul(t, t)), inner));
  return tf.add(tf.mul(tf.add(t, 1), 0.5), half);
}
