// Made by `npm run docs` from the schema beside it: do not edit.

/** What a caller may pass as BLEU's options. */
export type BleuOptions = {
  /**
   * Lower-case both sides first.
   * @default false
   */
  lowercase?: boolean;
  /**
   * Tokenizer of both sides: 13a, none, char, intl, zh, moses-en, moses-de, moses-fr.
   * @default "13a"
   */
  tokenize?: string;
  /**
   * Smoothing of n-gram orders without a match: exp (halved each time), floor, add-k or none (the score
   * is 0).
   * @default "exp"
   */
  smoothMethod?: 'exp' | 'floor' | 'add-k' | 'none';
  /** The value of floor (default 0.1) or add-k (default 1); refused with the other methods. */
  smoothValue?: number;
  /**
   * Maximum length of n-grams.
   * @default 4
   */
  maxNgramOrder?: number;
  /**
   * Leave out orders longer than the hypothesis: for scoring single sentences.
   * @default false
   */
  effectiveOrder?: boolean;
};
