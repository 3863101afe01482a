import { z } from 'zod';

/** Options of translating by a table, phrase by phrase. */
export const phraseOptionsSchema = z.strictObject({
  translations: z
    .int()
    .min(1)
    .default(10)
    .describe('Number of most probable translations of each phrase to try.'),
  copyProbability: z
    .number()
    .gt(0)
    .max(1)
    .default(0.01)
    .describe('Probability of copying a word that is not in the table.'),
});

/** Options that need a language model. */
export const phraseSearchSchema = z.strictObject({
  numBeams: z.int().min(1).default(8).describe('Hypotheses kept at every step.'),
  tableWeight: z
    .number()
    .gt(0)
    .default(1)
    .describe("Weight of the table's log-probabilities relative to the language model's."),
  reordering: z
    .int()
    .min(0)
    .max(6)
    .default(0)
    .describe(
      'Maximum number of words between the first untranslated word and the beginning of the next phrase; 0 keeps the order of the source.',
    ),
  jumpPenalty: z
    .number()
    .min(0)
    .optional()
    .describe(
      'With reordering: subtracted from the log-probability for each word between the end of a phrase and the beginning of the next. Default 0.5.',
    ),
  wordReward: z
    .number()
    .default(0)
    .describe('Added to the log-probability for each token; above 0 favors longer outputs.'),
});
