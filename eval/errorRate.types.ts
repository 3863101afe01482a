// Made by `npm run docs` from the schema beside it: do not edit.

/** What a caller may pass as options of error rates. */
export type ErrorRateOptions = {
  /**
   * Lower-case both sides first.
   * @default false
   */
  lowercase?: boolean;
  /**
   * Compose both sides first (Unicode NFC), so that é is one character however it was written.
   * @default false
   */
  nfc?: boolean;
};
