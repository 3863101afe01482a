import * as tf from '@tensorflow/tfjs-core';
import { isTracing } from '../traceBackend.js';

/** The integers 0 .. size-1 as int32 [size]; works for named dimensions, where `tf.range` cannot. */
export function rangeTo(size: number): tf.Tensor1D {
  if (!isTracing()) return tf.range(0, size, 1, 'int32');
  return tf.engine().runKernel('PolybeamRange', {}, { size }) as tf.Tensor1D;
}

/** The size of an axis as an int32 scalar; works for named dimensions, where `shape[axis]` is no value. */
export function sizeOf(x: tf.Tensor, axis: number): tf.Scalar {
  return sizeScalar(x.shape[axis < 0 ? x.rank + axis : axis]);
}

/** A size, or a product of sizes, as an int32 scalar. */
export function sizeScalar(size: number): tf.Scalar {
  if (!isTracing()) return tf.scalar(size, 'int32');
  return tf.engine().runKernel('PolybeamSize', {}, { size }) as tf.Scalar;
}
