/** Vectors of words and n-grams. */
export interface WordVectors {
  /** Words, most frequent first; the words of an n-gram are separated by one space. */
  words: readonly string[];
  /** Features of a vector. */
  size: number;
  /** [words, size] */
  values: Float32Array;
}
