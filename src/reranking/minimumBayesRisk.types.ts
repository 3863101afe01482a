// Made by `npm run docs` from the schema beside it: do not edit.

/** Options of `minimumBayesRisk`. */
export type MinimumBayesRiskOptions = {
  /**
   * Similarity of two outputs: sentence chrF, or sentence BLEU with exponential smoothing.
   * @default "chrf"
   */
  utility?: 'chrf' | 'bleu';
  /** Weight of each evidence text. Default: equal weights, as for samples. */
  weights?: number[];
};
