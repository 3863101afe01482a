import { z } from 'zod';
import { replacementSchema, share } from '../../pretraining/optionPieces.js';

const path = z.string().min(1);

/** A translation table of n-grams, and what it translates. */
export const tableSourceSchema = z.strictObject({
  from: z.string().min(1).describe('Language of the n-grams that are masked.'),
  to: z.string().min(1).describe('Language of their translations.'),
  path: path.describe('Table as `polybeam xlm table build` writes it.'),
});

/** Cross-lingual masked language modelling with n-gram translation tables (Ren et al. 2019). */
export const cmlmOptionsSchema = z.strictObject({
  tables: z
    .array(tableSourceSchema)
    .min(1)
    .describe('Translation tables, such as one from en to fr and one from fr to en.'),
  maxNgram: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Maximum number of words of a masked n-gram; 1 for words only. Default: the longest in the table.',
    ),
  rate: share.default(0.15).describe('Share of the tokens at which tokens or translations are predicted.'),
  mlmShare: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe(
      'Share of these tokens that are predicted themselves, as in mlm, in the same rows. With 0, add a separate mlm objective to ' +
        'the mixture; updates then alternate.',
    ),
  mlmWeight: z
    .number()
    .gt(0)
    .default(1)
    .describe(
      'Weight of the loss of a token that is predicted itself; a token of a translation has weight 1.',
    ),
  replacement: replacementSchema.prefault({}).describe('What replaces masked tokens, chosen for each token.'),
  vectors: z
    .record(z.string().min(1), path)
    .optional()
    .describe(
      'Mapped vectors by language (.vec), in one space for all: tokens of a translation are aligned to masked tokens by the similarity ' +
        'of their words (IBM Model 2). Default: all masked tokens of an n-gram are equally probable (IBM Model 1).',
    ),
  temperature: z
    .number()
    .gt(0)
    .default(0.1)
    .describe('Cosines of vectors are divided by this before their softmax over the masked tokens.'),
  nullProbability: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe(
      'Probability that a token of a translation comes from no word (NULL): it is then predicted at the first position of the row, ' +
        'which is never masked.',
    ),
  lengthProbability: share
    .default(1)
    .describe(
      "The probability of a translation's length, a constant epsilon as in IBM Models 1 and 2; changes the loss that is reported, and no gradient.",
    ),
});

/** Options of CMLM with every default filled in. */
export type CmlmOptions = z.output<typeof cmlmOptionsSchema>;

/** A table with its languages. */
export type TableSource = z.output<typeof tableSourceSchema>;
