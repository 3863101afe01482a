import { attentionOf } from '../attentionLog.js';
import type { SearchContext } from '../selector.js';
import { createLengthScore } from './lengthScore.js';

/** How beam search ranks hypotheses that have ended, and tells whether others could still beat them. */
export interface FinalScore {
  /**
   * Of a hypothesis that has ended.
   *
   * @param total summed log-probability
   * @param length new tokens, end token included
   * @param sentence index in the batch as it was at the start
   */
  of(total: number, length: number, node: number, sentence: number): number;
  /** What an open hypothesis is taken to score at a length: as if it came to cover all of the source. */
  bound(total: number, length: number): number;
  /** Whether a longer hypothesis of the same log-probability scores higher. */
  readonly growing: boolean;
}

/** Below this, coverage counts as this much: the smallest normal number of the model's arithmetic. */
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
