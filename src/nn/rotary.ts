import * as tf from '@tensorflow/tfjs-core';

/** The rotation of features at each position (rotary positions, Su et al. 2021, section 3.4.2). */
export interface Rotation {
  /** [...positions, 1, size / 2] */
  sin: tf.Tensor;
  /** As `sin`. */
  cos: tf.Tensor;
  /** Whether values are rotated like queries and keys. */
  values: boolean;
}

/**
 * The rotation at some positions.
 * @param table sines, then cosines, of each position: `sinusoidalPositions(positions, size)`. [positions, size]
 * @param positions int32 [length], [rows] or [rows, length]: all axes of what is rotated but the last, or its last of them
 */
export function rotationAt(table: tf.Tensor, positions: tf.Tensor, values = false): Rotation {
  const half = table.shape[1]! / 2;
  const rows = tf.gather(table, positions as tf.Tensor1D);
  const leading = positions.shape as number[];
  const part = (index: number) =>
    tf.reshape(tf.slice(rows, [...leading.map(() => 0), index * half], [...leading, half]), [
      ...leading,
      1,
      half,
    ]);
  return { sin: part(0), cos: part(1), values };
}

/**
 * Rotates each pair of neighboring features of each head.
 * @param x [..., heads * size]
 * @returns as x
 */
export function rotate(x: tf.Tensor, { sin, cos }: Rotation, heads: number): tf.Tensor {
  const leading = x.shape.slice(0, -1) as number[];
  const half = x.shape[x.rank - 1]! / heads / 2;
  const pairs = tf.reshape(x, [...leading, heads, half, 2]);
  const part = (index: number) =>
    tf.reshape(tf.slice(pairs, [...leading.map(() => 0), 0, 0, index], [...leading, heads, half, 1]), [
      ...leading,
      heads,
      half,
    ]);
  const [even, odd] = [part(0), part(1)];
  const turned = [tf.sub(tf.mul(even, cos), tf.mul(odd, sin)), tf.add(tf.mul(odd, cos), tf.mul(even, sin))];
  return tf.reshape(tf.stack(turned, leading.length + 2), x.shape as number[]);
}
