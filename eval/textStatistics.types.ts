// Made by `npm run docs` from the schema beside it: do not edit.

/** What a caller may pass as options of statistics. */
export type StatisticsOptions = {
  /**
   * What words are: one of BLEU's tokenizers 13a, none, char, intl, zh, moses-en, moses-de, moses-fr.
   * @default "13a"
   */
  tokenize?: string;
  /**
   * Take words that differ in case for different ones.
   * @default false
   */
  caseSensitive?: boolean;
  /**
   * The longest n-gram that is looked at.
   * @default 4
   */
  maxNgramOrder?: number;
};
