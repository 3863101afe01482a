// Made by `npm run docs` from the schema beside it: do not edit.

/** What a caller may pass as options of intervals. */
export type ConfidenceOptions = {
  /**
   * Number of resamples of the lines.
   * @default 1000
   */
  samples?: number;
  /**
   * Seed of the random numbers; the same seed gives the same result.
   * @default 12345
   */
  seed?: number;
};

/** What a caller may pass as options of paired tests. */
export type PairedTestOptions = {
  /**
   * Paired bootstrap resampling (Koehn 2004) or paired approximate randomization (Riezler and Maxwell
   * 2005).
   * @default "bootstrap"
   */
  test?: 'bootstrap' | 'randomization';
  /** Resamplings (default 1000) or randomizations (default 10000). */
  samples?: number;
  /**
   * Seed of the random numbers; the same seed gives the same result.
   * @default 12345
   */
  seed?: number;
};
