import * as tf from '@tensorflow/tfjs-core';
import { region } from '../region.js';
import { attention, scaleAttribute, splitHeads } from './attention.js';
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
  /** Added to the scores. [rows or 1, heads or 1, 1, capacity] */
  bias?: tf.Tensor;
  /** int32 [rows, capacity]: 1 where a row reads a position, 0 where that is hidden from it. Default all 1. */
  visible?: tf.Tensor;
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
  { scale, bias, visible }: CachedAttentionOptions = {},
): { context: tf.Tensor; cache: AttentionCache } {
  const oneEach = (x: tf.Tensor) => (x.rank === 2 ? tf.expandDims(x, 1) : x);
  const inputs = [...[query, key, value].map(oneEach), cache.key, cache.value, position, ancestry];
  if (bias) inputs.push(bias);
  if (visible) inputs.push(visible);
  const attributes = { heads, bias: bias ? 1 : 0, visible: visible ? 1 : 0, ...scaleAttribute(scale) };
  const compute = (...given: tf.Tensor[]): tf.Tensor[] => {
    const [q, k, v, pastKey, pastValue, at, table] = given;
    const capacity = pastKey.shape[2]!;
    const own = { key: splitHeads(k, heads), value: splitHeads(v, heads) };
    const next = writeCache({ key: pastKey, value: pastValue }, own, at);
    const future = tf.mul(tf.cast(tf.greater(rangeTo(capacity), at), 'float32'), -1e9);
    const after = tf.reshape(future, [1, 1, 1, capacity]);
    const unseen = visible ? tf.add(hiddenScores(visible), after) : after;
    const seen = { bias: bias ? tf.add(bias, unseen) : unseen };
    const read = readCache(next, table);
    return [attention(q, read.key, read.value, heads, seen, { scale }), next.key, next.value];
  };
  const outputs = region('cachedAttention', inputs, attributes, compute);
  return { context: tf.reshape(outputs[0], query.shape), cache: { key: outputs[1], value: outputs[2] } };
}

/** The cache with one more position in every row. @param own [rows, heads, 1, size] @param position int32 [1] */
export function writeCache(cache: AttentionCache, own: AttentionCache, position: tf.Tensor): AttentionCache {
  const capacity = cache.key.shape[2]!;
  const here = tf.reshape(tf.equal(rangeTo(capacity), position), [1, 1, capacity, 1]);
  return { key: tf.where(here, own.key, cache.key), value: tf.where(here, own.value, cache.value) };
}

/** What each row reads of a cache that beams share. @param ancestry int32 [batch, beams, capacity] */
export function readCache(cache: AttentionCache, ancestry: tf.Tensor): AttentionCache {
  const rows = ancestors(cache.key, ancestry);
  return { key: readRows(cache.key, rows), value: readRows(cache.value, rows) };
}

/** What is added to scores for what is hidden. [rows, 1, 1, capacity] */
export function hiddenScores(visible: tf.Tensor): tf.Tensor {
  const [rows, capacity] = visible.shape as [number, number];
  const hidden = tf.sub(tf.scalar(1), tf.cast(visible, 'float32'));
  return tf.reshape(tf.mul(hidden, -1e9), [rows, 1, 1, capacity]);
}

/** Where each row finds each position in a cache whose first three axes are one. int32 [rows, heads, capacity] */
function ancestors(cache: tf.Tensor, ancestry: tf.Tensor): tf.Tensor {
  const [batch, , capacity] = ancestry.shape as [number, number, number];
  const [rows, heads] = cache.shape as [number, number];
  const firstRow = tf.reshape(tf.mul(rangeTo(batch), sizeOf(ancestry, 1)), [batch, 1, 1]);
  const row = tf.reshape(tf.add(ancestry, firstRow), [rows, 1, capacity]);
  const rowAndHead = tf.add(
    tf.mul(row, tf.scalar(heads, 'int32')),
    tf.reshape(rangeTo(heads), [1, heads, 1]),
  );
  const before = tf.mul(rowAndHead, sizeOf(ancestry, 2));
  return tf.add(before, tf.reshape(rangeTo(capacity), [1, 1, capacity]));
}

/** Reads a cache through `ancestors`. [rows, heads, capacity, size] */
function readRows(cache: tf.Tensor, rows: tf.Tensor): tf.Tensor {
  const [count, heads, capacity, size] = cache.shape as [number, number, number, number];
  return tf.gather(tf.reshape(cache, [count * heads * capacity, size]), rows as tf.Tensor3D);
}
