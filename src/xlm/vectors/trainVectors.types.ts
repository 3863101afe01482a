// Made by `npm run docs` from the schema beside it: do not edit.

/** Options of training vectors as given. */
export type VectorTrainingOptions = {
  /**
   * Features of a vector.
   * @default 300
   */
  size?: number;
  /**
   * Words or n-grams to the left and to the right that a word or n-gram predicts, at most; drawn anew
   * each time.
   * @default 5
   */
  window?: number;
  /**
   * Wrong words drawn for each right one.
   * @default 10
   */
  negatives?: number;
  /**
   * Times that the texts are gone through, cut into n-grams anew each time.
   * @default 5
   */
  epochs?: number;
  /**
   * Probability that words which are an n-gram are taken as one, each time they are met.
   * @default 0.3
   */
  join?: number;
  /**
   * Characters of the shortest parts of words that have vectors too (fastText: minn).
   * @default 3
   */
  minSubword?: number;
  /**
   * Characters of the longest parts (fastText: maxn); 0 for no parts.
   * @default 6
   */
  maxSubword?: number;
  /**
   * Vectors that the parts of words share, told by a hash (fastText: bucket).
   * @default 200000
   */
  buckets?: number;
  /**
   * Learning rate at the beginning; it falls linearly to 0.
   * @default 0.05
   */
  learningRate?: number;
  /**
   * Words that are a larger share of the text are left out at random, the more the more frequent; 1 for
   * none (fastText: t).
   * @default 0.0001
   */
  sample?: number;
  /**
   * Seed of all that is drawn.
   * @default 1
   */
  seed?: number;
  /**
   * Lower-case the texts, as for the n-grams.
   * @default false
   */
  lowercase?: boolean;
};
