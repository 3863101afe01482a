import { threefry2x32 } from '../threefry.js';

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
