import { z } from 'zod';

/** A share of something, above 0, 1 at most. */
export const share = z.number().gt(0).max(1);

/** What becomes of tokens that are to be predicted. */
export const replacementSchema = z
  .strictObject({
    mask: z.number().min(0).max(1).default(0.8).describe('Share that becomes [MASK].'),
    keep: z.number().min(0).max(1).default(0.1).describe('Share that is not changed.'),
    random: z.number().min(0).max(1).default(0.1).describe('Share that becomes a random token.'),
  })
  .refine(({ mask, keep, random }) => Math.abs(mask + keep + random - 1) < 1e-6, {
    message: 'the three shares must add up to 1',
  });

/** How tokens to predict are chosen, for masked language models. */
export const maskChoiceSchema = z.strictObject({
  rate: share.default(0.15).describe('Share of the tokens to predict.'),
  wholeWord: z.boolean().default(false).describe('Choose whole words: all their tokens, or none.'),
  ngramShare: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Share of the choices that are n-grams instead of single tokens (or words); UniLM: 0.2.'),
  maxNgram: z.int().min(2).default(3).describe('Longest n-gram; lengths from 2 on are equally likely.'),
  maxPredictions: z
    .int()
    .min(1)
    .optional()
    .describe('Maximum number of tokens to predict in a row. Default: no limit.'),
});
