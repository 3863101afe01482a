import * as tf from '@tensorflow/tfjs-core';

/**
 * x W^T + b, the weight as PyTorch checkpoints store it.
 * @param x [..., in]
 * @param weight [out, in]
 * @param bias [out]
 * @returns [..., out]
 */
export function linear(x: tf.Tensor, weight: tf.Tensor, bias?: tf.Tensor): tf.Tensor {
  const op = tf.customGrad((...args) => {
    const save = args.pop() as unknown as tf.GradSaveFunc;
    const [input, matrix, shift] = args as tf.Tensor[];
    save([input, matrix]);
    // tfjs multiplies any leading axes; its own gradient does not, hence this one.
    const product = tf.matMul(input, matrix, false, true);
    const value = shift ? tf.add(product, shift) : product;
    return { value, gradFunc: (dy, saved) => gradients(dy as tf.Tensor, saved, shift !== undefined) };
  });
  return bias ? op(x, weight, bias) : op(x, weight);
}

/** [..., features] -> [rows, features] */
export function asRows(x: tf.Tensor): tf.Tensor {
  const features = x.shape[x.rank - 1]!;
  return tf.reshape(x, [x.size / features, features]);
}

function gradients(dy: tf.Tensor, [x, weight]: tf.Tensor[], hasBias: boolean): tf.Tensor[] {
  const rows = asRows(dy);
  const weightGradient = tf.matMul(rows, asRows(x), true, false);
  const result = [tf.matMul(dy, weight), weightGradient];
  return hasBias ? [...result, sumOfRows(rows)] : result;
}

/** [rows, features] -> [features], as a product: ONNX Runtime's reductions over leading axes are ten times slower. */
export function sumOfRows(x: tf.Tensor): tf.Tensor {
  return tf.reshape(tf.matMul(tf.fill([1, x.shape[0]!], 1), x), [x.shape[1]!]);
}
