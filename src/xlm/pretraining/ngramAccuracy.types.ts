// Made by `npm run docs` from the schema beside it: do not edit.

/** Options of `measureNgramTranslations` as given. */
export type NgramAccuracyOptions = {
  /** Translation table whose n-grams are masked. */
  table: string;
  /** Language of the texts and of the n-grams, one of the model. */
  from: string;
  /** Language of the translations. */
  to: string;
  /** Maximum number of words of an n-gram; 1 for words only. Default: the longest in the table. */
  maxNgram?: number;
  /**
   * Share of the tokens that are masked.
   * @default 0.15
   */
  rate?: number;
  /**
   * Tokens of a row of running text. Default: the length of pre-training (polybeam.row_length in
   * config.json), or else 256.
   */
  length?: number;
  /**
   * Maximum number of rows, from the first.
   * @default 200
   */
  maxRows?: number;
  /**
   * Seed of the choice of masked n-grams.
   * @default 1
   */
  seed?: number;
};
