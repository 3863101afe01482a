import * as tf from '@tensorflow/tfjs-core';
import type { Attribute } from '../graph.js';
import { region } from '../region.js';
import { type DropoutSource, dropout } from './dropout.js';
import { rangeTo } from './sizes.js';

/** The attention mask. All given properties apply together. */
export interface Visibility {
  /** int32, 1 for a position that may be attended to. [batch, source] */
  keyMask?: tf.Tensor;
  /** Each position attends to itself and to those before it. */
  causal?: boolean;
  /** Added to the scores. [batch or 1, heads or 1, target, source] */
  bias?: tf.Tensor;
}

/** Settings of attention other than the mask. */
export interface AttentionOptions {
  /** Factor of the products of queries and keys; default 1 / sqrt(features of one head). */
  scale?: number;
  /** Dropout on attention weights while training. */
  dropout?: { rate: number; source: DropoutSource | undefined };
}

/** Added to masked scores; far below any score, far above float32's minimum. */
export const hiddenScore = -1e9;

/**
 * Scaled dot-product attention with several heads (Vaswani et al. 2017, section 3.2).
 * @param query [batch, target, features]
 * @param key [batch, source, features], or split in heads [batch, heads, source, features / heads]
 * @param value as key
 * @returns [batch, target, features]
 */
export function attention(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  heads: number,
  visibility: Visibility = {},
  { scale, dropout: training }: AttentionOptions = {},
): tf.Tensor {
  const { keyMask, causal, bias } = visibility;
  const optional = [keyMask, bias].filter((tensor) => tensor !== undefined);
  const attributes = {
    heads,
    causal: causal ? 1 : 0,
    keyMask: keyMask ? 1 : 0,
    bias: bias ? 1 : 0,
    ...scaleAttribute(scale),
  };
  const compute = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): tf.Tensor => {
    const probabilities = attentionWeights(q, k, heads, visibility, scale);
    const kept = dropout(probabilities, training?.rate ?? 0, training?.source);
    return mergeHeads(tf.matMul(kept, splitHeads(v, heads)));
  };
  // No fused operator drops out attention weights.
  if (training?.source && training.rate > 0) return compute(query, key, value);
  const inputs = [query, key, value, ...optional];
  return region('attention', inputs, attributes, (q, k, v) => [compute(q, k, v)])[0];
}

/**
 * Attention weights of each target position over the source positions; they sum to 1.
 * @param query, key as for `attention`
 * @returns [batch, heads, target, source]
 */
export function attentionWeights(
  query: tf.Tensor,
  key: tf.Tensor,
  heads: number,
  visibility: Visibility = {},
  scale?: number,
): tf.Tensor {
  const scores = attentionScores(splitHeads(query, heads), splitHeads(key, heads), scale);
  return tf.softmax(applyVisibility(scores, visibility), -1);
}

/** [batch, length, features] -> [batch, heads, length, features / heads]; a tensor already split stays. */
export function splitHeads(x: tf.Tensor, heads: number): tf.Tensor {
  if (x.rank === 4) return x;
  const [batch, length, features] = x.shape;
  return tf.transpose(tf.reshape(x, [batch, length, heads, features / heads]), [0, 2, 1, 3]);
}

/** [batch, heads, length, size] -> [batch, length, heads * size] */
export function mergeHeads(x: tf.Tensor): tf.Tensor {
  const [batch, heads, length, size] = x.shape;
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch, length, heads * size]);
}

/** [batch, heads, target, size] and [batch, heads, source, size] -> [batch, heads, target, source] */
export function attentionScores(query: tf.Tensor, key: tf.Tensor, scale?: number): tf.Tensor {
  const factor = scale ?? 1 / Math.sqrt(query.shape[3]!);
  const products = tf.matMul(query, key, false, true);
  return factor === 1 ? products : tf.mul(products, factor);
}

/** The scale attribute of a fused operator; absent for the default. */
export function scaleAttribute(scale: number | undefined): Record<string, Attribute> {
  return scale === undefined ? {} : { scale: { float: scale } };
}

/** Masked scores. @param scores [batch or 1, heads or 1, target, source] */
export function applyVisibility(scores: tf.Tensor, { keyMask, causal, bias }: Visibility): tf.Tensor {
  let result = bias ? tf.add(scores, bias) : scores;
  if (keyMask) {
    const [batch, source] = keyMask.shape;
    const closed = tf.mul(tf.sub(1, tf.cast(keyMask, 'float32')), hiddenScore);
    result = tf.add(result, tf.reshape(closed, [batch, 1, 1, source]));
  }
  if (causal) result = tf.add(result, causalBias(scores.shape[2]!, scores.shape[3]!));
  return result;
}

/** 0 at and before each position, `hiddenScore` after it. [target, source] */
export function causalBias(target: number, source: number): tf.Tensor {
  const rows = tf.expandDims(rangeTo(target), 1);
  const columns = tf.expandDims(rangeTo(source), 0);
  return tf.mul(tf.cast(tf.greater(columns, rows), 'float32'), hiddenScore);
}
