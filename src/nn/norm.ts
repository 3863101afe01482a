import * as tf from '@tensorflow/tfjs-core';
import { layerNorm } from '../engine/ops/layerNorm.js';
import { rmsNorm } from '../engine/ops/rmsNorm.js';
import type { Parameters } from '../engine/parameters.js';

/** Layer normalization with `weight` and `bias`, over the last axis. */
export function norm(p: Parameters, x: tf.Tensor, epsilon: number): tf.Tensor {
  const features = x.shape[x.rank - 1]!;
  return layerNorm(
    x,
    p.get('weight', [features], { kind: 'ones' }),
    p.get('bias', [features], { kind: 'zeros' }),
    epsilon,
  );
}

/** Root mean square normalization with `weight`, over the last axis. */
export function scaleNorm(p: Parameters, x: tf.Tensor, epsilon: number): tf.Tensor {
  return rmsNorm(x, p.get('weight', [x.shape[x.rank - 1]!], { kind: 'ones' }), epsilon);
}

/** Root mean square normalization over the last axis, without weights (RoFormerV2). */
export function plainNorm(x: tf.Tensor, epsilon: number): tf.Tensor {
  return rmsNorm(x, tf.ones([x.shape[x.rank - 1]!]), epsilon);
}
