import { z } from 'zod';
import { sentenceBleu, sentenceChrf } from '../../eval/index.js';
import { PolybeamError } from '../errors.js';
import { requireTexts } from '../inputs.js';
import type { MinimumBayesRiskOptions } from './minimumBayesRisk.types.js';

export type { MinimumBayesRiskOptions };

export const minimumBayesRiskSchema = z.strictObject({
  utility: z
    .enum(['chrf', 'bleu'])
    .default('chrf')
    .describe('Similarity of two outputs: sentence chrF, or sentence BLEU with exponential smoothing.'),
  weights: z
    .array(z.number().min(0))
    .optional()
    .describe('Weight of each evidence text. Default: equal weights, as for samples.'),
});

/** A candidate and what it is worth. */
export interface RankedCandidate {
  /** Place among the candidates that were given. */
  index: number;
  /** Expected utility, on the metric's own scale of 0 to 100. */
  utility: number;
}

/**
 * Ranks candidates by their expected utility, the weighted mean of how alike each is to all evidence: the output that
 * most others agree with comes first (Kumar and Byrne 2004; with samples as evidence, Eikema and Aziz 2022, equation 4).
 * Compares every candidate with every distinct piece of evidence.
 * @param candidates texts to choose from
 * @param evidence texts that stand for what the model believes, best unbiased samples; default the candidates
 * @returns best first; equals keep their order
 * @throws OPTION_INVALID
 */
export function minimumBayesRisk(
  candidates: readonly string[],
  options: MinimumBayesRiskOptions = {},
  evidence: readonly string[] = candidates,
): RankedCandidate[] {
  requireTexts(candidates, 'candidates');
  requireTexts(evidence, 'evidence');
  const { utility, weights } = checkOptions(options, evidence.length);
  const compare = utility === 'chrf' ? sentenceChrf : sentenceBleu;
  const belief = new Map<string, number>();
  evidence.forEach((text, index) => {
    belief.set(text, (belief.get(text) ?? 0) + (weights?.[index] ?? 1));
  });
  const total = [...belief.values()].reduce((sum, weight) => sum + weight, 0);
  const known = new Map<string, number>();
  const expected = (candidate: string): number => {
    let sum = 0;
    for (const [text, weight] of belief) sum += weight * compare(candidate, [text]).score;
    return total > 0 ? sum / total : 0;
  };
  const ranked = candidates.map((candidate, index) => {
    const value = known.get(candidate) ?? expected(candidate);
    known.set(candidate, value);
    return { index, utility: value };
  });
  return ranked.sort((a, b) => b.utility - a.utility || a.index - b.index);
}

function checkOptions(options: MinimumBayesRiskOptions, evidence: number) {
  const parsed = minimumBayesRiskSchema.safeParse(options);
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues;
    throw new PolybeamError('OPTION_INVALID', `Option ${path.join('.') || 'of the ranking'}: ${message}.`);
  }
  const { weights } = parsed.data;
  if (weights && weights.length !== evidence) {
    throw new PolybeamError(
      'OPTION_INVALID',
      `weights has ${weights.length} numbers for ${evidence} pieces of evidence; give one each.`,
    );
  }
  return parsed.data;
}
