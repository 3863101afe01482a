import * as tf from '@tensorflow/tfjs-core';
import { randomConstants } from '../kernels/random.js';
import { isTracing } from '../traceBackend.js';

/** The source of dropout's random numbers: one key a training step, and a number for each use. */
export interface DropoutSource {
  /** int32 scalar; another one each step. */
  seed: tf.Tensor;
  /** Counts the uses in one trace, so that each has its own random stream. */
  next: { stream: number };
}

/**
 * Inverted dropout (Srivastava et al. 2014): keeps an element with probability 1 - rate and divides it by that. The
 * mask is a function of (seed, place, element) alone, so a run can be repeated and resumed bit for bit.
 * @param rate 0 to 1, in steps of 1/65536
 * @param source undefined at inference: x is returned as it is
 */
export function dropout(x: tf.Tensor, rate: number, source: DropoutSource | undefined): tf.Tensor {
  if (!source || rate <= 0) return x;
  const threshold = Math.round(rate * 65536);
  const attributes = {
    shape: x.shape,
    stream: source.next.stream++,
    threshold,
    scale: 65536 / (65536 - threshold),
  };
  const mask = isTracing()
    ? (tf.engine().runKernel('PolybeamKeepMask', { seed: source.seed }, attributes) as tf.Tensor)
    : eagerMask(source.seed.dataSync()[0], attributes);
  return tf.mul(x, mask);
}

/** lowbias32, as the traced kernel computes it. */
function mix(word: number): number {
  let x = word | 0;
  x ^= x >>> 16;
  x = Math.imul(x, randomConstants.multiply1);
  x ^= x >>> 15;
  x = Math.imul(x, randomConstants.multiply2);
  return x ^ (x >>> 16);
}

function eagerMask(
  seed: number,
  { shape, stream, threshold, scale }: { shape: number[]; stream: number; threshold: number; scale: number },
): tf.Tensor {
  const key = mix(seed ^ Math.imul(stream + 1, 0x85ebca6b));
  const total = tf.util.sizeFromShape(shape);
  const words = Math.ceil(total / 2);
  const mask = new Float32Array(total);
  for (let i = 0; i < words; i++) {
    const bits = mix(Math.imul(i, randomConstants.weyl) + key);
    if ((bits & 0xffff) >= threshold) mask[i] = scale;
    if (words + i < total && bits >>> 16 >= threshold) mask[words + i] = scale;
  }
  return tf.tensor(mask, shape);
}
