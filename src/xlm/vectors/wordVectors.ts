import { PolybeamError } from '../../errors.js';

/** @param side what messages call the vectors @throws INPUT_INVALID for a word that comes twice */
export function requireDistinct(words: readonly string[], side: string): void {
  const seen = new Set<string>();
  for (const word of words) {
    if (seen.has(word)) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `The ${side} vectors have ${JSON.stringify(word)} twice; leave one out.`,
      );
    }
    seen.add(word);
  }
}

/** Vectors of words and n-grams. */
export interface WordVectors {
  /** Words, most frequent first; the words of an n-gram are separated by one space. */
  words: readonly string[];
  /** Features of a vector. */
  size: number;
  /** [words, size] */
  values: Float32Array;
}
