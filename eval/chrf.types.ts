// Made by `npm run docs` from the schema beside it: do not edit.

/** What a caller may pass as chrF's options. */
export type ChrfOptions = {
  /**
   * Maximum length of character n-grams.
   * @default 6
   */
  charOrder?: number;
  /**
   * Maximum length of word n-grams; 2 gives chrF++.
   * @default 0
   */
  wordOrder?: number;
  /**
   * Weight of recall relative to precision (beta).
   * @default 2
   */
  beta?: number;
  /**
   * Lower-case both sides first.
   * @default false
   */
  lowercase?: boolean;
  /**
   * Count blanks as characters.
   * @default false
   */
  whitespace?: boolean;
  /**
   * Average over all orders, as chrF++.py, NLTK and Moses do, instead of only the orders that both sides
   * have.
   * @default false
   */
  epsSmoothing?: boolean;
};
