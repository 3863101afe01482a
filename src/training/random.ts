import { threefry2x32 } from '../threefry.js';

/*
 * Random numbers that depend on (seed, stream, counter) and on nothing drawn before: any of them can be had again at
 * any time, so a resumed run needs no generator state, and weights do not depend on the order they are made in.
 */

/** `threefry(key0, key1, counter0, counter1, out)`: two independent 32-bit words, written to `out`. */
export const threefry = threefry2x32;

/** A 32-bit FNV-1a hash of a string's UTF-16 units; `basis` gives independent hashes of one string. */
export function hashString(text: string, basis = 0x811c9dc5): number {
  let hash = basis | 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  return hash >>> 0;
}

/** A 64-bit hash of a string as 16 hexadecimal digits: for telling configurations apart, not for secrets. */
export function digest(text: string): string {
  const words = new Uint32Array(2);
  threefry(hashString(text), hashString(text, 0x2f0b4c47), text.length, 0, words);
  return Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('');
}

/**
 * A permutation of 0..n-1 (Fisher-Yates) for the given epoch of a named stream.
 * @param seed unsigned 32-bit
 */
export function permutation(n: number, seed: number, stream: string, epoch: number): Uint32Array {
  const order = new Uint32Array(n).map((_, i) => i);
  const key = hashString(stream);
  const words = new Uint32Array(2);
  for (let i = n - 1; i > 0; i--) {
    threefry(seed, key, i, epoch, words);
    // 53 random bits: the bias of scaling them to at most 2^32 values is below 2^-21.
    const j = Math.floor((((words[0] >>> 5) * 67108864 + (words[1] >>> 6)) / 9007199254740992) * (i + 1));
    const kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
  return order;
}

/** Calls `draw` with pairs of words for positions 0, 2, 4, ... of the stream that belongs to a weight's name. */
function fill(
  seed: number,
  name: string,
  shape: readonly number[],
  draw: (words: Uint32Array, data: Float32Array, at: number) => void,
): Float32Array {
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  const data = new Float32Array(size + (size & 1));
  const words = new Uint32Array(2);
  const key = hashString(name);
  const high = hashString(name, 0x2f0b4c47);
  for (let at = 0; at < size; at += 2) {
    threefry(seed, key, at, high, words);
    draw(words, data, at);
  }
  return size & 1 ? data.slice(0, size) : data;
}

/**
 * Values of a normal distribution with mean 0 (Box-Muller), a function of seed and weight name alone.
 * @param seed unsigned 32-bit
 */
export function normalInit(
  seed: number,
  name: string,
  shape: readonly number[],
  standardDeviation: number,
): Float32Array {
  return fill(seed, name, shape, (words, data, at) => {
    const radius = standardDeviation * Math.sqrt(-2 * Math.log((words[0] + 1) / 4294967296));
    const angle = (2 * Math.PI * words[1]) / 4294967296;
    data[at] = radius * Math.cos(angle);
    data[at + 1] = radius * Math.sin(angle);
  });
}

/** Values uniform in [-bound, bound), a function of seed and weight name alone. */
export function uniformInit(
  seed: number,
  name: string,
  shape: readonly number[],
  bound: number,
): Float32Array {
  return fill(seed, name, shape, (words, data, at) => {
    data[at] = bound * (words[0] / 2147483648 - 1);
    data[at + 1] = bound * (words[1] / 2147483648 - 1);
  });
}

/**
 * Xavier (Glorot) uniform: bound = gain * sqrt(6 / (fanIn + fanOut)), fans being the last two dimensions, in either
 * order. Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks".
 */
export function xavierUniformInit(
  seed: number,
  name: string,
  shape: readonly number[],
  gain = 1,
): Float32Array {
  const fans = (shape.at(-1) ?? 1) + (shape.at(-2) ?? 1);
  return uniformInit(seed, name, shape, gain * Math.sqrt(6 / fans));
}
