// Made by `npm run docs` from the schema beside it: do not edit.

/** What a caller may pass as ROUGE's options. */
export type RougeOptions = {
  /** What to compute: rouge1 to rouge9, rougeL, rougeLsum. */
  types?: (
    | 'rouge1'
    | 'rouge2'
    | 'rouge3'
    | 'rouge4'
    | 'rouge5'
    | 'rouge6'
    | 'rouge7'
    | 'rouge8'
    | 'rouge9'
    | 'rougeL'
    | 'rougeLsum'
  )[];
  /**
   * Compare the stems of words longer than 3 letters (Porter).
   * @default false
   */
  stemmer?: boolean;
  /**
   * Separator of the sentences of a text, for rougeLsum; the other types read it as a blank.
   * @default "\n"
   */
  sentenceSeparator?: string;
};
