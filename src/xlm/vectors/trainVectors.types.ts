// Made by `npm run docs` from the schema beside it: do not edit.

/** Options of training vectors as given. */
export type VectorTrainingOptions = {
  /**
   * Dimension of the vectors.
   * @default 300
   */
  size?: number;
  /**
   * Maximum number of words or n-grams on each side that a word or n-gram predicts; the number is drawn
   * for each.
   * @default 5
   */
  window?: number;
  /**
   * Negative samples for each word.
   * @default 10
   */
  negatives?: number;
  /**
   * Number of passes over the texts; each splits them into n-grams anew.
   * @default 5
   */
  epochs?: number;
  /**
   * Probability that the words of an n-gram become one token at an occurrence.
   * @default 0.3
   */
  join?: number;
  /**
   * Minimum length of subwords in characters (fastText: minn).
   * @default 3
   */
  minSubword?: number;
  /**
   * Maximum length of subwords in characters (fastText: maxn); 0 for no subwords.
   * @default 6
   */
  maxSubword?: number;
  /**
   * Number of hash buckets of subword vectors (fastText: bucket).
   * @default 200000
   */
  buckets?: number;
  /**
   * Learning rate at the beginning; it falls linearly to 0.
   * @default 0.05
   */
  learningRate?: number;
  /**
   * Subsampling threshold: words with a larger share of the text are left out at random, more frequent
   * ones more often; 1 for none (fastText: t).
   * @default 0.0001
   */
  sample?: number;
  /**
   * Seed of the random numbers.
   * @default 1
   */
  seed?: number;
  /**
   * Lower-case the texts, as for the n-grams.
   * @default false
   */
  lowercase?: boolean;
};
