// Made by `npm run docs` from the schema beside it: do not edit.

/** What a caller may pass as TER's options. */
export type TerOptions = {
  /**
   * Take punctuation apart and read &quot; and the like.
   * @default false
   */
  normalized?: boolean;
  /**
   * Remove punctuation.
   * @default false
   */
  noPunct?: boolean;
  /**
   * Treat Chinese and Japanese characters and punctuation too, where normalized or noPunct is on.
   * @default false
   */
  asianSupport?: boolean;
  /**
   * Keep case.
   * @default false
   */
  caseSensitive?: boolean;
};
