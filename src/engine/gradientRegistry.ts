import * as tf from '@tensorflow/tfjs-core';

/*
 * tfjs-core brings no gradients, and those of the whole package tfjs do not suit named dimensions. polybeam has a gradient for
 * each kernel it maps. The registry belongs to the whole process: whoever imports tfjs later puts its own there.
 */

/** What polybeam differentiates with, by kernel. */
export const gradients = new Map<string, tf.GradConfig>();

/** What a gradient needs of the forward pass: named inputs, all of them, or the output. */
export type SavedTensors = Omit<tf.GradConfig, 'kernelName' | 'gradFunc'>;

/**
 * Gives a kernel its gradient.
 *
 * @param saved what `gradient` gets of the forward pass: inputs first, then the output
 * @param gradient the gradients of the inputs by name, each computed only where it is asked for
 */
export function defineGradient<A>(
  kernelName: string,
  saved: SavedTensors,
  gradient: (dy: tf.Tensor, saved: tf.Tensor[], attributes: A) => Record<string, () => tf.Tensor>,
): void {
  const gradFunc = (dy: tf.Tensor | tf.Tensor[], kept: tf.Tensor[], attributes: unknown) =>
    gradient(dy as tf.Tensor, kept, attributes as A);
  gradients.set(kernelName, { kernelName, ...saved, gradFunc: gradFunc as tf.GradFunc });
}

/** Sees to it that tfjs differentiates by `gradients`. */
export function useGradients(): void {
  for (const [kernelName, config] of gradients) {
    const current = tf.getGradient(kernelName);
    if (current === config) continue;
    if (current) tf.unregisterGradient(kernelName);
    tf.registerGradient(config);
  }
}

/** The gradient of a broadcast operand: a sum over what was repeated. */
export function sumTo(gradient: tf.Tensor, shape: number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, gradient.shape);
  return axes.length > 0 ? tf.reshape(tf.sum(gradient, axes), shape) : gradient;
}
