import { z } from 'zod';
import {
  dataSourceSchema,
  modelSchema,
  type TrainConfig,
  type TrainModelConfig,
  vocabularySchema,
} from '../training/config.js';
import { batchSchema, count, optimizerSchema, path, runSections } from '../training/configPieces.js';
import type { PretrainConfigInput } from './config.types.js';
import { textSourceSchema } from './corpus.js';
import { type PretrainedModelType, pretrainedModelTypes } from './modelTypes.js';
import type { ObjectiveName } from './objectives.js';

export type { PretrainConfigInput };

/*
 * The file that `polybeam pretrain` reads; the sections that training has too are in training/configPieces.ts. Cross-checks are in
 * parseConfig.ts.
 */

const dataSchema = z.strictObject({
  train: z
    .array(textSourceSchema)
    .min(1)
    .optional()
    .describe('Training text: one entry, or a list. Needed by objectives that read running text.'),
  pairs: z
    .array(dataSourceSchema)
    .min(1)
    .optional()
    .describe('Training pairs of texts, in the form of `train`; for objectives that learn from pairs.'),
  validation: z
    .array(textSourceSchema)
    .min(1)
    .optional()
    .describe('Held-out text for the validation loss. Without it there is no validation.'),
  validationPairs: z.array(dataSourceSchema).min(1).optional().describe('Held-out pairs, in the same form.'),
  packing: z
    .enum(['single', 'packed'])
    .default('single')
    .describe(
      'How text is divided into pieces. single: a document, or parts of one longer than maxLength. packed: documents joined by the ' +
        'end token and cut into pieces of maxLength tokens (full sentences across documents, Liu et al. 2019, section 4.2).',
    ),
  maxLength: count
    .default(126)
    .describe(
      'Maximum number of tokens of a piece, special tokens not counted. Pairs with a longer side are left out, and counted.',
    ),
  minLength: count
    .default(5)
    .describe('Minimum number of tokens of a piece; shorter ones are left out, and counted; MASS: 5.'),
});

const validationSchema = z.strictObject({
  everyUpdates: count.default(1000).describe('Updates between validations.'),
  maxPieces: count.default(1000).describe('Maximum number of validation pieces (and pairs), from the first.'),
});

/** The model section: that of training, and models that are one stack of layers. */
const pretrainedModelSchema = modelSchema.extend({
  type: z
    .enum(pretrainedModelTypes)
    .default('marian')
    .describe(
      'Architecture. marian: the Transformer of Vaswani et al. 2017. unilm, bert, roformer: one stack of encoderLayers layers that ' +
        'encodes and generates (UniLM; SimBERT; RoFormer-Sim), without decoderLayers, activationDropout and tieWordEmbeddings.',
    ),
});

/** A list of objectives with their weights; each one's own options are checked by its own schema. */
export function objectivesSchema(weight: string) {
  return z
    .array(
      z.looseObject({
        type: z.string().describe('Which objective; the sections below list them with their options.'),
        weight: z.number().gt(0).default(1).describe(weight),
      }),
    )
    .min(1)
    .describe('Training objective: one entry, or a mixture. An update has one objective.');
}

/** The configuration file of `polybeam pretrain` as written; `parsePretrainConfig` gives it checked as a whole. */
export const pretrainConfigSchema = z.strictObject({
  output: path.describe('Run directory: checkpoints, log and the final model. A run found there is resumed.'),
  init: path
    .optional()
    .describe(
      'Model directory to continue from (further pre-training), with its architecture and its tokenizer; model and vocabulary are then ' +
        'left out. Default: random weights.',
    ),
  objectives: objectivesSchema(
    'Share of the updates, beside the weights of the other objectives that read the same kind of data.',
  ),
  data: dataSchema.describe('Training and validation data.'),
  vocabulary: vocabularySchema
    .prefault({})
    .describe(
      'Tokens: a vocabulary trained on the data (the default; <mask> is added), or an existing tokenizer.',
    ),
  model: pretrainedModelSchema.prefault({}).describe('Architecture and sizes.'),
  optimizer: optimizerSchema.prefault({ labelSmoothing: 0 }).describe('AdamW and the loss.'),
  batch: batchSchema.prefault({}).describe('How pieces are grouped.'),
  validation: validationSchema.prefault({}).describe('The loss on held-out text while training.'),
  ...runSections,
});

type Parsed = z.output<typeof pretrainConfigSchema>;

/** One objective of the mixture, its options checked. */
export interface ObjectiveConfig {
  type: ObjectiveName;
  weight: number;
  /** The options of its own schema, defaults filled in. */
  options: object;
}

/** Architecture with the preset filled in. */
export type PretrainModelConfig = Omit<TrainModelConfig, 'type'> & { type: PretrainedModelType };

/** A checked configuration with every default and preset filled in. */
export interface PretrainConfig extends Omit<Parsed, 'model' | 'vocabulary' | 'objectives'> {
  objectives: ObjectiveConfig[];
  /** Absent where `init` gives the architecture. */
  model?: PretrainModelConfig;
  vocabulary: TrainConfig['vocabulary'];
}
