/**
 * Threefry-2x32, 20 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a random number
 * is a function of a key and a counter, so no generator state has to be kept, copied or replayed.
 */
const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/** Encrypts the counter (x0, x1) under the key (k0, k1), all 32-bit, into `out` as two unsigned 32-bit words. */
export function threefry2x32(k0: number, k1: number, x0: number, x1: number, out: Uint32Array): void {
  const keys = [k0 | 0, k1 | 0, k0 ^ k1 ^ 0x1bd11bda];
  let a = (x0 + keys[0]) | 0;
  let b = (x1 + keys[1]) | 0;
  for (let round = 0; round < 20; round++) {
    const r = rotations[round & 7];
    a = (a + b) | 0;
    b = ((b << r) | (b >>> (32 - r))) ^ a;
    if ((round & 3) === 3) {
      const injection = (round >> 2) + 1;
      a = (a + keys[injection % 3]) | 0;
      b = (b + keys[(injection + 1) % 3] + injection) | 0;
    }
  }
  out[0] = a;
  out[1] = b;
}

const words = new Uint32Array(2);

/**
 * A uniform number in [0, 1) with 53 random bits that depends on its arguments alone.
 *
 * @param seed integer in [0, 2^53)
 * @param sentence index of the sentence in the caller's list
 * @param sample index of the sample of that sentence
 * @param position index of the new token
 */
export function uniformAt(seed: number, sentence: number, sample: number, position: number): number {
  threefry2x32(seed >>> 0, Math.floor(seed / 2 ** 32), sentence, sample, words);
  threefry2x32(words[0], words[1], position, 0, words);
  return ((words[0] >>> 5) * 2 ** 26 + (words[1] >>> 6)) / 2 ** 53;
}
