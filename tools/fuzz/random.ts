import { threefry2x32 } from '../../src/threefry.js';

/** Random choices of one case: they depend on seed and case alone, so that any case can be had again. */
export interface Choices {
  /** A whole number from 0 to `below` - 1. */
  number(below: number): number;
  /** One of these. */
  of<T>(items: readonly T[]): T;
}

/** The choices of case `number` under `seed`, both unsigned 32-bit. */
export function choicesOf(seed: number, number: number): Choices {
  const words = new Uint32Array(2);
  let drawn = 0;
  const next = (below: number) => {
    threefry2x32(seed, number, drawn++, 0, words);
    return below > 0 ? words[0] % below : 0;
  };
  return { number: next, of: (items) => items[next(items.length)] };
}
