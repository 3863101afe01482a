// Made by `npm run docs` from the schema beside it: do not edit.

/** Options of building a table as given. */
export type TableOptions = {
  /**
   * Translations of each n-gram, at most.
   * @default 10
   */
  topK?: number;
  /**
   * Nearest neighbors whose mean similarity a similarity is divided by (Artetxe and Schwenk 2019).
   * @default 5
   */
  neighbors?: number;
  /**
   * What makes probabilities of an n-gram's scores: softmax(score / temperature), or score / sum of
   * scores.
   * @default "softmax"
   */
  probabilities?: 'softmax' | 'share';
  /**
   * Divisor above 0 of the scores before the softmax: the smaller, the more confident the table. 0.033
   * is the T = 30 of Lample et al. 2018. Default: the one under which n-grams most probably have the
   * translations that they are nearest to (Artetxe et al. 2018, unsupervised SMT).
   */
  temperature?: number;
  /**
   * Which n-grams may translate one: any, since "red car" may be one word elsewhere, or those of as many
   * words.
   * @default "any"
   */
  targets?: 'any' | 'sameLength';
  /** Words of an n-gram, at most, on both sides; 1 makes a table of words. Default: all n-grams. */
  longest?: number;
  /** Source n-grams read, the most frequent. Default: all. */
  sourceLimit?: number;
  /** Target n-grams read, the most frequent. Default: all. */
  targetLimit?: number;
  /**
   * Where to compute; polybeam doctor lists what there is.
   * @default "cpu"
   */
  device?: string;
  /** Threads on the CPU. Default: one for each core. */
  threads?: number;
};
