// Made by `npm run docs` from the schema beside it: do not edit.

/** Options of translating by a table alone. */
export type PhraseOptions = {
  /**
   * Translations of each phrase that are tried, the most probable ones.
   * @default 10
   */
  translations?: number;
  /**
   * Probability that a word which the table lacks stays as it is.
   * @default 0.01
   */
  copyProbability?: number;
};

/** Options of translating by a table and a language model. */
export type PhraseSearchOptions = {
  /**
   * Translations of each phrase that are tried, the most probable ones.
   * @default 10
   */
  translations?: number;
  /**
   * Probability that a word which the table lacks stays as it is.
   * @default 0.01
   */
  copyProbability?: number;
  /**
   * Hypotheses kept at every step.
   * @default 8
   */
  numBeams?: number;
  /**
   * What log-probabilities of the table are multiplied by beside the language model's.
   * @default 1
   */
  tableWeight?: number;
  /**
   * Words after the first untranslated one at which a phrase may begin; 0 keeps the order of the source.
   * @default 0
   */
  reordering?: number;
  /**
   * With reordering: log-probability that a hypothesis loses for each word between where a phrase ends
   * and the next begins. Default 0.5.
   */
  jumpPenalty?: number;
  /**
   * Log-probability that a hypothesis gains for each token; above 0 favors longer output.
   * @default 0
   */
  wordReward?: number;
};
