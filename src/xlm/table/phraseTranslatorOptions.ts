import { z } from 'zod';

/** Options of translating by a table, phrase by phrase. */
export const phraseOptionsSchema = z.strictObject({
  translations: z
    .int()
    .min(1)
    .default(10)
    .describe('Translations of each phrase that are tried, the most probable ones.'),
  copyProbability: z
    .number()
    .gt(0)
    .max(1)
    .default(0.01)
    .describe('Probability that a word which the table lacks stays as it is.'),
});

/** Options that need a language model. */
export const phraseSearchSchema = z.strictObject({
  numBeams: z.int().min(1).default(8).describe('Hypotheses kept at every step.'),
  tableWeight: z
    .number()
    .gt(0)
    .default(1)
    .describe("What log-probabilities of the table are multiplied by beside the language model's."),
  reordering: z
    .int()
    .min(0)
    .max(6)
    .default(0)
    .describe(
      'Words after the first untranslated one at which a phrase may begin; 0 keeps the order of the source.',
    ),
  jumpPenalty: z
    .number()
    .min(0)
    .optional()
    .describe(
      'With reordering: log-probability that a hypothesis loses for each word between where a phrase ends and the next begins. Default 0.5.',
    ),
  wordReward: z
    .number()
    .default(0)
    .describe('Log-probability that a hypothesis gains for each token; above 0 favors longer output.'),
});
