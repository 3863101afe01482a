// Made by `npm run docs` from the schema beside it: do not edit.

/** Options of translating by a table alone. */
export type PhraseOptions = {
  /**
   * Number of most probable translations of each phrase to try.
   * @default 10
   */
  translations?: number;
  /**
   * Probability of copying a word that is not in the table.
   * @default 0.01
   */
  copyProbability?: number;
};

/** Options of translating by a table and a language model. */
export type PhraseSearchOptions = {
  /**
   * Number of most probable translations of each phrase to try.
   * @default 10
   */
  translations?: number;
  /**
   * Probability of copying a word that is not in the table.
   * @default 0.01
   */
  copyProbability?: number;
  /**
   * Hypotheses kept at every step.
   * @default 8
   */
  numBeams?: number;
  /**
   * Weight of the table's log-probabilities relative to the language model's.
   * @default 1
   */
  tableWeight?: number;
  /**
   * Maximum number of words between the first untranslated word and the beginning of the next phrase; 0
   * keeps the order of the source.
   * @default 0
   */
  reordering?: number;
  /**
   * With reordering: subtracted from the log-probability for each word between the end of a phrase and
   * the beginning of the next. Default 0.5.
   */
  jumpPenalty?: number;
  /**
   * Added to the log-probability for each token; above 0 favors longer outputs.
   * @default 0
   */
  wordReward?: number;
};
