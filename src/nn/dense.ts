import * as tf from '@tensorflow/tfjs-core';
import { asRows, linear } from '../engine/ops/linear.js';
import type { Initializer, Parameters } from '../engine/parameters.js';

/** How a dense layer starts. */
export interface DenseOptions {
  bias?: boolean;
  initializer?: Initializer;
}

/**
 * A fully connected layer named as in PyTorch: `weight` [outputs, inputs], `bias` [outputs].
 * @param x [..., inputs]
 * @returns [..., outputs]
 */
export function dense(p: Parameters, x: tf.Tensor, outputs: number, options: DenseOptions = {}): tf.Tensor {
  const inputs = x.shape[x.rank - 1]!;
  const weight = p.get('weight', [outputs, inputs], options.initializer);
  const bias = options.bias === false ? undefined : p.get('bias', [outputs], { kind: 'zeros' });
  return linear(x, weight, bias);
}

/**
 * A fully connected layer in the layout of OpenAI's checkpoints: `weight` [inputs, outputs], `bias` [outputs].
 * @param x [..., inputs]
 * @returns [..., outputs]
 */
export function denseByInput(
  p: Parameters,
  x: tf.Tensor,
  outputs: number,
  initializer?: Initializer,
): tf.Tensor {
  const inputs = x.shape[x.rank - 1]!;
  const weight = p.get('weight', [inputs, outputs], initializer);
  const product = tf.reshape(tf.matMul(asRows(x), weight), [...x.shape.slice(0, -1), outputs]);
  return tf.add(product, p.get('bias', [outputs], { kind: 'zeros' }));
}
