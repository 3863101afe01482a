import type * as tf from '@tensorflow/tfjs';
import { linear } from '../engine/ops/linear.js';
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
