import * as tf from '@tensorflow/tfjs';
import { region } from '../region.js';
import { attentionScores, mergeHeads, scaleAttribute, splitHeads } from './attention.js';
import { rangeTo, sizeOf } from './sizes.js';

/** A layer's keys and values of earlier steps, written once and never moved. [rows, heads, capacity, size] */
export interface AttentionCache {
  key: tf.Tensor;
  value: tf.Tensor;
}

/** What all layers of one decoding step share. */
export interface CachePosition {
  /** int32 [1]: where this step's keys and values are written. */
  position: tf.Tensor;
  /** int32 [batch, beams, capacity]: from which beam row of its sentence each row reads each position. */
  ancestry: tf.Tensor;
}

/** How a step of cached attention is computed, beyond the cache. */
export interface CachedAttentionOptions {
  /** Factor of the products of queries and keys; default 1 / sqrt(features of one head). */
  scale?: number;
  /** Added to the scores. [1, heads, 1, capacity] */
  bias?: tf.Tensor;
}

/**
 * One step of causal self-attention over a cache that beams share: hypotheses are not copied when beams are
 * reordered, the ancestry table says where each reads its past. Positions after `position` are not read.
 * @param query, key, value [rows, 1, features] or [rows, features]; rows = batch * beams
 * @returns the context, shaped as the query, and the caches with this step written
 */
export function cachedAttention(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  heads: number,
  cache: AttentionCache,
  { position, ancestry }: CachePosition,
  { scale, bias }: CachedAttentionOptions = {},
): { context: tf.Tensor; cache: AttentionCache } {
  const oneEach = (x: tf.Tensor) => (x.rank === 2 ? tf.expandDims(x, 1) : x);
  const inputs = [...[query, key, value].map(oneEach), cache.key, cache.value, position, ancestry];
  if (bias) inputs.push(bias);
  const attributes = { heads, bias: bias ? 1 : 0, ...scaleAttribute(scale) };
  const compute = (...given: tf.Tensor[]): tf.Tensor[] => {
    const [q, k, v, pastKey, pastValue, at, table] = given;
    const capacity = pastKey.shape[2]!;
    const positions = rangeTo(capacity);
    const here = tf.equal(positions, at).reshape([1, 1, capacity, 1]);
    const keys = tf.where(here, splitHeads(k, heads), pastKey);
    const values = tf.where(here, splitHeads(v, heads), pastValue);
    const scores = attentionScores(splitHeads(q, heads), followAncestry(keys, table), scale);
    const future = tf.mul(tf.cast(tf.greater(positions, at), 'float32'), -1e9);
    const biased = bias ? tf.add(scores, bias) : scores;
    const probabilities = tf.softmax(tf.add(biased, future), -1);
    return [mergeHeads(tf.matMul(probabilities, followAncestry(values, table))), keys, values];
  };
  const outputs = region('cachedAttention', inputs, attributes, compute);
  return { context: outputs[0].reshape(query.shape), cache: { key: outputs[1], value: outputs[2] } };
}

/** Reads a cache through the ancestry table. [rows, heads, capacity, size] */
function followAncestry(cache: tf.Tensor, ancestry: tf.Tensor): tf.Tensor {
  const [batch, , capacity] = ancestry.shape as [number, number, number];
  const [rows, heads, , size] = cache.shape as [number, number, number, number];
  const firstRow = tf.mul(rangeTo(batch), sizeOf(ancestry, 1)).reshape([batch, 1, 1]);
  const row = tf.add(ancestry, firstRow).reshape([rows, capacity]);
  const column = tf.mul(tf.fill([rows, 1], 1, 'int32'), rangeTo(capacity).reshape([1, capacity]));
  const byPosition = tf.transpose(cache, [0, 2, 1, 3]);
  const read = tf.gatherND(byPosition, tf.stack([row, column], -1) as tf.Tensor);
  return tf.transpose(read.reshape([rows, capacity, heads, size]), [0, 2, 1, 3]);
}
