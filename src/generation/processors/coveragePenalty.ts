import { attentionOf } from '../attentionLog.js';
import type { SearchContext } from '../selector.js';
import { createLengthScore } from './lengthScore.js';

/** How beam search ranks finished hypotheses, and decides whether open ones could still rank above them. */
export interface FinalScore {
  /**
   * The score of a finished hypothesis.
   *
   * @param total summed log-probability
   * @param length new tokens, end token included
   * @param sentence index in the batch as it was at the start
   */
  of(total: number, length: number, node: number, sentence: number): number;
  /** The assumed score of an open hypothesis at a length: that with full coverage of the source. */
  bound(total: number, length: number): number;
  /** Whether a longer hypothesis of the same log-probability scores higher. */
  readonly growing: boolean;
}

/** Minimum coverage: the smallest normal number in float32. */
const leastCoverage = 2 ** -126;

/**
 * The length score plus, with `coveragePenalty` β, β Σ_i log min(Σ_j a_ij, 1): of source tokens i and tokens j of the
 * hypothesis, its given beginning included, a_ij being the attention of j to i (Wu et al., "Google's neural machine
 * translation system", 2016, equation 14).
 */
export function createFinalScore(context: SearchContext): FinalScore {
  const { of, growing } = createLengthScore(context.options);
  const { coveragePenalty } = context.options;
  if (coveragePenalty === 0) return { of, bound: of, growing };
  return {
    of: (total, length, node, sentence) =>
      of(total, length) + coveragePenalty * logCoverage(context, node, sentence),
    bound: of,
    growing,
  };
}

function logCoverage(
  { attention, pointers, source, frontier }: SearchContext,
  node: number,
  sentence: number,
): number {
  const rows = attention ? attentionOf(attention, pointers, node, sentence, frontier.promptLength) : [];
  let sum = 0;
  for (let place = 0; place < source.source; place++) {
    if (source.attentionMask[sentence * source.source + place] === 0) continue;
    const coverage = rows.reduce((covered, row) => covered + row[place], 0);
    sum += Math.log(Math.min(Math.max(coverage, leastCoverage), 1));
  }
  return sum;
}
