import * as tf from '@tensorflow/tfjs-core';
import { type AttentionOptions, attentionScores, mergeHeads, splitHeads } from './attention.js';
import { dropout } from './dropout.js';

/** Keys and values of one of several parts that are attended to together. */
export interface AttentionPart {
  /** [groups, heads, source, size]; `groups` divides the rows of the query, consecutive rows read one group. */
  key: tf.Tensor;
  /** As the key. */
  value: tf.Tensor;
  /** Added to the scores. [groups or 1, 1, target or 1, source]; one for all positions where a group has several rows. */
  bias?: tf.Tensor;
}

/**
 * Attention over separate parts as if they were one sequence: the softmax of each, weighted by its share of the softmax over all
 * of them. Nothing is concatenated, and keys and values that several rows use are stored once.
 * @param query [rows, target, features]
 * @returns [rows, target, features]
 */
export function jointAttention(
  query: tf.Tensor,
  parts: readonly AttentionPart[],
  heads: number,
  { scale, dropout: training }: AttentionOptions = {},
): tf.Tensor {
  const [rows, target] = query.shape;
  const scores = parts.map(({ key, bias }) => {
    const found = attentionScores(fold(query, key, heads), key, scale);
    return unfold(bias ? tf.add(found, bias) : found, rows, target);
  });
  const largest = scores.map((part) => tf.max(part, -1, true));
  const most = largest.reduce((a, b) => tf.maximum(a, b));
  const weights = scores.map((part) => tf.softmax(part, -1));
  // The sum of a part's exponentials. Softmax sums them in one order whatever the batch: see `logSumExp`.
  const sums = weights.map((part, index) =>
    tf.div(tf.exp(tf.sub(largest[index], most)), tf.max(part, -1, true)),
  );
  const contexts = weights.map((part, index) => {
    const { value } = parts[index];
    const kept = dropout(part, training?.rate ?? 0, training?.source);
    const context = unfold(tf.matMul(refold(kept, value), value), rows, target);
    return tf.mul(context, sums[index]);
  });
  const [total, sum] = [contexts, sums].map((all) => all.reduce((a, b) => tf.add(a, b)));
  return mergeHeads(tf.div(total, sum));
}

/** The queries of all rows of a group as positions of one row. [groups, heads, rows / groups * target, size] */
export function fold(query: tf.Tensor, { shape: [groups] }: tf.Tensor, heads: number): tf.Tensor {
  const [rows, target, features] = query.shape;
  if (rows === groups) return splitHeads(query, heads);
  return splitHeads(tf.reshape(query, [groups, (rows / groups) * target, features]), heads);
}

/** [groups, heads, rows / groups * target, width] -> [rows, heads, target, width] */
function unfold(x: tf.Tensor, rows: number, target: number): tf.Tensor {
  const [groups, heads, , width] = x.shape;
  if (rows === groups) return x;
  const apart = tf.reshape(x, [groups, heads, rows / groups, target, width]);
  return tf.reshape(tf.transpose(apart, [0, 2, 1, 3, 4]), [rows, heads, target, width]);
}

/** The inverse of `unfold`. */
function refold(x: tf.Tensor, { shape: [groups] }: tf.Tensor): tf.Tensor {
  const [rows, heads, target, width] = x.shape;
  if (rows === groups) return x;
  const apart = tf.reshape(x, [groups, rows / groups, heads, target, width]);
  return tf.reshape(tf.transpose(apart, [0, 2, 1, 3, 4]), [groups, heads, (rows / groups) * target, width]);
}
