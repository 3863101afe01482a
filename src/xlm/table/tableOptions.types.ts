// Made by `npm run docs` from the schema beside it: do not edit.

/** Options of building a table as given. */
export type TableOptions = {
  /**
   * Maximum number of translations of each n-gram.
   * @default 10
   */
  topK?: number;
  /**
   * Number of nearest neighbors in the ratio margin, which divides a similarity by their mean similarity
   * (Artetxe and Schwenk 2019).
   * @default 5
   */
  neighbors?: number;
  /**
   * How an n-gram's scores become probabilities: softmax(score / temperature), or score / sum of scores.
   * @default "softmax"
   */
  probabilities?: 'softmax' | 'share';
  /**
   * Divisor above 0 of the scores before the softmax: the smaller, the more confident the table. 0.033
   * is the T = 30 of Lample et al. 2018. Default: the value that maximizes the log-probability of each
   * target n-gram given its nearest source n-gram (Artetxe et al. 2018, unsupervised SMT).
   */
  temperature?: number;
  /**
   * Which n-grams may translate an n-gram: any, since "red car" may be one word elsewhere, or only those
   * with equally many words.
   * @default "any"
   */
  targets?: 'any' | 'sameLength';
  /** Maximum number of words of an n-gram, on both sides; 1 makes a table of words. Default: all n-grams. */
  longest?: number;
  /** Number of most frequent source n-grams to read. Default: all. */
  sourceLimit?: number;
  /** Number of most frequent target n-grams to read. Default: all. */
  targetLimit?: number;
  /**
   * Device to compute on; polybeam doctor lists the devices.
   * @default "cpu"
   */
  device?: string;
  /** Threads on the CPU. Default: one for each core. */
  threads?: number;
};
