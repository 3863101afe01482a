import * as tf from '@tensorflow/tfjs';
import type { Initializer, Parameters } from '../engine/parameters.js';

/**
 * Rows of the table `weight` [size, features].
 * @param ids int32, any shape
 * @returns [...ids.shape, features]
 */
export function embedding(
  p: Parameters,
  ids: tf.Tensor,
  size: number,
  features: number,
  initializer?: Initializer,
): tf.Tensor {
  return tf.gather(p.get('weight', [size, features], initializer), ids as tf.Tensor1D);
}
