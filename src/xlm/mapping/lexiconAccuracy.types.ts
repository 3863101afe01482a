// Made by `npm run docs` from the schema beside it: do not edit.

/** Options of `lexiconAccuracy` as given. */
export type LexiconOptions = {
  /** Lengths of the lists of nearest words that are searched for a translation of the dictionary. */
  precisionAt?: number[];
  /**
   * What nearest means: cross-domain similarity local scaling, or the cosine.
   * @default "csls"
   */
  retrieval?: 'csls' | 'cosine';
  /**
   * Nearest neighbours whose mean similarity CSLS scales by.
   * @default 10
   */
  neighborhood?: number;
  /** Ask only for the first so many words of the source. Default: all that the dictionary has. */
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
   * Where products are computed: cpu, webgpu, cuda or tfjs:NAME.
   * @default "cpu"
   */
  device?: string;
  /** Threads on the CPU. Default: all cores. */
  threads?: number;
};
