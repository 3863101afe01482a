// Made by `npm run docs` from the schema beside it: do not edit.

/** Options of `minimumBayesRisk`. */
export type MinimumBayesRiskOptions = {
  /**
   * How alike two outputs are: sentence chrF, or sentence BLEU with exponential smoothing.
   * @default "chrf"
   */
  utility?: 'chrf' | 'bleu';
  /** Weight of each piece of evidence; default all equal, as samples of a model are. */
  weights?: number[];
};
