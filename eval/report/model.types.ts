// Made by `npm run docs` from the schema beside it: do not edit.

/** What a caller may pass as options of a report. */
export type ReportOptions = {
  /** What to compute: bleu, chrf, chrf++, ter, wer, cer, rouge1, rouge2, rougeL, rougeLsum. */
  metrics?: (
    | 'bleu'
    | 'chrf'
    | 'chrf++'
    | 'ter'
    | 'wer'
    | 'cer'
    | 'rouge1'
    | 'rouge2'
    | 'rougeL'
    | 'rougeLsum'
  )[];
  /**
   * Tokenizer of BLEU and of the statistics.
   * @default "13a"
   */
  tokenize?: string;
  /**
   * ROUGE compares stems (Porter's).
   * @default false
   */
  stemmer?: boolean;
  /**
   * Number of resamples of the lines, for intervals.
   * @default 1000
   */
  samples?: number;
  /**
   * Seed of the random numbers.
   * @default 12345
   */
  seed?: number;
  /**
   * Number of lowest-scoring lines of each system to show.
   * @default 20
   */
  examples?: number;
};
