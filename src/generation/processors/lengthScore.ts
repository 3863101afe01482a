import { conventionsOf } from '../conventions.js';
import type { ResolvedGenerationOptions } from '../options.js';

/** How beam search makes hypotheses of different lengths comparable. */
export interface LengthScore {
  /** @param total summed log-probability @param length new tokens, end token included; the prompt as well where the conventions say so */
  of(total: number, length: number): number;
  /** Whether a longer hypothesis of the same log-probability scores higher. */
  readonly growing: boolean;
}

/**
 * - `lengthPenalty` p: total / length^p, as Hugging Face does, or what `gnmtLengthPenalty` says, as the conventions have it;
 * - `gnmtLengthPenalty` α: total / ((5 + length) / 6)^α (Wu et al., "Google's neural machine translation system", 2016,
 *   section 7);
 * - `wordReward` r: total + r · length (He et al., "Improved neural machine translation with SMT features", 2016).
 */
export function createLengthScore(
  options: Pick<
    ResolvedGenerationOptions,
    'lengthPenalty' | 'gnmtLengthPenalty' | 'wordReward' | 'conventions'
  >,
): LengthScore {
  const { lengthPenalty, wordReward } = options;
  const { lengthBase } = conventionsOf(options);
  const gnmt = options.gnmtLengthPenalty ?? (lengthBase === 'gnmt' ? lengthPenalty : undefined);
  if (wordReward !== undefined) {
    return { of: (total, length) => total + wordReward * length, growing: wordReward > 0 };
  }
  if (gnmt !== undefined) {
    return { of: (total, length) => total / ((5 + length) / 6) ** gnmt, growing: gnmt > 0 };
  }
  return { of: (total, length) => total / length ** lengthPenalty, growing: lengthPenalty > 0 };
}
