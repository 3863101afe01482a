// Made by `npm run docs` from the schema beside it: do not edit.

/** What a caller may pass as TER's options. */
export type TerOptions = {
  /**
   * Split off punctuation and decode entities such as &quot;.
   * @default false
   */
  normalized?: boolean;
  /**
   * Remove punctuation.
   * @default false
   */
  noPunct?: boolean;
  /**
   * With normalized or noPunct: treat Chinese and Japanese characters and punctuation too.
   * @default false
   */
  asianSupport?: boolean;
  /**
   * Keep case.
   * @default false
   */
  caseSensitive?: boolean;
};
