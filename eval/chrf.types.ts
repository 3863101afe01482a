// Made by `npm run docs` from the schema beside it: do not edit.

/** What a caller may pass as chrF's options. */
export type ChrfOptions = {
  /**
   * The longest character n-gram that counts.
   * @default 6
   */
  charOrder?: number;
  /**
   * The longest word n-gram that counts; 2 makes it chrF++.
   * @default 0
   */
  wordOrder?: number;
  /**
   * How many times recall weighs as much as precision.
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
   * Average over all orders, as chrF++.py, NLTK and Moses do, and not only over those that both sides
   * have.
   * @default false
   */
  epsSmoothing?: boolean;
};
