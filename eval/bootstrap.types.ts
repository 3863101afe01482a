// Made by `npm run docs` from the schema beside it: do not edit.

/** What a caller may pass as options of resampling. */
export type BootstrapOptions = {
  /**
   * Number of resamples of the lines.
   * @default 1000
   */
  samples?: number;
  /**
   * Share of the resampled values in the interval.
   * @default 0.95
   */
  confidence?: number;
  /**
   * Seed of the random numbers; the same seed gives the same interval.
   * @default 12345
   */
  seed?: number;
};
