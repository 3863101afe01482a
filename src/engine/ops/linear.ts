import * as tf from '@tensorflow/tfjs';

/**
 * x W^T + b, the weight as PyTorch checkpoints store it.
 * @param x [..., in]
 * @param weight [out, in]
 * @param bias [out]
 */
export function linear(x: tf.Tensor, weight: tf.Tensor, bias?: tf.Tensor): tf.Tensor {
  const product = tf.customGrad((...args) => {
    const [input, matrix, save] = args as unknown as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    save([input, matrix]);
    // tfjs multiplies any leading axes; its own gradient does not, hence this one.
    const value = tf.matMul(input, matrix, false, true);
    return { value, gradFunc: (dy, saved) => gradients(dy as tf.Tensor, saved) };
  })(x, weight);
  return bias ? tf.add(product, bias) : product;
}

function gradients(dy: tf.Tensor, [x, weight]: tf.Tensor[]): tf.Tensor[] {
  const rows = (t: tf.Tensor) => t.reshape([t.size / t.shape[t.rank - 1], t.shape[t.rank - 1]]);
  return [tf.matMul(dy, weight), tf.matMul(rows(dy), rows(x), true, false)];
}
