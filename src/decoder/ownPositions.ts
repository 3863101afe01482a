import * as tf from '@tensorflow/tfjs-core';
import { rangeTo } from '../engine/ops/sizes.js';
import { integers, type Value } from '../engine/values.js';

/**
 * Rows at different positions in one cache. Attention writes every row's keys and values at one position: the farthest
 * of all. Positions that a row has not written are masked for it, and afterwards its keys and values are
 * moved to its own position.
 */
export interface RowPlaces {
  /** The position at which the step writes, for all rows. */
  slot: number;
  /** The position of each sentence; -1 if it takes no part. [batch] */
  positions: Int32Array;
}

/** @param lengths number of positions that each sentence has written, which must be kept. [batch] */
export function placeRows(positions: Int32Array, lengths: Int32Array): RowPlaces {
  let slot = 0;
  positions.forEach((position, sentence) => {
    slot = Math.max(slot, position < 0 ? lengths[sentence] : position);
  });
  return { slot, positions };
}

/**
 * Mask of the cache positions that each row may read: those it wrote before, and the one it writes in this step.
 *
 * @param positions int32 [rows]
 * @param slot int32 [1]
 * @returns int32 [rows, capacity], 1 or 0
 */
export function written(positions: tf.Tensor, slot: tf.Tensor, capacity: number): tf.Tensor {
  const places = rangeTo(capacity);
  const before = tf.less(places, tf.expandDims(positions, 1));
  return tf.cast(tf.logicalOr(before, tf.equal(places, slot)), 'int32');
}

/**
 * Moves the keys and values written at the slot to each row's own position. @param cache [batch * beams, heads,
 * capacity, size]
 */
export function settleRows(cache: Value, { slot, positions }: RowPlaces): void {
  const [rows, heads, capacity, size] = cache.shape;
  const perSentence = (rows / positions.length) * heads;
  for (let sentence = 0; sentence < positions.length; sentence++) {
    const position = positions[sentence];
    if (position < 0 || position === slot) continue;
    for (let head = sentence * perSentence; head < (sentence + 1) * perSentence; head++) {
      const start = head * capacity * size;
      const from = start + slot * size;
      cache.data.copyWithin(start + position * size, from, from + size);
    }
  }
}

/** Memory allocated with spare room. */
const roomy = new WeakSet<ArrayBufferLike>();

/** A value with more rows; the existing rows stay in place while there is room behind them. */
export function withRows(value: Value, rows: number): Value {
  const each = value.shape.slice(1).reduce((product, size) => product * size, 1);
  const shape = [rows, ...value.shape.slice(1)];
  const { data } = value;
  const View = data.constructor as Float32ArrayConstructor;
  const fits = rows * each * data.BYTES_PER_ELEMENT <= data.buffer.byteLength;
  if (fits && roomy.has(data.buffer)) {
    return { ...value, shape, data: new View(data.buffer as ArrayBuffer, 0, rows * each) };
  }
  // 1.5 times as many, so that adding sentences one by one does not copy all rows each time.
  const larger = new View(Math.ceil(rows * 1.5) * each);
  larger.set(data as Float32Array);
  roomy.add(larger.buffer);
  return { ...value, shape, data: larger.subarray(0, rows * each) };
}

/** The memory of a source with more positions, masked, or with fewer. @param value [batch, heads, source, size] */
export function withSource(value: Value, source: number): Value {
  const [batch, heads, length, size] = value.shape;
  const data = new Float32Array(batch * heads * source * size);
  for (let row = 0; row < batch * heads; row++) {
    const from = row * length * size;
    data.set(value.data.subarray(from, from + Math.min(length, source) * size), row * source * size);
  }
  return { ...value, shape: [batch, heads, source, size], data };
}

/** The same for a mask [batch, source]. */
export function withMaskedSource(mask: Value, source: number): Value {
  const [batch, length] = mask.shape;
  const wider = integers([batch, source]);
  for (let row = 0; row < batch; row++) {
    const from = row * length;
    wider.data.set(mask.data.subarray(from, from + Math.min(length, source)), row * source);
  }
  return wider;
}
