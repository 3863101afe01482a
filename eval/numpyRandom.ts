/**
 * The random numbers of numpy's `default_rng(seed)`, so that resampling draws the lines that sacreBLEU draws: PCG64
 * (O'Neill 2014, XSL-RR) seeded through SeedSequence (O'Neill's seed_seq_fe), and the two ways to draw from it that
 * sacreBLEU uses.
 */
export interface NumpyRandom {
  /** A whole number from 0 to `count` - 1, as `rng.choice(count)` and `rng.integers(count)` draw it. */
  below(count: number): number;
  /**
   * Begins to draw as one call of `rng.integers(2, size, dtype=bool)`: what is returned fills one array after the other. A new
   * call drops the rest of the last 32 bits, as numpy does.
   */
  bits(): (into: Uint8Array) => void;
}

/** @param seed a whole number from 0 to 2^32 - 1 */
export function numpyRandom(seed: number): NumpyRandom {
  const next64 = pcg64(seed);
  const words = new Uint32Array(2);
  let waiting = false;
  // A 64-bit number serves two draws, the low half first.
  const next32 = () => {
    if (!waiting) next64(words);
    waiting = !waiting;
    return waiting ? words[0] : words[1];
  };
  return {
    below: (count) => lemire(count, next32),
    bits: () => {
      let word = 0;
      let used = 0;
      return (into) => {
        for (let i = 0; i < into.length; i++, used++) {
          word = used % 32 === 0 ? next32() : word >>> 1;
          into[i] = word & 1;
        }
      };
    },
  };
}

/** Uniform below `count` without division (Lemire 2019); one possible outcome takes no random number. */
function lemire(count: number, next32: () => number): number {
  if (count === 1) return 0;
  const threshold = 2 ** 32 % count;
  for (;;) {
    const word = next32();
    // The product has up to 64 bits: halves of the word keep it exact.
    const low = (word & 0xffff) * count;
    const high = (word >>> 16) * count + Math.floor(low / 65536);
    const leftover = (high % 65536) * 65536 + (low % 65536);
    if (leftover >= threshold) return Math.floor(high / 65536);
  }
}

/** Least significant 16 bits first. */
const multiplier = [0xf645, 0x9fcc, 0xdf64, 0x4385, 0x5da4, 0x1fc6, 0xed05, 0x2360];

/** PCG64: each call writes the next 64-bit number, low word first. */
function pcg64(seed: number): (into: Uint32Array) => void {
  const [stateHigh, stateLow, sequenceHigh, sequenceLow] = seedState(seed);
  const start = limbs(stateLow, stateHigh);
  const increment = limbs(sequenceLow, sequenceHigh);
  // inc = 2 * sequence + 1
  for (let i = 7; i > 0; i--) increment[i] = ((increment[i] << 1) | (increment[i - 1] >>> 15)) & 0xffff;
  increment[0] = ((increment[0] << 1) | 1) & 0xffff;
  const state = new Array<number>(8).fill(0);
  advance(state, increment);
  addTo(state, start);
  advance(state, increment);
  return (into) => {
    advance(state, increment);
    // The xor of both halves, rotated by the top 6 bits.
    const low = ((state[1] ^ state[5]) * 65536 + (state[0] ^ state[4])) >>> 0;
    const high = ((state[3] ^ state[7]) * 65536 + (state[2] ^ state[6])) >>> 0;
    const rotation = state[7] >>> 10;
    const [a, b] = rotation < 32 ? [low, high] : [high, low];
    const bits = rotation % 32;
    into[0] = bits === 0 ? a : (a >>> bits) | (b << (32 - bits));
    into[1] = bits === 0 ? b : (b >>> bits) | (a << (32 - bits));
  };
}

const scratch = new Array<number>(8).fill(0);

/** state = state * multiplier + increment, modulo 2^128. Column sums stay below 2^36. */
function advance(state: number[], increment: readonly number[]): void {
  let carry = 0;
  for (let k = 0; k < 8; k++) {
    let sum = carry + increment[k];
    for (let i = 0; i <= k; i++) sum += state[i] * multiplier[k - i];
    carry = Math.floor(sum / 65536);
    scratch[k] = sum - carry * 65536;
  }
  for (let k = 0; k < 8; k++) state[k] = scratch[k];
}

function addTo(state: number[], other: readonly number[]): void {
  let carry = 0;
  for (let k = 0; k < 8; k++) {
    const sum = state[k] + other[k] + carry;
    state[k] = sum & 0xffff;
    carry = sum >>> 16;
  }
}

/** A 128-bit number in limbs of 16 bits, from two pairs of 32-bit words, each low word first. */
function limbs(low: readonly number[], high: readonly number[]): number[] {
  return [...low, ...high].flatMap((word) => [word & 0xffff, word >>> 16]);
}

/** SeedSequence(seed).generate_state(4, uint64): four 64-bit words, each as [low, high]. */
function seedState(seed: number): [number, number][] {
  const pool = mixEntropy(seed);
  let constant = 0x8b51f9dd;
  const words: number[] = [];
  for (let i = 0; i < 8; i++) {
    let value = pool[i % 4] ^ constant;
    constant = Math.imul(constant, 0x58f38ded);
    value = Math.imul(value, constant);
    words.push((value ^ (value >>> 16)) >>> 0);
  }
  return [0, 2, 4, 6].map((i) => [words[i], words[i + 1]]);
}

function mixEntropy(seed: number): number[] {
  let constant = 0x43b0d7e5;
  const hash = (word: number) => {
    let value = word ^ constant;
    constant = Math.imul(constant, 0x931e8875);
    value = Math.imul(value, constant);
    return value ^ (value >>> 16);
  };
  const pool = [seed, 0, 0, 0].map(hash);
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) {
      if (from === to) continue;
      const mixed = Math.imul(0xca01f9dd, pool[to]) - Math.imul(0x4973f715, hash(pool[from]));
      pool[to] = mixed ^ ((mixed >>> 0) >>> 16);
    }
  }
  return pool;
}
