import { hashString, threefry } from '../training/random.js';

/** Random numbers of one example: a function of where it stands in the run, never of what was drawn elsewhere. */
export interface Draws {
  /** Uniform in [0, 1), 32 bits. */
  uniform(): number;
  /** A whole number from 0 to `count` - 1. */
  below(count: number): number;
}

/**
 * The numbers that corrupt one example in one epoch: the same four arguments give the same numbers, so that a resumed run
 * masks as an uninterrupted one, and another epoch masks anew (dynamic masking, Liu et al. 2019, section 4.1).
 * @param seed unsigned 32-bit
 * @param stream what draws, such as an objective's name: streams are independent of each other
 */
export function createDraws(seed: number, stream: string, epoch: number, example: number): Draws {
  const key = new Uint32Array(2);
  threefry(seed, hashString(stream), example, epoch, key);
  const words = new Uint32Array(2);
  let drawn = 0;
  const uniform = () => {
    if (drawn % 2 === 0) threefry(key[0], key[1], drawn, 0, words);
    return words[drawn++ % 2] / 4294967296;
  };
  return { uniform, below: (count) => Math.floor(uniform() * count) };
}

/** Shuffles in place (Fisher-Yates). */
export function shuffle<T>(items: T[], draws: Draws): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = draws.below(i + 1);
    [items[i], items[j]] = [items[j], items[i]];
  }
  return items;
}

/** A number of a Poisson distribution (Knuth's product of uniforms; meant for small means). */
export function poisson(mean: number, draws: Draws): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = draws.uniform(); product > limit; product *= draws.uniform()) count++;
  return count;
}
