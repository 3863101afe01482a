// Made by `npm run docs` from the schema beside it: do not edit.

/** Options of `measureNgramTranslations` as given. */
export type NgramAccuracyOptions = {
  /** Translation table whose n-grams are masked. */
  table: string;
  /** Language of the texts and of the n-grams, one of the model. */
  from: string;
  /** Language of the translations. */
  to: string;
  /** Words of an n-gram at most; 1 for words alone. Default: as long as the table has. */
  maxNgram?: number;
  /**
   * Share of the tokens that are masked.
   * @default 0.15
   */
  rate?: number;
  /**
   * Tokens of a row of running text. Default: as in pre-training, if config.json says so
   * (polybeam.row_length), or else 256.
   */
  length?: number;
  /**
   * Rows measured at most, from the first.
   * @default 200
   */
  maxRows?: number;
  /**
   * Decides which n-grams are masked.
   * @default 1
   */
  seed?: number;
};
