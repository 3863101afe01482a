// Made by `npm run docs` from the schema beside it: do not edit.

/** Options of choosing n-grams as given. */
export type NgramOptions = {
  /**
   * Words, bigrams, trigrams and so on to keep at most: a number for each length, the last one for the
   * longest n-grams.
   */
  limits?: number[];
  /**
   * Words and n-grams that occur fewer times are left out.
   * @default 5
   */
  minCount?: number;
  /**
   * Which n-grams are kept where there are more than limits: those of the highest pointwise mutual
   * information, or the most frequent. Words are always kept by frequency.
   * @default "pmi"
   */
  rank?: 'pmi' | 'count';
  /**
   * Subtracted from the counts of n-grams for their mutual information, so that words that met a few
   * times by chance get low ones. Default minCount - 1.
   */
  discount?: number;
  /**
   * N-grams of lower pointwise mutual information are left out: 0 is as often as by chance.
   * @default 0
   */
  minScore?: number;
  /**
   * Characters in n-grams that are neither letters nor digits: none; apostrophes and hyphens between
   * words (t - shirt); or any. All are words.
   * @default "inner"
   */
  punctuation?: 'none' | 'inner' | 'all';
  /**
   * Lower-case the texts.
   * @default false
   */
  lowercase?: boolean;
  /**
   * Different words or n-grams counted in one pass over the texts at most, about 30 bytes each (100 for
   * words); where there are more, there are more passes, and the counts stay exact.
   * @default 8000000
   */
  tableSize?: number;
};
