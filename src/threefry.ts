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
