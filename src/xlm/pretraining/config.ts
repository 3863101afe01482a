import { z } from 'zod';
import { xlmPresets } from '../../encoder/xlm.js';
import { objectivesSchema } from '../../pretraining/config.js';
import { batchSchema, count, optimizerSchema, path, rate, runSections } from '../../training/configPieces.js';
import { languagePairsSchema, languageTextsSchema } from '../languageData.js';
import { type VocabularyChoice, vocabularyChoiceSchema } from '../vocabularyChoice.js';
import type { XlmPretrainConfigInput } from './config.types.js';
import type { XlmObjectiveName } from './objectives.js';

export type { XlmPretrainConfigInput };

/*
 * The file that `polybeam xlm pretrain` reads; the sections that training has too are in training/configPieces.ts. Cross-checks are in
 * parseConfig.ts.
 */

const dataSchema = z.strictObject({
  train: languageTextsSchema
    .optional()
    .describe(
      'Running text by language, such as { en: mono.en.gz, fr: [{ text: mono.tsv, column: 2 }] }: for each language a file, or a ' +
        'list of entries as below. Needed by objectives that read streams.',
    ),
  pairs: languagePairsSchema
    .optional()
    .describe('Parallel text with the languages of its sides: one entry, or a list. Needed by tlm.'),
  validation: languageTextsSchema
    .optional()
    .describe('Held-out text by language, in the same form. Without it there is no validation.'),
  validationPairs: languagePairsSchema.optional().describe('Held-out parallel text, in the same form.'),
  length: z
    .int()
    .min(4)
    .default(256)
    .describe('Tokens of a row of running text: concatenated sentences, cut anywhere (256 in the paper).'),
  maxLength: count.default(126).describe('Pairs with more tokens on a side are left out, and counted.'),
  alpha: z
    .number()
    .min(0)
    .max(1)
    .default(0.7)
    .describe(
      'A language with n tokens gets a share of the updates in proportion to n^alpha: 1 in proportion to its size, 0 the same for all languages.',
    ),
});

const modelSchema = z.strictObject({
  preset: z
    .enum(Object.keys(xlmPresets) as [keyof typeof xlmPresets, ...(keyof typeof xlmPresets)[]])
    .default('small')
    .describe(
      'Sizes to start from: tiny (4 layers, d 128), small (6 layers, d 256), base (6 layers, d 512) or large (6 layers, d 1024: the ' +
        "paper's model for translation).",
    ),
  embDim: count
    .multipleOf(2)
    .optional()
    .describe('Width of embeddings and layers; a multiple of nHeads. Default from the preset.'),
  nLayers: count.optional().describe('Layers. Default from the preset.'),
  nHeads: count.optional().describe('Attention heads. Default from the preset.'),
  dropout: rate.default(0.1).describe('Dropout of embeddings and of each block before it is added.'),
  attentionDropout: rate
    .default(0)
    .describe(
      'Dropout of attention probabilities. The paper has 0.1; on a CPU drawing so many numbers takes much of an update.',
    ),
  geluActivation: z.boolean().default(true).describe('GELU in the feed-forward blocks, otherwise ReLU.'),
  sinusoidalEmbeddings: z
    .boolean()
    .default(false)
    .describe('Use fixed sinusoidal positions. Default: learned positions.'),
  useLangEmb: z
    .boolean()
    .default(true)
    .describe("With several languages, adds an embedding of a token's language at every position."),
  maxPositionEmbeddings: count.default(512).describe('Longest row that the model can read.'),
  embedInitStd: z
    .number()
    .gt(0)
    .optional()
    .describe('Standard deviation of new embeddings. Default embDim^-0.5.'),
});

const validationSchema = z.strictObject({
  everyUpdates: count.default(1000).describe('Updates between validations.'),
  maxRows: count
    .default(200)
    .describe('Maximum number of validation rows (or pairs) of each language, from the first.'),
});

/** The configuration file of `polybeam xlm pretrain` as written; `parseXlmPretrainConfig` gives it checked as a whole. */
export const xlmPretrainConfigSchema = z.strictObject({
  output: path.describe('Run directory: checkpoints, log and the final model. A run found there is resumed.'),
  init: path
    .optional()
    .describe(
      'Directory of an xlm model to continue from, with its sizes, languages and tokenizer; model and vocabulary are then left ' +
        'out. Default: random weights.',
    ),
  objectives: objectivesSchema('Share of the updates, beside the weights of the other objectives.'),
  data: dataSchema.describe(
    'Training and validation data, by language. Any number of languages; language codes are free, such as en.',
  ),
  vocabulary: vocabularyChoiceSchema
    .prefault({})
    .describe('Tokens: a vocabulary learned from the data (the default), or an existing tokenizer.'),
  model: modelSchema.prefault({}).describe('Architecture and sizes.'),
  optimizer: optimizerSchema
    .extend({
      labelSmoothing: rate
        .default(0)
        .describe('Share of the label probability spread over the vocabulary (Szegedy et al. 2016).'),
    })
    .prefault({})
    .describe('AdamW and the loss.'),
  batch: batchSchema
    .prefault({})
    .describe('How rows are grouped. A batch has rows of one language, or pair of languages.'),
  validation: validationSchema
    .prefault({})
    .describe('Perplexity and accuracy on held-out text, by objective and language, while training.'),
  ...runSections,
});

type Parsed = z.output<typeof xlmPretrainConfigSchema>;

/** Sizes with the preset filled in. */
export type XlmModelConfig = Required<Omit<Parsed['model'], 'preset'>>;

/** One objective of the mixture, its options checked. */
export interface XlmObjectiveConfig {
  type: XlmObjectiveName;
  weight: number;
  /** The options of its own schema, defaults filled in. */
  options: object;
}

/** A checked configuration with every default and preset filled in. */
export interface XlmPretrainConfig extends Omit<Parsed, 'model' | 'vocabulary' | 'objectives'> {
  objectives: XlmObjectiveConfig[];
  /** Absent where `init` gives the architecture. */
  model?: XlmModelConfig;
  vocabulary: VocabularyChoice;
}
