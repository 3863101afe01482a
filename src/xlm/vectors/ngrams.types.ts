// Made by `npm run docs` from the schema beside it: do not edit.

/** Options of choosing n-grams as given. */
export type NgramOptions = {
  /**
   * Maximum numbers of words, bigrams, trigrams and so on: a number for each length, the last one for
   * the longest n-grams.
   */
  limits?: number[];
  /**
   * Minimum count of words and n-grams.
   * @default 5
   */
  minCount?: number;
  /**
   * Which n-grams are kept if there are more than limits: those with the highest pointwise mutual
   * information, or the most frequent. Words are always chosen by frequency.
   * @default "pmi"
   */
  rank?: 'pmi' | 'count';
  /**
   * Subtracted from the counts of n-grams before their mutual information is computed, which lowers it
   * for words that are adjacent by chance. Default minCount - 1.
   */
  discount?: number;
  /**
   * Minimum pointwise mutual information of n-grams; 0 is the value of independent words.
   * @default 0
   */
  minScore?: number;
  /**
   * Characters other than letters and digits in n-grams: none; apostrophes and hyphens between words (t
   * - shirt); or any. Each such character is a word.
   * @default "inner"
   */
  punctuation?: 'none' | 'inner' | 'all';
  /**
   * Lower-case the texts.
   * @default false
   */
  lowercase?: boolean;
  /**
   * Maximum number of different words or n-grams counted in one pass over the texts, about 30 bytes each
   * (100 for words). If there are more, there are more passes; counts stay exact.
   * @default 8000000
   */
  tableSize?: number;
};
