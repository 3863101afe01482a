import * as tf from '@tensorflow/tfjs-core';
import { attention, attentionWeights, splitHeads, type Visibility } from '../engine/ops/attention.js';
import { type AttentionCache, type CachePosition, cachedAttention } from '../engine/ops/cachedAttention.js';
import type { DropoutSource } from '../engine/ops/dropout.js';
import type { Initializer, Parameters } from '../engine/parameters.js';
import { dense } from './dense.js';
import { type Rotation, rotate } from './rotary.js';

/** A checkpoint's names of the projections of an attention layer. */
export interface AttentionNames {
  query: string;
  key: string;
  value: string;
}

export interface AttentionShape {
  heads: number;
  /** Width of queries, keys and values together. */
  features: number;
  names: AttentionNames;
  /** Whether the projections have a bias; default true. */
  projectionBias?: boolean;
  /** Factor of the products of queries and keys; default 1 / sqrt(features of one head). */
  scale?: number;
  initializer?: Initializer;
  /** Initialization of the query's matrix, if it differs from the others. */
  queryInitializer?: Initializer;
  /** Dropout on attention weights while training. */
  dropout?: { rate: number; source: DropoutSource | undefined };
  /** Rotates self-attention's queries and keys by their positions, so that their products depend on distances. */
  rotation?: Rotation;
}

/** Keys and values split in heads. [batch, heads, length, size] */
export interface KeysAndValues {
  key: tf.Tensor;
  value: tf.Tensor;
}

function project(
  p: Parameters,
  x: tf.Tensor,
  role: keyof AttentionNames,
  { names, features, initializer, queryInitializer, projectionBias: bias }: AttentionShape,
): tf.Tensor {
  const start = role === 'query' ? (queryInitializer ?? initializer) : initializer;
  return dense(p.scope(names[role]), x, features, { initializer: start, bias });
}

/** Keys and values of a sequence, computed once. */
export function keysAndValues(p: Parameters, x: tf.Tensor, shape: AttentionShape): KeysAndValues {
  return {
    key: splitHeads(project(p, x, 'key', shape), shape.heads),
    value: splitHeads(project(p, x, 'value', shape), shape.heads),
  };
}

/** How a decoder's self-attention is computed: all positions at once, or one step or several with a cache. */
export type DecodingMode =
  | { kind: 'sequence'; visibility: Visibility; keep?: boolean }
  | {
      kind: 'cached';
      caches: readonly AttentionCache[];
      position: CachePosition;
      /** Added to the scores. [rows or 1, heads or 1, 1, capacity] */
      bias?: tf.Tensor;
      /** int32 [rows, capacity]: 1 if a row attends to a position. Default all. */
      visible?: tf.Tensor;
    }
  | {
      kind: 'extended';
      /** Of earlier positions. */
      caches: readonly AttentionCache[];
      /** Added to the scores, for the cache's positions and then the new ones. [1, heads or 1, length, capacity + length] */
      bias: tf.Tensor;
    };

/** How self-attention is computed: one of the ways of decoders, or an architecture's own. */
export type SelfAttentionMode =
  | DecodingMode
  | { kind: 'own'; attend(projected: Projected, shape: AttentionOfHeads, layer: number): Attended };

/** Queries, keys and values of new positions. [batch, length, features] each */
export type Projected = Record<keyof AttentionNames, tf.Tensor>;

/** Settings of attention after the projections. */
export type AttentionOfHeads = Pick<AttentionShape, 'heads' | 'scale' | 'dropout'>;

/** The context [batch, length, features], and keys and values if they are kept. */
export interface Attended {
  context: tf.Tensor;
  cache?: AttentionCache;
}

/**
 * Self-attention without the output projection.
 * @param x [batch, length, features]; [rows, features] for one token a row over a cache
 * @param layer which cache is this layer's
 * @returns the context, and this layer's keys and values where the mode keeps them: those of the new positions alone where it
 * extends
 */
export function selfAttention(
  p: Parameters,
  x: tf.Tensor,
  shape: AttentionShape,
  mode: SelfAttentionMode,
  layer = 0,
): Attended {
  const projected = (role: keyof AttentionNames) => {
    const found = project(p, x, role, shape);
    const turned = shape.rotation && (role !== 'value' || shape.rotation.values);
    return turned ? rotate(found, shape.rotation!, shape.heads) : found;
  };
  const all = { query: projected('query'), key: projected('key'), value: projected('value') };
  return selfAttentionOf(all, shape, mode, layer);
}

/** As `selfAttention`, for queries, keys and values that are projected already. [batch, length, features] each */
export function selfAttentionOf(
  projected: Projected,
  shape: AttentionOfHeads,
  mode: SelfAttentionMode,
  layer: number,
): Attended {
  if (mode.kind === 'own') return mode.attend(projected, shape, layer);
  const { query, key, value } = projected;
  if (mode.kind === 'cached') {
    const options = { scale: shape.scale, bias: mode.bias, visible: mode.visible };
    return cachedAttention(query, key, value, shape.heads, mode.caches[layer], mode.position, options);
  }
  const own = () => ({ key: splitHeads(key, shape.heads), value: splitHeads(value, shape.heads) });
  if (mode.kind === 'extended') {
    const past = mode.caches[layer];
    const cache = own();
    const keys = tf.concat([past.key, cache.key], 2);
    const values = tf.concat([past.value, cache.value], 2);
    return { context: attention(query, keys, values, shape.heads, { bias: mode.bias }, shape), cache };
  }
  const context = attention(query, key, value, shape.heads, mode.visibility, shape);
  return mode.keep ? { context, cache: own() } : { context };
}

/** Called for each layer's cross-attention with a function that computes its weights: see `crossAttention`. */
export type AttentionObserver = (layer: number, weights: () => tf.Tensor) => void;

/**
 * Attention over the memory of a source sentence, without the output projection. The memory is held once a sentence:
 * beams of a sentence become query positions.
 * @param x [batch * beams, length, features], or [batch * beams, features]
 * @param memory of `batch` sentences
 * @param observe gets a function that computes the weights [batch, heads, beams * length, source]; nothing is computed
 * before it is called
 */
export function crossAttention(
  p: Parameters,
  x: tf.Tensor,
  memory: KeysAndValues,
  keyMask: tf.Tensor,
  shape: AttentionShape,
  observe?: (weights: () => tf.Tensor) => void,
): tf.Tensor {
  const query = project(p, x, 'query', shape);
  const batch = memory.key.shape[0]!;
  const perSentence = tf.reshape(query, [batch, query.size / shape.features / batch, shape.features]);
  const context = attention(perSentence, memory.key, memory.value, shape.heads, { keyMask }, shape);
  observe?.(() => attentionWeights(perSentence, memory.key, shape.heads, { keyMask }, shape.scale));
  return tf.reshape(context, query.shape as number[]);
}
