import * as tf from '@tensorflow/tfjs-core';
import { gelu } from '../engine/ops/gelu.js';

/** Activations by the names that config.json uses. */
export const activations = {
  relu: (x: tf.Tensor) => tf.relu(x),
  gelu: (x: tf.Tensor) => gelu(x),
  gelu_new: (x: tf.Tensor) => gelu(x, true),
  gelu_pytorch_tanh: (x: tf.Tensor) => gelu(x, true),
  silu: (x: tf.Tensor) => tf.mul(x, tf.sigmoid(x)),
  swish: (x: tf.Tensor) => tf.mul(x, tf.sigmoid(x)),
  tanh: (x: tf.Tensor) => tf.tanh(x),
} satisfies Record<string, (x: tf.Tensor) => tf.Tensor>;

/** The name of an activation in config.json. */
export type ActivationName = keyof typeof activations;
