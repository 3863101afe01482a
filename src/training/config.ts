import { z } from 'zod';
import { transformerPresets } from '../encoder/transformer.js';
import { vocabularyOptionsSchema } from '../text/vocabularyOptions.js';
import type { TrainConfigInput } from './config.types.js';
import { batchSchema, count, optimizerSchema, path, rate, runSections } from './configPieces.js';

export type { TrainConfigInput };

/*
 * The file that `polybeam train` reads. Each description gives the meaning, the default where it is not a plain value,
 * and the reason; the reference page is made from them. Cross-checks and presets are in parseConfig.ts.
 */

/** Where parallel text is. */
export const dataSourceSchema = z.strictObject({
  source: path.optional().describe('File of source sentences, one a line; may be gzipped. Requires target.'),
  target: path.optional().describe('File of target sentences: line n translates line n of source.'),
  tsv: path
    .optional()
    .describe('Tab-separated file with both sides, may be gzipped; instead of source and target.'),
  sourceColumn: count.default(1).describe('Column of the source sentence in tsv, counted from 1.'),
  targetColumn: count.default(2).describe('Column of the target sentence in tsv, counted from 1.'),
});

/** Parallel text: a list, each entry as above. */
export const parallelTextSchema = z.array(dataSourceSchema).min(1);

/** Held-out text. */
export const validationTextSchema = parallelTextSchema
  .optional()
  .describe('Held-out text for validation: one entry, or a list. Without it there is no validation.');

/** What is translated into what. */
export const languagesSchema = z.strictObject({
  source: z.string().min(1).describe('Language code of the source side, such as en.'),
  target: z.string().min(1).describe('Language code of the target side, such as fr.'),
});

const dataSchema = z.strictObject({
  train: parallelTextSchema.describe('Training text: one entry, or a list that is joined.'),
  validation: validationTextSchema,
  languages: languagesSchema
    .optional()
    .describe('Source and target language; kept in config.json, so that `translate --to` can be checked.'),
  maxLength: count
    .default(128)
    .describe(
      'Pairs with more tokens on a side are left out of training, and counted: attention costs grow with the square ' +
        'of the length, and such pairs are often misaligned.',
    ),
});

/** Tokens: a tokenizer, or one to be trained. */
export const vocabularySchema = z.strictObject({
  tokenizer: path.optional().describe('Directory or file of an existing tokenizer. Excludes train.'),
  train: vocabularyOptionsSchema
    .optional()
    .describe(
      'Trains one vocabulary for both languages on the training text, with the options of `polybeam vocab`.',
    ),
});

function withDropout(sizes: (typeof transformerPresets)[keyof typeof transformerPresets], dropout: number) {
  return {
    layers: [sizes.encoderLayers, sizes.decoderLayers],
    dModel: sizes.dModel,
    ffnDim: sizes.encoderFfnDim,
    attentionHeads: sizes.encoderAttentionHeads,
    dropout,
  } as const;
}

/** Sizes of the presets; every field can be set over them. */
export const modelPresets = {
  // The "Transformer-tiny" of Multi30k work (Wu et al. 2021): small data needs few parameters and much dropout.
  tiny: withDropout(transformerPresets.tiny, 0.3),
  // Deep encoder, shallow decoder (Kasai et al. 2021): the decoder runs once a token, the encoder once a sentence.
  small: withDropout(transformerPresets.small, 0.1),
  // Vaswani et al. 2017, table 3, "base".
  base: withDropout(transformerPresets.base, 0.1),
} as const;

/** Architecture and sizes. */
export const modelSchema = z.strictObject({
  type: z
    .literal('marian')
    .default('marian')
    .describe('Architecture: marian is the Transformer of Vaswani et al. 2017 as in Marian and OPUS-MT.'),
  preset: z
    .enum(['tiny', 'small', 'base'])
    .default('small')
    .describe(
      'Sizes to start from: tiny (4+4 layers, d 128, for tens of thousands of pairs), small (6+3 layers, d 256) or ' +
        'base (6+6 layers, d 512, for millions).',
    ),
  encoderLayers: count.optional().describe('Layers of the encoder. Default from the preset.'),
  decoderLayers: count
    .optional()
    .describe('Layers of the decoder, which take most of the time in translation. Default from the preset.'),
  dModel: count
    .multipleOf(2)
    .optional()
    .describe('Width of embeddings and layers; a multiple of attentionHeads. Default from the preset.'),
  ffnDim: count.optional().describe('Inner width of the feed-forward blocks. Default from the preset.'),
  attentionHeads: count
    .optional()
    .describe('Attention heads in encoder and decoder. Default from the preset.'),
  dropout: rate
    .optional()
    .describe('Dropout of embeddings and of each block before it is added. Default from the preset.'),
  attentionDropout: rate.default(0).describe('Dropout of attention probabilities; 0 as in OPUS-MT.'),
  activationDropout: rate
    .default(0)
    .describe('Dropout inside the feed-forward blocks, after the activation; 0 as in OPUS-MT.'),
  activationFunction: z
    .enum(['relu', 'gelu', 'swish'])
    .default('swish')
    .describe('Activation of the feed-forward blocks; swish as in OPUS-MT.'),
  maxPositionEmbeddings: count
    .default(512)
    .describe('Longest sequence the model can read or write; the sinusoidal table has this many rows.'),
  tieWordEmbeddings: z
    .boolean()
    .default(true)
    .describe(
      'Share one table between the embeddings of both sides and the output projection: fewer parameters, and better on small ' +
        'data. False: three tables.',
    ),
});

const validationSchema = z.strictObject({
  everyUpdates: count.default(1000).describe('Updates between validations.'),
  metric: z
    .enum(['bleu', 'loss'])
    .default('bleu')
    .describe('Metric of the best checkpoint: BLEU of translations, or the loss, which is cheaper.'),
  numBeams: count
    .default(1)
    .describe('Number of beams for BLEU; 1 (greedy) is fast and ranks checkpoints about as well.'),
  lowercase: z
    .boolean()
    .optional()
    .describe(
      'Compare in lower case, which models with lower-case output need. Default: vocabulary.train.lowercase, else false.',
    ),
  maxSentences: count
    .default(1000)
    .describe(
      'Maximum number of validation pairs, from the first: validation should take little of the time.',
    ),
});

export const trainConfigSchema = z.strictObject({
  output: path.describe('Run directory: checkpoints, log and the final model. A run found there is resumed.'),
  init: path
    .optional()
    .describe(
      'Model directory to start from instead of random weights (a warm start): weights of the same name are copied, and ' +
        'must have the shape that model requires; missing weights start at random, and are counted. Its tokenizer is ' +
        'used unless vocabulary names another. Default: none.',
    ),
  data: dataSchema.describe('Training and validation data.'),
  vocabulary: vocabularySchema
    .prefault({})
    .describe('Tokens: a vocabulary trained on the data (the default), or an existing tokenizer.'),
  model: modelSchema.prefault({}).describe('Architecture and sizes.'),
  optimizer: optimizerSchema.prefault({}).describe('AdamW and the loss.'),
  batch: batchSchema.prefault({}).describe('How pairs are grouped.'),
  validation: validationSchema.prefault({}).describe('Checks on held-out text while training.'),
  ...runSections,
});

type ParsedConfig = z.output<typeof trainConfigSchema>;

/** Architecture with the preset filled in. */
export interface TrainModelConfig extends Omit<ParsedConfig['model'], 'preset'> {
  encoderLayers: number;
  decoderLayers: number;
  dModel: number;
  ffnDim: number;
  attentionHeads: number;
  dropout: number;
}

/** A checked configuration with every default and preset filled in. */
export interface TrainConfig extends Omit<ParsedConfig, 'model' | 'vocabulary'> {
  model: TrainModelConfig;
  /** Exactly one of the two is there. `train` holds the options as given: pass it to `trainVocabulary`. */
  vocabulary: { tokenizer: string } | { train: z.input<typeof vocabularyOptionsSchema> };
}
