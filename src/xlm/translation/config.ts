import { z } from 'zod';
import { xlmPresets } from '../../encoder/xlm.js';
import { massOptionsSchema } from '../../pretraining/mass.js';
import {
  batchSchema,
  checkpointsSchema,
  count,
  optimizerSchema,
  path,
  rate,
  runSections,
} from '../../training/configPieces.js';
import { languagePairsSchema, languageTextsSchema } from '../languageData.js';
import { constraintOptionsSchema } from '../table/tableConstraints.js';
import { type VocabularyChoice, vocabularyChoiceSchema } from '../vocabularyChoice.js';
import type { TranslationConfigInput } from './config.types.js';
import type { Direction } from './languageCodes.js';
import { type WeightSchedule, weightScheduleSchema } from './lossWeight.js';

export type { TranslationConfigInput };

/*
 * The file that `polybeam xlm train` reads; the sections that training has too are in training/configPieces.ts. Cross-checks are in
 * parseConfig.ts.
 */

const dataSchema = z.strictObject({
  train: languageTextsSchema
    .optional()
    .describe(
      'Texts by language, one a line, not translations of each other, such as { en: mono.en.gz, fr: [{ text: mono.tsv, column: 2 }] }: ' +
        'for each language a file, or a list of entries as below.',
    ),
  pairs: languagePairsSchema
    .optional()
    .describe(
      'Parallel text with the languages of its sides: one entry, or a list. Optional; learned in both directions.',
    ),
  validation: languageTextsSchema
    .optional()
    .describe(
      'Held-out texts by language, in the same form: translated to another language and back, they select the best checkpoint without parallel text.',
    ),
  validationPairs: languagePairsSchema
    .optional()
    .describe('Held-out parallel text for BLEU in both directions. Optional.'),
  alpha: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe(
      'Languages with n texts get turns in denoising and MASS in proportion to n^alpha: 0 the same for all (the paper), 1 in proportion to their texts.',
    ),
  maxLength: count
    .default(100)
    .describe(
      'Maximum number of tokens of a text; longer ones are left out, and counted. 100 as in the paper.',
    ),
});

const weightMeaning = (what: string) =>
  `What the ${what} is multiplied by: a number, or points "round:weight" with straight lines between them. ` +
  'A task of weight 0 takes no turn.';

const weight = (what: string) => weightScheduleSchema.describe(weightMeaning(what));

const denoisingSchema = z.strictObject({
  weight: weightScheduleSchema
    .optional()
    .describe(
      `${weightMeaning('loss of denoising')} Default "0:1,100000:0.1,300000:0" (the paper) with back-translation, else 1.`,
    ),
  shuffle: z
    .number()
    .min(0)
    .default(3)
    .describe('Words move by fewer positions than this; 0 keeps their order.'),
  dropout: rate.default(0.1).describe('Probability that a word is removed; at least one is kept.'),
  blank: rate.default(0.1).describe('Probability that a word is replaced by the mask token.'),
});

const backTranslationSchema = z.strictObject({
  directions: z
    .array(z.string())
    .optional()
    .describe(
      'Directions to learn, such as [en-fr, fr-en]: for en-fr, the current model translates texts of fr to en, and ' +
        'learns to translate these back to the original texts. An empty list: none. Default: every language of data.train into ' +
        'every other.',
    ),
  weight: weight('loss of back-translation').default(1),
  decoding: z
    .enum(['greedy', 'sample', 'beam'])
    .default('greedy')
    .describe('How translations are generated: greedy search (the paper), sampling, or beam search.'),
  temperature: z
    .number()
    .gt(0)
    .optional()
    .describe('sample: divisor of the logits; below 1 is closer to greedy search. Default 1.'),
  topK: z
    .int()
    .min(0)
    .optional()
    .describe('sample: number of most probable tokens to sample from; 0 is all. Default 0.'),
  numBeams: z.int().min(2).optional().describe('beam: number of beams. Default 4.'),
  tables: z
    .record(z.string(), path)
    .optional()
    .describe(
      'Translation tables (polybeam xlm table build) by direction, such as { en-fr: en-fr.tsv, fr-en: fr-en.tsv }: for each ' +
        'direction to learn, the table of the reverse direction.',
    ),
  tableRounds: z
    .int()
    .min(0)
    .optional()
    .describe(
      'Number of first rounds in which the tables, and not the model, translate, phrase by phrase. Requires tables. Default 500.',
    ),
  languageModels: z
    .record(z.string(), path)
    .optional()
    .describe(
      'Directories of language models (gpt2) by language, which translate together with the tables: { fr: gpt2-fr }. Requires tables. ' +
        'Default: none; the tables choose the most probable phrases.',
    ),
  constraints: constraintOptionsSchema
    .omit({ bias: true })
    .extend({
      rounds: count
        .optional()
        .describe('Number of first rounds in which translations are constrained. Default: all.'),
    })
    .optional()
    .describe(
      'The model must use the most probable translations of the tables when it generates. Requires tables and decoding beam. Default: none.',
    ),
  onlyOwnTokens: z
    .int()
    .min(0)
    .default(0)
    .describe(
      'Number of first rounds in which translations may only have tokens from the texts of their language, so that the model cannot copy its ' +
        'input (Liu et al. 2020, section 5.1: 1000 updates).',
    ),
});

const massSchema = massOptionsSchema.extend({
  weight: weight('loss of MASS').default(0),
});

const translationSchema = z.strictObject({
  weight: weight('loss of translating data.pairs').default(1),
});

const modelSchema = z.strictObject({
  preset: z
    .enum(Object.keys(xlmPresets) as [keyof typeof xlmPresets, ...(keyof typeof xlmPresets)[]])
    .optional()
    .describe(
      'Sizes to start from, without init: tiny (4 layers in encoder and decoder, d 128), small (6 layers, d 256), base (6 layers, d 512) or large ' +
        "(6 layers, d 1024: the paper's). Default small.",
    ),
  embDim: count
    .multipleOf(2)
    .optional()
    .describe('Width of embeddings and layers; a multiple of nHeads. Default from init or the preset.'),
  encoderLayers: count.optional().describe('Layers of the encoder. Default from init or the preset.'),
  decoderLayers: count.optional().describe('Layers of the decoder, at most those of init. Default as above.'),
  nHeads: count.optional().describe('Attention heads. Default from init or the preset.'),
  dropout: rate.default(0.1).describe('Dropout of embeddings and of each block before it is added.'),
  attentionDropout: rate
    .default(0)
    .describe(
      'Dropout of attention probabilities. The paper has 0.1; on a CPU drawing so many numbers takes much of an update.',
    ),
  geluActivation: z
    .boolean()
    .optional()
    .describe('GELU in the feed-forward blocks, otherwise ReLU. Default from init, else true.'),
  sinusoidalEmbeddings: z
    .boolean()
    .optional()
    .describe('Use fixed sinusoidal positions. Default from init, else false.'),
  maxPositionEmbeddings: count
    .optional()
    .describe(
      'Longest text that the model can read or write, with </s> on both sides. Default from init, else 256.',
    ),
  shareEmbeddings: z
    .boolean()
    .optional()
    .describe(
      'One set of embedding tables for encoder, decoder and output: fewer parameters. False: separate tables for each stack. Default from init, else true.',
    ),
  tieWordEmbeddings: z
    .boolean()
    .optional()
    .describe("Use the decoder's token embeddings as the output projection. Default from init, else true."),
});

const validationSchema = z.strictObject({
  everyUpdates: count.default(1000).describe('Updates between validations.'),
  metric: z
    .enum(['bleu', 'roundTrip', 'loss'])
    .optional()
    .describe(
      'Metric of the best checkpoint: the mean BLEU of the directions of validationPairs; the BLEU of texts translated to another ' +
        'language and back, reduced by the share that was only copied; or the loss of denoising and MASS. Default: bleu with ' +
        'validationPairs, else roundTrip, or loss without back-translation.',
    ),
  maxSentences: count
    .default(500)
    .describe('Maximum number of texts of each language, and of pairs, from the first.'),
  lowercase: z
    .boolean()
    .optional()
    .describe(
      'Compare in lower case, which models with lower-case output need. Default: vocabulary.train.lowercase, else false.',
    ),
});

/** The configuration file of `polybeam xlm train` as written; `parseTranslationConfig` gives it checked as a whole. */
export const translationConfigSchema = z.strictObject({
  output: path.describe('Run directory: checkpoints, log and the final model. A run found there is resumed.'),
  init: path
    .optional()
    .describe(
      'Model directory to start from: an xlm model (from `polybeam xlm pretrain`), which initializes both encoder and decoder, or an ' +
        'xlm-encoder-decoder. Its tokenizer and sizes are used. Default: random weights.',
    ),
  data: dataSchema.describe(
    'Training and validation data, by language. Any number of languages; language codes are free, such as en.',
  ),
  vocabulary: vocabularyChoiceSchema
    .prefault({})
    .describe(
      'Tokens: the vocabulary of init, an existing tokenizer, or a vocabulary learned from the data.',
    ),
  embeddings: z
    .array(path)
    .optional()
    .describe(
      'Files of word vectors (.vec) that initialize the token embeddings, such as the mapped vectors of each language: a token starts with ' +
        'the mean of the vectors of words that contain it, weighted by frequency. Excludes init.',
    ),
  denoising: denoisingSchema
    .prefault({})
    .describe('Denoising autoencoding (Lample et al. 2018, section 2.3), in each language of data.train.'),
  backTranslation: backTranslationSchema
    .prefault({})
    .describe(
      'Online back-translation: learning from translations that the model itself generates during training.',
    ),
  mass: massSchema
    .prefault({})
    .describe(
      'MASS (Song et al. 2019) in each language of data.train: the decoder writes a fragment that the encoder does not see. For ' +
        'pre-training, set denoising.weight to 0 and give no directions.',
    ),
  translation: translationSchema.prefault({}).describe('Learning from data.pairs, if there are any.'),
  model: modelSchema.prefault({}).describe('Architecture and sizes.'),
  optimizer: optimizerSchema
    .extend({
      labelSmoothing: optimizerSchema.shape.labelSmoothing
        .unwrap()
        .default(0)
        .describe('Share of the label probability spread over the vocabulary; none in the paper.'),
    })
    .prefault({})
    .describe('AdamW and the loss.'),
  batch: batchSchema
    .omit({ accumulate: true })
    .extend({
      maxTokens: count.default(2000).describe('Maximum size of a batch: sentences x longest text.'),
      maxSentences: count.default(32).describe('Maximum number of sentences of a batch.'),
      update: z
        .enum(['loss', 'round'])
        .default('loss')
        .describe(
          'How updates are formed. A round is a batch of each task. loss: each batch is an update, as in the ' +
            "paper's program; round: one update with the weighted sum of the mean losses of all batches.",
        ),
    })
    .prefault({})
    .describe('How texts are grouped.'),
  validation: validationSchema.prefault({}).describe('Translation of held-out text while training.'),
  ...runSections,
  checkpoints: checkpointsSchema
    .extend({
      averageLast: checkpointsSchema.shape.averageLast
        .unwrap()
        .default(0)
        .describe(
          'The final model is the mean of the weights of this many last kept checkpoints; 0 takes the best checkpoint, or the last without validation.',
        ),
    })
    .prefault({})
    .describe('What is saved, and when.'),
});

type Parsed = z.output<typeof translationConfigSchema>;

/** What decides which checkpoint is best. */
export type ValidationMetric = NonNullable<Parsed['validation']['metric']>;

/** A checked configuration with every default filled in but those that `init` has a say in. */
export interface TranslationConfig extends Omit<Parsed, 'vocabulary' | 'backTranslation' | 'validation'> {
  vocabulary: VocabularyChoice;
  /** Languages of the training data. */
  languages: string[];
  backTranslation: Omit<Parsed['backTranslation'], 'directions'> & { directions: Direction[] };
  /** By task. */
  weights: Record<'denoising' | 'backTranslation' | 'mass' | 'translation', WeightSchedule>;
  validation: Parsed['validation'] & { metric: ValidationMetric; lowercase: boolean };
}
