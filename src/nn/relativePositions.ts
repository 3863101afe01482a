import * as tf from '@tensorflow/tfjs-core';

/** How distances map to rows of a bias table (Raffel et al. 2020, section 2.1). */
export interface DistanceBuckets {
  /** Rows of the table. */
  buckets: number;
  /** All distances from this one on share one row. */
  maxDistance: number;
  /** Half of the rows for keys after the query; otherwise those have the row of distance 0. */
  bidirectional: boolean;
}

/**
 * The row of a distance: short distances have one each, longer ones share rows of logarithmic width.
 * @param relative position of the key less that of the query
 */
export function bucketOf(relative: number, { buckets, maxDistance, bidirectional }: DistanceBuckets): number {
  const rows = bidirectional ? Math.floor(buckets / 2) : buckets;
  const first = bidirectional && relative > 0 ? rows : 0;
  const distance = bidirectional ? Math.abs(relative) : Math.max(-relative, 0);
  const exact = Math.floor(rows / 2);
  if (distance < exact) return first + distance;
  // Rounded as in PyTorch, so that a distance on the edge of a bucket gets the same bucket as in training.
  const { fround, log } = Math;
  const share = fround(fround(log(fround(distance / exact))) / fround(log(maxDistance / exact)));
  const row = exact + Math.floor(fround(share * (rows - exact)));
  return first + Math.min(row, rows - 1);
}

/**
 * The bias of attention scores for the distance of each key from each query.
 * @param table [buckets, heads]
 * @param queries int32 [target], positions; [batch, target] where each row has its own
 * @param keys int32 [source], positions; [batch, source] with such queries
 * @returns [1 or batch, heads, target, source]
 */
export function relativeBias(
  table: tf.Tensor,
  options: DistanceBuckets,
  queries: tf.Tensor,
  keys: tf.Tensor,
): tf.Tensor {
  const reach = options.maxDistance;
  const rows = Array.from({ length: 2 * reach + 1 }, (_, index) => bucketOf(index - reach, options));
  const byDistance = tf.gather(table, tf.tensor1d(rows, 'int32'));
  const distance = tf.sub(tf.expandDims(keys, -2), tf.expandDims(queries, -1));
  const within = tf.maximum(tf.minimum(distance, tf.scalar(reach, 'int32')), tf.scalar(-reach, 'int32'));
  const bias = tf.gather(byDistance, tf.add(within, tf.scalar(reach, 'int32')) as tf.Tensor1D);
  if (queries.rank === 2) return tf.transpose(bias, [0, 3, 1, 2]);
  return tf.expandDims(tf.transpose(bias, [2, 0, 1]), 0);
}
