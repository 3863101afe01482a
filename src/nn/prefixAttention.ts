import * as tf from '@tensorflow/tfjs';
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
 * What is added to scores where each position reads one stretch of the sequence: the visibility of a prefix language
 * model as data, so that one program serves every mixture of it. Bidirectional is 0 to the length; left to right, 0 to
 * the position's own end; right to left, from the position to the length; a target after a source, left to right, its
 * source 0 to the source's end.
 * @param from int32 [batch, target], the first position read
 * @param until int32 [batch, target], the position after the last one read
 * @param source positions in all
 * @returns [batch, 1, target, source]
 */
export function stretchBias(from: tf.Tensor, until: tf.Tensor, source: number): tf.Tensor {
  const places = rangeTo(source).reshape([1, 1, source]);
  const outside = tf.logicalOr(
    tf.less(places, tf.expandDims(from, 2)),
    tf.greaterEqual(places, tf.expandDims(until, 2)),
  );
  return tf.expandDims(tf.mul(tf.cast(outside, 'float32'), hiddenScore), 1);
}

/** The source of a prefix language model, and how its text is read. */
export interface Prefix {
  /** Keys and values of the source, a layer each. [batch, heads, source, size] */
  memory: readonly KeysAndValues[];
  /** int32 [batch, source] */
  memoryMask: tf.Tensor;
  /**
   * Whether each new position comes with a second one, [MASK] in the place behind it, that reads what the first reads and
   * itself, and that nothing else reads. Then `x` holds all first positions, followed by all second ones.
   */
  probed: boolean;
  /** Told how each choice divides what it reads of the source. */
  observe?: AttentionObserver;
}

/**
 * Self-attention of a text behind a source that every position reads: one softmax over the source, which is held once a
 * sentence, and the text. The text's first position is read by none: it stands for the end of the source, which the memory
 * holds already.
 */
export function behindPrefix(self: DecodingMode, prefix: Prefix): SelfAttentionMode {
  const { memoryMask: keyMask, probed, observe } = prefix;
  return {
    kind: 'own',
    attend: (projected, shape, layer) => {
      const [firsts, seconds] = probed ? [half(projected, 0), half(projected, 1)] : [projected];
      const memory = prefix.memory[layer];
      const { parts, cache } = textParts(self, keysAndValues(firsts, shape), layer);
      const all: AttentionPart[] = [{ ...memory, bias: maskBias(keyMask) }, ...parts];
      const chooser = (seconds ?? firsts).query;
      observe?.(layer, () =>
        attentionWeights(
          fold(chooser, memory.key, shape.heads),
          memory.key,
          shape.heads,
          { keyMask },
          shape.scale,
        ),
      );
      const first = jointAttention(firsts.query, all, shape.heads, shape);
      if (!seconds) return { context: first, cache };
      const own = { ...keysAndValues(seconds, shape), bias: diagonalBias(chooser.shape[1]!) };
      const second = jointAttention(chooser, [...all, own], shape.heads, shape);
      return { context: tf.concat([first, second], 1), cache };
    },
  };
}

/** One half of the positions. @param x [rows, 2 * length, features] @returns [rows, length, features] */
export function halfOf(x: tf.Tensor, index: 0 | 1): tf.Tensor {
  const [rows, both, features] = x.shape as [number, number, number];
  const length = both / 2;
  const halves = x.reshape([rows, 2, length, features]);
  return tf.slice(halves, [0, index, 0, 0], [rows, 1, length, features]).reshape([rows, length, features]);
}

function half({ query, key, value }: Projected, index: 0 | 1): Projected {
  return { query: halfOf(query, index), key: halfOf(key, index), value: halfOf(value, index) };
}

function keysAndValues({ key, value }: Projected, { heads }: AttentionOfHeads): KeysAndValues {
  return { key: splitHeads(key, heads), value: splitHeads(value, heads) };
}

/** What new positions read of the text, themselves included, and what is kept of it. */
function textParts(
  self: DecodingMode,
  own: KeysAndValues,
  layer: number,
): { parts: AttentionPart[]; cache?: KeysAndValues } {
  if (self.kind === 'sequence') {
    const length = own.key.shape[2]!;
    const rows = tf.mul(tf.cast(rangeTo(length), 'float32'), 0).reshape([1, 1, length, 1]);
    const bias = applyVisibility(tf.add(rows, startBias(length)), self.visibility);
    return { parts: [{ ...own, bias }], ...(self.keep && { cache: own }) };
  }
  if (self.kind === 'extended') {
    const past = self.caches[layer];
    const [capacity, length] = [past.key.shape[2]!, own.key.shape[2]!];
    const before = tf.slice(self.bias, [0, 0, 0, 0], [1, 1, length, capacity]);
    const among = causalBias(length, length).reshape([1, 1, length, length]);
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
  let bias: tf.Tensor = tf.add(future.reshape([1, 1, 1, capacity]), startBias(capacity));
  if (self.visible) bias = tf.add(bias, hiddenScores(self.visible));
  return { parts: [{ ...readCache(cache, ancestry), bias }], cache };
}

/** Hides a text's first position. [1, 1, 1, length] */
function startBias(length: number): tf.Tensor {
  const start = tf.cast(tf.equal(rangeTo(length), tf.scalar(0, 'int32')), 'float32');
  return tf.mul(start, hiddenScore).reshape([1, 1, 1, length]);
}

/** Each position sees itself alone. [1, 1, length, length] */
function diagonalBias(length: number): tf.Tensor {
  const others = tf.notEqual(tf.expandDims(rangeTo(length), 1), tf.expandDims(rangeTo(length), 0));
  return tf.mul(tf.cast(others, 'float32'), hiddenScore).reshape([1, 1, length, length]);
}

/** [batch, 1, 1, source] */
function maskBias(keyMask: tf.Tensor): tf.Tensor {
  const [batch, source] = keyMask.shape as [number, number];
  return tf.mul(tf.sub(1, tf.cast(keyMask, 'float32')), hiddenScore).reshape([batch, 1, 1, source]);
}
