import * as tf from '@tensorflow/tfjs-core';

/** AdamW (Loshchilov and Hutter 2019) with clipping by the global norm. */
export interface OptimizerConfig {
  /** Decay of the mean of gradients. Default 0.9. */
  adamBeta1: number;
  /** Decay of the mean of squared gradients. Default 0.98 (Vaswani et al. 2017). */
  adamBeta2: number;
  /** Keeps divisions finite. Default 1e-9. */
  adamEpsilon: number;
  /** Decoupled decay of matrices and tables; biases and norms are left alone. Default 0. */
  weightDecay: number;
  /** Largest L2 norm of the whole gradient; 0 is no limit. Default 1. */
  clipNorm: number;
}

/** Scalars that differ from update to update; computed on the host in float64. */
export interface UpdateScalars {
  /** learning rate / (1 - beta1^t) * sqrt(1 - beta2^t) */
  stepSize: tf.Tensor;
  /** epsilon * sqrt(1 - beta2^t) */
  epsilon: tf.Tensor;
  /** learning rate * weight decay */
  decay: tf.Tensor;
}

/**
 * The same update as m^ / (sqrt(v^) + epsilon) with bias-corrected m^ and v^, with the corrections moved into the
 * scalars: two passes over the weights fewer.
 */
export function updateScalars(config: OptimizerConfig, learningRate: number, update: number) {
  const correction1 = 1 - config.adamBeta1 ** update;
  const correction2 = Math.sqrt(1 - config.adamBeta2 ** update);
  return {
    stepSize: (learningRate / correction1) * correction2,
    epsilon: config.adamEpsilon * correction2,
    decay: learningRate * config.weightDecay,
  };
}

/** L2 norm over all gradients together. */
export function globalNorm(gradients: readonly tf.Tensor[]): tf.Tensor {
  return tf.sqrt(tf.addN(gradients.map((gradient) => tf.sum(tf.mul(gradient, gradient)))));
}

/** What to multiply gradients by so that their norm, already `norm`, is at most `clipNorm`. */
export function clipScale(norm: tf.Tensor, clipNorm: number): tf.Tensor | undefined {
  if (clipNorm <= 0) return undefined;
  return tf.minimum(1, tf.div(clipNorm, tf.add(norm, 1e-6)));
}

/**
 * One weight's update; all tensors of the weight's shape. Scalars are multiplied with each other first: each
 * operation here is a pass over all weights.
 * @param gradient before it is scaled
 * @param scale scalar that the gradient is multiplied by, for the mean and for clipping
 */
export function adamW(
  weight: tf.Tensor,
  gradient: tf.Tensor,
  m: tf.Tensor,
  v: tf.Tensor,
  scale: tf.Tensor,
  scalars: UpdateScalars,
  config: OptimizerConfig,
): { weight: tf.Tensor; m: tf.Tensor; v: tf.Tensor } {
  const { adamBeta1, adamBeta2 } = config;
  const share = tf.mul(scale, 1 - adamBeta1);
  const squareShare = tf.mul(tf.mul(scale, scale), 1 - adamBeta2);
  const nextM = tf.add(tf.mul(m, adamBeta1), tf.mul(gradient, share));
  const nextV = tf.add(tf.mul(v, adamBeta2), tf.mul(tf.mul(gradient, squareShare), gradient));
  const direction = tf.div(nextM, tf.add(tf.sqrt(nextV), scalars.epsilon));
  // Embedding tables and matrices decay; biases and norms have one axis.
  const decays = config.weightDecay > 0 && weight.rank > 1;
  const kept = decays ? tf.mul(weight, tf.sub(1, scalars.decay)) : weight;
  return { weight: tf.sub(kept, tf.mul(direction, scalars.stepSize)), m: nextM, v: nextV };
}
