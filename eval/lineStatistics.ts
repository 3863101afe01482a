/**
 * All that a corpus score depends on, line by line: the score of any selection of lines is a function of the sums over their
 * rows. Intervals and tests of significance are computed from it without looking at the text again.
 */
export interface LineStatistics {
  /** `BLEU`, `chrF2++`, `TER`, `ROUGE-L`. */
  name: string;
  /** Whether a better system has the higher score (BLEU) or the lower one (TER). */
  higherIsBetter: boolean;
  /** Numbers of each line. [lines][width] */
  rows: readonly ArrayLike<number>[];
  /** The score of lines whose rows add up to `sums`. [width] */
  score(sums: ArrayLike<number>): number;
  /** The signature, with fields such as `bs:1000` behind the number of references. */
  signature(...fields: readonly (readonly [string, string])[]): string;
}

/** Sums of rows over all lines. @returns [width] */
export function sumRows(rows: readonly ArrayLike<number>[]): Float64Array {
  const sums = new Float64Array(rows[0].length);
  for (const row of rows) for (let i = 0; i < sums.length; i++) sums[i] += row[i];
  return sums;
}
