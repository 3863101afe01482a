import { z } from 'zod';

/** The options of sampling, and of contrastive search, which shares top-k; part of `generationOptionsSchema`. */
export const samplingOptionFields = {
  doSample: z
    .boolean()
    .optional()
    .describe(
      'Draw tokens at random from the distribution instead of taking the best: true or false. Default false.',
    ),
  temperature: z
    .number()
    .gt(0)
    .optional()
    .describe(
      'Divisor above 0 of the logits before sampling: below 1 sharpens, above 1 flattens. Default 1.',
    ),
  topK: z
    .int()
    .min(0)
    .optional()
    .describe(
      'Sample only from this many most probable tokens, or with penaltyAlpha choose among them: an integer from 0; 0 is all. Default 50.',
    ),
  penaltyAlpha: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe(
      'Contrastive search (Su et al. 2022) with weight a: of the topK most probable tokens choose the one that maximizes (1 - a) times its probability minus a times its similarity to the tokens before; a number from 0 (off) to 1; 0.6 with topK 4 is common. Default 0.',
    ),
  topP: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe(
      'Sample from the fewest most probable tokens whose probabilities sum to at least this: a number from 0 to 1; 1 is all. Default 1.',
    ),
  minP: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe(
      'Sample only from tokens that are at least this many times as probable as the most probable one: a number from 0 (all) to 1 (Nguyen et al. 2024). Default 0.',
    ),
  typicalP: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe(
      'Locally typical sampling (Meister et al. 2023): sample from the fewest tokens whose information, -log p, is nearest to the entropy and whose probabilities sum to at least this; a number above 0, up to 1 (all). Default 1.',
    ),
  epsilonCutoff: z
    .number()
    .min(0)
    .lt(1)
    .optional()
    .describe(
      'Sample only from tokens of at least this probability: a number from 0 (all) to below 1 (Hewitt et al. 2022). Default 0.',
    ),
  etaCutoff: z
    .number()
    .min(0)
    .lt(1)
    .optional()
    .describe(
      'Sample only from tokens of at least probability min(e, sqrt(e) exp(-H)), where e is this and H the entropy: a number from 0 (all) to below 1 (Hewitt et al. 2022). Default 0.',
    ),
} as const;

/** Defaults of them, as transformers has them. */
export const samplingDefaults = {
  doSample: false,
  temperature: 1,
  topK: 50,
  penaltyAlpha: 0,
  topP: 1,
  minP: 0,
  typicalP: 1,
  epsilonCutoff: 0,
  etaCutoff: 0,
} as const;

/** Their place in the resolved options. */
export interface ResolvedSamplingOptions {
  doSample: boolean;
  temperature: number;
  topK: number;
  penaltyAlpha: number;
  topP: number;
  minP: number;
  typicalP: number;
  epsilonCutoff: number;
  etaCutoff: number;
}
