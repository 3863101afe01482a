import { corpusBleu, corpusChrf, rouge } from '../../eval/index.js';

/** Scores of texts that can decide which checkpoint is best; more is better. */
export const textMetrics = ['rouge1', 'rouge2', 'rougeL', 'bleu', 'chrf'] as const;

/** One of `textMetrics`. */
export type TextMetric = (typeof textMetrics)[number];

/**
 * A metric of texts against one reference each, 0 to 100, by name: sacreBLEU's corpus BLEU and chrF, or the mean F-measures of
 * rouge-score without stemming, which come together.
 */
export function scoreTexts(
  metric: TextMetric,
  hypotheses: readonly string[],
  references: readonly string[],
  { lowercase }: { lowercase: boolean },
): Record<string, number> {
  if (metric === 'bleu') return { bleu: corpusBleu(hypotheses, [references], { lowercase }).score };
  if (metric === 'chrf') return { chrf: corpusChrf(hypotheses, [references], { lowercase }).score };
  // ROUGE lower-cases by itself.
  const types = ['rouge1', 'rouge2', 'rougeL'] as const;
  const { scores } = rouge(hypotheses, [references], { types: [...types] });
  return Object.fromEntries(types.map((type) => [type, 100 * scores[type]!.fmeasure]));
}
