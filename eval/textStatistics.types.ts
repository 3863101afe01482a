// Made by `npm run docs` from the schema beside it: do not edit.

/** What a caller may pass as options of statistics. */
export type StatisticsOptions = {
  /**
   * Tokenizer that splits texts into words, one of BLEU's: 13a, none, char, intl, zh, moses-en,
   * moses-de, moses-fr.
   * @default "13a"
   */
  tokenize?: string;
  /**
   * Distinguish words that differ only in case.
   * @default false
   */
  caseSensitive?: boolean;
  /**
   * Maximum length of n-grams.
   * @default 4
   */
  maxNgramOrder?: number;
};
