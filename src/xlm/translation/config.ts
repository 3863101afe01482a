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
      'Texts by language, one a line, none a translation of another, such as { en: mono.en.gz, fr: [{ text: mono.tsv, column: 2 }] }: ' +
        'for each language a file, or a list of entries as below.',
    ),
  pairs: languagePairsSchema
    .optional()
    .describe(
      'Parallel text with the languages of its sides: one entry, or a list. Not needed; what there is is learned in both directions.',
    ),
  validation: languageTextsSchema
    .optional()
    .describe(
      'Held-out texts by language, likewise: translated to another language and back, they tell the best checkpoint without parallel text.',
    ),
  validationPairs: languagePairsSchema
    .optional()
    .describe('Held-out parallel text for BLEU in both directions, where there is some.'),
  alpha: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe(
      'Languages of n texts take turns in denoising and MASS in proportion to n^alpha: 0 all alike (the paper), 1 as their texts are.',
    ),
  maxLength: count
    .default(100)
    .describe('Texts of more tokens are left out, and counted; 100 as in the paper.'),
});

const weightMeaning = (what: string) =>
  `What the ${what} is multiplied by: a number, or points "round:weight" with straight lines between them. ` +
  'A task of weight 0 takes no turn.';

const weight = (what: string) => weightScheduleSchema.describe(weightMeaning(what));

const denoisingSchema = z.strictObject({
  weight: weightScheduleSchema
    .optional()
    .describe(
      `${weightMeaning('loss of denoising')} Default "0:1,100000:0.1,300000:0" (the paper) beside back-translation, else 1.`,
    ),
  shuffle: z
    .number()
    .min(0)
    .default(3)
    .describe('Words move less than this many places; 0 leaves their order.'),
  dropout: rate.default(0.1).describe('Probability that a word is left out; one stays at least.'),
  blank: rate.default(0.1).describe('Probability that a word is replaced by the mask token.'),
});

const backTranslationSchema = z.strictObject({
  directions: z
    .array(z.string())
    .optional()
    .describe(
      'What is learned, such as [en-fr, fr-en]: for en-fr, texts of fr are translated to en by the model as it is, and from these ' +
        'translations it learns to translate back to the texts. An empty list learns none. Default: every language of data.train into ' +
        'every other.',
    ),
  weight: weight('loss of back-translation').default(1),
  decoding: z
    .enum(['greedy', 'sample', 'beam'])
    .default('greedy')
    .describe(
      'How translations are generated: the likeliest token each time (the paper), drawn, or beam search.',
    ),
  temperature: z
    .number()
    .gt(0)
    .optional()
    .describe('sample: logits are divided by this; below 1 nearer to greedy. Default 1.'),
  topK: z
    .int()
    .min(0)
    .optional()
    .describe('sample: drawn from so many of the likeliest tokens; 0 from all. Default 0.'),
  numBeams: z.int().min(2).optional().describe('beam: beams. Default 4.'),
  tables: z
    .record(z.string(), path)
    .optional()
    .describe(
      'Translation tables (polybeam xlm table build) by what they translate, such as { en-fr: en-fr.tsv, fr-en: fr-en.tsv }: for each ' +
        'direction that is learned the table of its reverse.',
    ),
  tableRounds: z
    .int()
    .min(0)
    .optional()
    .describe(
      'In the first so many rounds translations are made by the tables, phrase by phrase, and not by the model. Goes with tables. Default 500.',
    ),
  languageModels: z
    .record(z.string(), path)
    .optional()
    .describe(
      'Directories of language models (gpt2) by language, with which tables translate together: { fr: gpt2-fr }. Goes with tables. ' +
        'Default none: the most probable phrases.',
    ),
  constraints: constraintOptionsSchema
    .omit({ bias: true })
    .extend({
      rounds: count
        .optional()
        .describe('Translations are constrained in the first so many rounds. Default: in all.'),
    })
    .optional()
    .describe(
      'The model must use translations that the tables are sure of when it generates. Goes with tables and with decoding beam. Default: none.',
    ),
  onlyOwnTokens: z
    .int()
    .min(0)
    .default(0)
    .describe(
      'In the first so many rounds translations are made of tokens that the texts of their language have, so that copying is no ' +
        'translation (Liu et al. 2020, section 5.1: 1000 updates).',
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
    .describe('Positions are sines that are not learned. Default from init, else false.'),
  maxPositionEmbeddings: count
    .optional()
    .describe(
      'Longest text that the model can read or write, with </s> on both sides. Default from init, else 256.',
    ),
  shareEmbeddings: z
    .boolean()
    .optional()
    .describe(
      'One set of tables for encoder, decoder and output: fewer parameters. False gives each stack its own. Default from init, else true.',
    ),
  tieWordEmbeddings: z
    .boolean()
    .optional()
    .describe("The output projection is the decoder's table of tokens. Default from init, else true."),
});

const validationSchema = z.strictObject({
  everyUpdates: count.default(1000).describe('Updates between validations.'),
  metric: z
    .enum(['bleu', 'roundTrip', 'loss'])
    .optional()
    .describe(
      'What decides which checkpoint is best: the mean BLEU of the directions of validationPairs, that of texts translated to another ' +
        'language and back less the share of it that was only copied, or the loss of denoising and MASS. Default bleu where there are ' +
        'validationPairs, else roundTrip, or loss where nothing is translated back.',
    ),
  maxSentences: count
    .default(500)
    .describe('Texts of each language, and pairs, used at most, from the first.'),
  lowercase: z
    .boolean()
    .optional()
    .describe(
      'Compare in lower case, as a model must be that writes nothing else. Default: vocabulary.train.lowercase, else false.',
    ),
});

/** The configuration file of `polybeam xlm train` as written; `parseTranslationConfig` gives it checked as a whole. */
export const translationConfigSchema = z.strictObject({
  output: path.describe('Run directory: checkpoints, log and the final model. A run found there is resumed.'),
  init: path
    .optional()
    .describe(
      'Model directory to start from: an xlm model (as `polybeam xlm pretrain` makes), whose stack becomes both encoder and decoder, or an ' +
        'xlm-encoder-decoder. Its tokenizer is used, its sizes too. Default: random weights.',
    ),
  data: dataSchema.describe(
    'What to learn from, by language. Any number of languages; codes are free, such as en.',
  ),
  vocabulary: vocabularyChoiceSchema
    .prefault({})
    .describe('Tokens: those of init, an existing tokenizer, or else a vocabulary learned from the data.'),
  embeddings: z
    .array(path)
    .optional()
    .describe(
      'Files of vectors (.vec) of words to start the table of embeddings with, such as mapped ones of each language: a token starts with ' +
        'the mean of the vectors of words that it is a part of, frequent ones counting most. Goes without init.',
    ),
  denoising: denoisingSchema
    .prefault({})
    .describe(
      'Restoring texts with noise (Lample et al. 2018, section 2.3), in each language of data.train.',
    ),
  backTranslation: backTranslationSchema
    .prefault({})
    .describe('Learning from translations that the model itself makes while it is trained.'),
  mass: massSchema
    .prefault({})
    .describe(
      'MASS (Song et al. 2019) in each language of data.train: the decoder writes a fragment that the encoder does not see. As ' +
        'pre-training, with denoising.weight 0 and no directions.',
    ),
  translation: translationSchema.prefault({}).describe('Learning from data.pairs, where there are some.'),
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
      maxTokens: count.default(2000).describe('Sentences x longest text of one batch, at most.'),
      maxSentences: count.default(32).describe('Sentences of one batch, at most.'),
      update: z
        .enum(['loss', 'round'])
        .default('loss')
        .describe(
          'What one update is made of. A round is a batch of each task. loss: each batch is an update by itself, as in the ' +
            "paper's program; round: one update of all of them, the weighted sum of their mean losses.",
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
