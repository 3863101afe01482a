import { PolybeamError } from '../../errors.js';
import { requireList, requireObject, showValue, wrongInput } from '../../inputs.js';

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

/** @throws INPUT_INVALID for what are no vectors of words */
export function requireVectors(value: unknown, name: string): void {
  requireObject(value, name, 'words, size and values, as readVectors gives it');
  const { words, size, values } = value as Partial<WordVectors>;
  requireList(words, `${name}.words`, 'texts');
  if (!(values instanceof Float32Array) || values.length !== words.length * Number(size)) {
    throw wrongInput(
      `${name}.values`,
      values,
      `give a Float32Array of ${words.length} rows of size ${showValue(size)}`,
    );
  }
}

/** Vectors of words and n-grams. */
export interface WordVectors {
  /** Words, most frequent first; the words of an n-gram are separated by one space. */
  words: readonly string[];
  /** Dimension of the vectors. */
  size: number;
  /** [words, size] */
  values: Float32Array;
}
