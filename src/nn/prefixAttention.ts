import * as tf from '@tensorflow/tfjs-core';
import {
  applyVisibility,
  attentionWeights,
  causalBias,
  hiddenScore,
  splitHeads,
} from '../engine/ops/attention.js';
import { hiddenScores, readCache, writeCache } from '../engine/ops/cachedAttention.js';
import { type AttentionPart, fold, jointAttention } from '../engine/ops/jointAttention.js';
import { rangeTo } from '../engine/ops/sizes.js';
import type {
  AttentionObserver,
  AttentionOfHeads,
  DecodingMode,
  KeysAndValues,
  Projected,
  SelfAttentionMode,
} from './attention.js';

/**
 * The bias of attention scores with which each position attends to one range of the sequence: the attention mask of a prefix language
 * model as data, so that one program serves every mixture of objectives. Bidirectional is 0 to the length; left to right, 0 to
 * the position's own end; right to left, from the position to the length; a target after a source, left to right, its
 * source 0 to the source's end.
 * @param from int32 [batch, target], the first position read
 * @param until int32 [batch, target], the position after the last one read
 * @param source positions in all
 * @returns [batch, 1, target, source]
 */
export function stretchBias(from: tf.Tensor, until: tf.Tensor, source: number): tf.Tensor {
  const places = tf.reshape(rangeTo(source), [1, 1, source]);
  const outside = tf.logicalOr(
    tf.less(places, tf.expandDims(from, 2)),
    tf.greaterEqual(places, tf.expandDims(until, 2)),
  );
  return tf.expandDims(tf.mul(tf.cast(outside, 'float32'), hiddenScore), 1);
}

/** The source of a prefix language model, and the attention of its text. */
export interface Prefix {
  /** Keys and values of the source, a layer each. [batch, heads, source, size] */
  memory: readonly KeysAndValues[];
  /** int32 [batch, source] */
  memoryMask: tf.Tensor;
  /**
   * Whether each new position has a second one, a [MASK] after it, which attends to the same positions as the first and to
   * itself, and to which no other attends. Then `x` holds all first positions, followed by all second ones.
   */
  probed: boolean;
  /** Called with a function that computes the attention over the source of each prediction. */
  observe?: AttentionObserver;
}

/**
 * Self-attention of a text after a source to which every position attends: one softmax over the source, which is stored once a
 * sentence, and the text. No position attends to the text's first position: it represents the end of the source, which the memory
 * already holds.
 */
export function behindPrefix(self: DecodingMode, prefix: Prefix): SelfAttentionMode {
  const { memoryMask: keyMask, probed, observe } = prefix;
  return {
    kind: 'own',
    attend: (projected, shape, layer) => {
      const { query } = projected;
      const memory = prefix.memory[layer];
      const first = probed ? halves(projected, 0) : projected;
      const { parts, cache } = textParts(self, keysAndValues(first, shape), layer);
      observe?.(layer, () => {
        const chooser = fold(probed ? halfOf(query, 1) : query, memory.key, shape.heads);
        return attentionWeights(chooser, memory.key, shape.heads, { keyMask }, shape.scale);
      });
      const shared: AttentionPart[] = [{ ...memory, bias: maskBias(keyMask) }, ...parts];
      if (!probed) return { context: jointAttention(query, shared, shape.heads, shape), cache };
      const all = shared.map(({ bias, ...part }) => ({ ...part, bias: bias && forBoth(bias) }));
      const second = keysAndValues(halves(projected, 1), shape);
      all.push({ ...second, bias: secondsBias(second.key.shape[2]!) });
      return { context: jointAttention(query, all, shape.heads, shape), cache };
    },
  };
}

/** One half of the positions. @param x [rows, 2 * length, features] @returns [rows, length, features] */
export function halfOf(x: tf.Tensor, index: 0 | 1): tf.Tensor {
  const [rows, both, features] = x.shape as [number, number, number];
  const length = both / 2;
  const halves = tf.reshape(x, [rows, 2, length, features]);
  return tf.reshape(tf.slice(halves, [0, index, 0, 0], [rows, 1, length, features]), [
    rows,
    length,
    features,
  ]);
}

function halves({ query, key, value }: Projected, index: 0 | 1): Projected {
  return { query: halfOf(query, index), key: halfOf(key, index), value: halfOf(value, index) };
}

function keysAndValues({ key, value }: Projected, { heads }: AttentionOfHeads): KeysAndValues {
  return { key: splitHeads(key, heads), value: splitHeads(value, heads) };
}

/** Attention of new positions over the text, themselves included, and the keys and values that are kept. */
function textParts(
  self: DecodingMode,
  own: KeysAndValues,
  layer: number,
): { parts: AttentionPart[]; cache?: KeysAndValues } {
  if (self.kind === 'sequence') {
    const length = own.key.shape[2]!;
    const rows = tf.reshape(tf.mul(tf.cast(rangeTo(length), 'float32'), 0), [1, 1, length, 1]);
    const bias = applyVisibility(tf.add(rows, startBias(length)), self.visibility);
    return { parts: [{ ...own, bias }], ...(self.keep && { cache: own }) };
  }
  if (self.kind === 'extended') {
    const past = self.caches[layer];
    const [capacity, length] = [past.key.shape[2]!, own.key.shape[2]!];
    const before = tf.slice(self.bias, [0, 0, 0, 0], [1, 1, length, capacity]);
    const among = tf.reshape(causalBias(length, length), [1, 1, length, length]);
    const bias = tf.add(before, startBias(capacity));
    return {
      parts: [
        { ...past, bias },
        { ...own, bias: among },
      ],
      cache: own,
    };
  }
  const { position, ancestry } = self.position;
  const cache = writeCache(self.caches[layer], own, position);
  const capacity = cache.key.shape[2]!;
  const future = tf.mul(tf.cast(tf.greater(rangeTo(capacity), position), 'float32'), hiddenScore);
  let bias: tf.Tensor = tf.add(tf.reshape(future, [1, 1, 1, capacity]), startBias(capacity));
  if (self.visible) bias = tf.add(bias, hiddenScores(self.visible));
  return { parts: [{ ...readCache(cache, ancestry), bias }], cache };
}

/** Hides a text's first position. [1, 1, 1, length] */
function startBias(length: number): tf.Tensor {
  const start = tf.cast(tf.equal(rangeTo(length), tf.scalar(0, 'int32')), 'float32');
  return tf.reshape(tf.mul(start, hiddenScore), [1, 1, 1, length]);
}

/** The bias of first positions for second ones as well. [..., 2 * length or 1, source] */
function forBoth(bias: tf.Tensor): tf.Tensor {
  return bias.shape[2] === 1 ? bias : tf.concat([bias, bias], 2);
}

/** Second positions: each is attended to only by itself, and by no first position. [1, 1, 2 * length, length] */
function secondsBias(length: number): tf.Tensor {
  const others = tf.notEqual(tf.expandDims(rangeTo(length), 1), tf.expandDims(rangeTo(length), 0));
  const own = tf.mul(tf.cast(others, 'float32'), hiddenScore);
  const none = tf.add(tf.mul(own, 0), hiddenScore);
  return tf.reshape(tf.concat([none, own], 0), [1, 1, 2 * length, length]);
}

/** [batch, 1, 1, source] */
function maskBias(keyMask: tf.Tensor): tf.Tensor {
  const [batch, source] = keyMask.shape as [number, number];
  return tf.reshape(tf.mul(tf.sub(1, tf.cast(keyMask, 'float32')), hiddenScore), [batch, 1, 1, source]);
}
