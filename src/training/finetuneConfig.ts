import { z } from 'zod';
import { generationOptionsSchema } from '../generation/options.js';
import { languagesSchema, parallelTextSchema, validationTextSchema } from './config.js';
import {
  batchSchema,
  checkpointsSchema,
  count,
  optimizerSchema,
  path,
  runSections,
  scheduleSchema,
} from './configPieces.js';
import type { FinetuneConfigInput } from './finetuneConfig.types.js';
import { textMetrics } from './metrics.js';

export type { FinetuneConfigInput };

/*
 * The file that `polybeam finetune` reads; the reference page is made from the descriptions. Cross-checks are in
 * parseFinetuneConfig.ts.
 */

const sideSchema = z.union([path, z.strictObject({ random: path })]);

const headTailSchema = z.strictObject({
  headTail: z.strictObject({
    head: z.int().min(0).describe('Tokens kept from the beginning, special tokens not counted.'),
    tail: z.int().min(0).describe('Tokens kept from the end, special tokens not counted.'),
  }),
});

const dataSchema = z.strictObject({
  train: parallelTextSchema.describe('Training pairs: one entry, or a list that is joined.'),
  validation: validationTextSchema,
  languages: languagesSchema
    .optional()
    .describe('Source and target language, for models that need them; like `translate --from --to`.'),
  maxSourceLength: count
    .optional()
    .describe(
      "Maximum number of tokens of a source, special tokens included. Default: 512, or the model's maximum.",
    ),
  maxTargetLength: count
    .optional()
    .describe(
      'Maximum number of tokens of a target; pairs with a longer one are left out and counted, since a truncated target ' +
        "teaches the model to stop too early. Default: 128, or the model's maximum.",
    ),
  truncation: z
    .union([z.enum(['head', 'tail', 'drop']), headTailSchema])
    .default('head')
    .describe(
      'How longer sources are truncated: head keeps the beginning, tail the end, headTail: { head, tail } both (Sun ' +
        'et al. 2019 found 128 and 382 best), drop leaves the pair out. The rule is kept in config.json, so that the ' +
        'finished model reads texts the same way.',
    ),
});

/** Generation options that a fine-tuning can set. */
const decodingSchema = generationOptionsSchema.pick({
  numBeams: true,
  maxNewTokens: true,
  minNewTokens: true,
  lengthPenalty: true,
  earlyStopping: true,
  noRepeatNgramSize: true,
  repetitionPenalty: true,
});

const validationSchema = decodingSchema.extend({
  everyUpdates: count.default(500).describe('Updates between validations.'),
  metric: z
    .enum([...textMetrics, 'loss'])
    .default('rougeL')
    .describe(
      "Metric of the best checkpoint: ROUGE F-measure (of Latin letters and digits), BLEU or chrF of the model's outputs, or the loss, which " +
        'is cheaper.',
    ),
  lowercase: z
    .boolean()
    .default(false)
    .describe('Compare in lower case for bleu and chrf; ROUGE always does.'),
  maxSentences: count
    .default(500)
    .describe(
      'Maximum number of validation pairs, from the first: validation should take little of the time.',
    ),
});

/** The configuration file of `polybeam finetune` as written. */
export const finetuneConfigSchema = z.strictObject({
  output: path.describe('Run directory: checkpoints, log and the final model. A run found there is resumed.'),
  init: path
    .optional()
    .describe(
      'Model directory to start from: an encoder-decoder or a prefix language model. Excludes encoder and decoder.',
    ),
  encoder: sideSchema
    .optional()
    .describe(
      'BERT-family directory (bert, bert-generation) for the encoder of a new encoder-decoder (Rothe et al. 2020); ' +
        '{ random: DIR } takes its sizes and tokenizer and starts at random. Requires decoder.',
    ),
  decoder: sideSchema
    .optional()
    .describe('The same for the decoder, whose cross-attention starts at random.'),
  share: z
    .boolean()
    .default(false)
    .describe(
      'Encoder and decoder, from the same directory, share their common weights (BERTSHARE of Rothe et al. 2020).',
    ),
  data: dataSchema.describe('Training and validation data.'),
  optimizer: optimizerSchema.prefault({}).describe('AdamW and the loss.'),
  ...runSections,
  schedule: scheduleSchema
    .extend({
      type: scheduleSchema.shape.type
        .removeDefault()
        .default('linear')
        .describe(scheduleSchema.shape.type.description!),
      learningRate: z
        .number()
        .gt(0)
        .default(5e-5)
        .describe('The highest learning rate, reached after warm-up, before factors of layerDecay.'),
      warmupUpdates: z
        .int()
        .min(0)
        .optional()
        .describe('Updates over which the rate rises. Default: a tenth of totalUpdates, 0 without an end.'),
      totalUpdates: count
        .optional()
        .describe(
          'Update at which linear, cosine and slantedTriangular reach their end. Default: budget.maxUpdates, or what ' +
            'budget.maxEpochs takes.',
        ),
    })
    .prefault({})
    .describe('Learning rate over the run.'),
  targetMaskRate: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe(
      "Share of a target's tokens, end token included, that is masked and predicted; for models that predict the next token at a [MASK] " +
        '(unilm). Default: 0.7, as in the official code.',
    ),
  layerDecay: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe(
      'Learning rate of a layer divided by that of the layer above it, in encoder and decoder; embeddings come below the ' +
        'lowest, while heads and new weights have the full rate. Sun et al. 2019 take 0.95.',
    ),
  unfreezeEveryEpochs: count
    .optional()
    .describe(
      'Gradual unfreezing (Howard and Ruder 2018, section 3.3): training starts with heads, new weights and the last layer of ' +
        'encoder and decoder; after every this many epochs the next lower layer is added, embeddings last. Default: all at once.',
    ),
  freeze: z
    .array(z.string().min(1))
    .default([])
    .describe('Weights that are not trained: beginnings of names, or embeddings, or encoder.'),
  batch: batchSchema.prefault({}).describe('How pairs are grouped.'),
  validation: validationSchema.prefault({}).describe('Checks on held-out text while training.'),
  generation: decodingSchema
    .prefault({})
    .describe(
      'Generation defaults of the finished model, which replace those of the initial model in generation_config.json; validation ' +
        'uses them too, unless it sets its own options.',
    ),
  checkpoints: checkpointsSchema
    .extend({
      averageLast: z
        .int()
        .min(0)
        .default(0)
        .describe(
          'The final model is the best checkpoint (without validation the last), or with a number above 0 the mean of ' +
            'the weights of this many last kept checkpoints.',
        ),
    })
    .prefault({})
    .describe('What is saved, and when.'),
});

/** A checked configuration with every default filled in that does not depend on the model. */
export type FinetuneConfig = z.output<typeof finetuneConfigSchema>;
