// Made by `npm run docs` from the schema beside it: do not edit.

/** Options of `lexiconAccuracy` as given. */
export type LexiconOptions = {
  /**
   * Values of k for precision at k: numbers of nearest words that are searched for a translation of the
   * dictionary.
   */
  precisionAt?: number[];
  /**
   * Similarity for nearest neighbours: CSLS (cross-domain similarity local scaling) or the cosine.
   * @default "csls"
   */
  retrieval?: 'csls' | 'cosine';
  /**
   * Number of nearest neighbours in CSLS.
   * @default 10
   */
  neighborhood?: number;
  /** Number of source words to test, from the first. Default: all words of the dictionary. */
  mostFrequent?: number;
  /**
   * Leave n-grams of several words out of both languages.
   * @default false
   */
  wordsOnly?: boolean;
  /**
   * Lower-case the dictionary.
   * @default false
   */
  lowercase?: boolean;
  /**
   * Device for matrix products: cpu, webgpu, cuda or tfjs:NAME.
   * @default "cpu"
   */
  device?: string;
  /** Threads on the CPU. Default: all cores. */
  threads?: number;
};
