import { z } from 'zod';
import { bleuOptionsSchema } from '../../eval/bleu.js';
import { bootstrapOptionsSchema } from '../../eval/bootstrap.js';
import { chrfOptionsSchema } from '../../eval/chrf.js';
import { errorRateOptionsSchema } from '../../eval/errorRate.js';
import { reportOptionsSchema } from '../../eval/report/model.js';
import { rougeOptionsSchema } from '../../eval/rouge.js';
import { confidenceOptionsSchema, pairedTestOptionsSchema } from '../../eval/significance.js';
import { terOptionsSchema } from '../../eval/ter.js';
import { statisticsOptionsSchema } from '../../eval/textStatistics.js';
import { generationOptionsSchema } from '../../src/generation/optionsSchema.js';
import { minimumBayesRiskSchema } from '../../src/reranking/minimumBayesRisk.js';
import { vocabularyOptionsSchema } from '../../src/text/vocabularyOptions.js';
import { jointVocabularySchema } from '../../src/xlm/jointVocabulary.js';
import { lexiconOptionsSchema } from '../../src/xlm/mapping/lexiconAccuracy.js';
import { mappingOptionsSchema } from '../../src/xlm/mapping/mappingOptions.js';
import { ngramAccuracySchema } from '../../src/xlm/pretraining/ngramAccuracy.js';
import { phraseOptionsSchema, phraseSearchSchema } from '../../src/xlm/table/phraseTranslatorOptions.js';
import { constraintOptionsSchema } from '../../src/xlm/table/tableConstraints.js';
import { tableOptionsSchema } from '../../src/xlm/table/tableOptions.js';
import { ngramOptionsSchema } from '../../src/xlm/vectors/ngrams.js';
import { vectorOptionsSchema } from '../../src/xlm/vectors/trainVectors.js';
import { configSchemas, type JsonSchema, jsonSchemaOf } from './configSchemas.js';
import { type OwnTypes, objectTypeText } from './typeText.js';

/** A type that is made of a schema, so that editors show what each of its keys means. */
interface OptionType {
  name: string;
  about: string;
  schema: z.ZodType | JsonSchema;
  own?: OwnTypes;
}

/** Types by the file that they are written to, beside their schemas. */
const optionTypes: Readonly<Record<string, { imports?: string; types: OptionType[] }>> = {
  'src/generation/optionsSchema.types.ts': {
    imports:
      "import type { AssistantModel } from './assistant.js';\nimport type { Shortlist } from './shortlist.js';\n",
    types: [
      {
        name: 'GenerationOptions',
        about: 'What a caller may set; everything is optional.',
        schema: generationOptionsSchema,
        own: {
          prefixAllowedTokens: '(input: number, ids: readonly number[]) => readonly number[]',
          decode: '(outputs: number[][]) => string[] | Promise<string[]>',
          signal: 'AbortSignal',
          shortlist: 'Shortlist',
          assistantModel: 'AssistantModel',
        },
      },
    ],
  },
  ...fileOf(
    'src/reranking/minimumBayesRisk',
    'MinimumBayesRiskOptions',
    'Options of `minimumBayesRisk`.',
    minimumBayesRiskSchema,
  ),
  ...fileOf(
    'src/text/vocabularyOptions',
    'VocabularyOptions',
    'What a caller may set; everything is optional.',
    vocabularyOptionsSchema,
  ),
  ...configOf('src/training/config', 'TrainConfigInput', 'train'),
  ...configOf('src/training/finetuneConfig', 'FinetuneConfigInput', 'finetune'),
  ...configOf('src/pretraining/config', 'PretrainConfigInput', 'pretrain'),
  ...configOf('src/xlm/pretraining/config', 'XlmPretrainConfigInput', 'xlm-pretrain'),
  ...configOf('src/xlm/translation/config', 'TranslationConfigInput', 'xlm-train'),
  ...configOf('src/xlm/run/config', 'XlmRunConfigInput', 'xlm-run'),
  ...fileOf(
    'src/xlm/jointVocabulary',
    'JointVocabularyOptions',
    'Options of a joint vocabulary as given.',
    jointVocabularySchema,
  ),
  ...fileOf(
    'src/xlm/vectors/ngrams',
    'NgramOptions',
    'Options of choosing n-grams as given.',
    ngramOptionsSchema,
  ),
  ...fileOf(
    'src/xlm/vectors/trainVectors',
    'VectorTrainingOptions',
    'Options of training vectors as given.',
    vectorOptionsSchema,
  ),
  ...fileOf(
    'src/xlm/mapping/mappingOptions',
    'MappingOptions',
    'Options of a mapping as given.',
    mappingOptionsSchema,
  ),
  ...fileOf(
    'src/xlm/mapping/lexiconAccuracy',
    'LexiconOptions',
    'Options of `lexiconAccuracy` as given.',
    lexiconOptionsSchema,
  ),
  ...fileOf(
    'src/xlm/pretraining/ngramAccuracy',
    'NgramAccuracyOptions',
    'Options of `measureNgramTranslations` as given.',
    ngramAccuracySchema,
  ),
  ...fileOf(
    'src/xlm/table/tableOptions',
    'TableOptions',
    'Options of building a table as given.',
    tableOptionsSchema,
  ),
  ...fileOf(
    'src/xlm/table/tableConstraints',
    'ConstraintOptions',
    'Options of `constraintsFromTable` as given.',
    constraintOptionsSchema,
  ),
  'src/xlm/table/phraseTranslatorOptions.types.ts': {
    types: [
      {
        name: 'PhraseOptions',
        about: 'Options of translating by a table alone.',
        schema: phraseOptionsSchema,
      },
      {
        name: 'PhraseSearchOptions',
        about: 'Options of translating by a table and a language model.',
        schema: phraseOptionsSchema.extend(phraseSearchSchema.shape),
      },
    ],
  },
  ...fileOf('eval/bleu', 'BleuOptions', "What a caller may pass as BLEU's options.", bleuOptionsSchema),
  ...fileOf('eval/chrf', 'ChrfOptions', "What a caller may pass as chrF's options.", chrfOptionsSchema),
  ...fileOf('eval/ter', 'TerOptions', "What a caller may pass as TER's options.", terOptionsSchema),
  ...fileOf('eval/rouge', 'RougeOptions', "What a caller may pass as ROUGE's options.", rougeOptionsSchema),
  ...fileOf(
    'eval/errorRate',
    'ErrorRateOptions',
    'What a caller may pass as options of error rates.',
    errorRateOptionsSchema,
  ),
  ...fileOf(
    'eval/bootstrap',
    'BootstrapOptions',
    'What a caller may pass as options of resampling.',
    bootstrapOptionsSchema,
  ),
  ...fileOf(
    'eval/textStatistics',
    'StatisticsOptions',
    'What a caller may pass as options of statistics.',
    statisticsOptionsSchema,
  ),
  ...fileOf(
    'eval/report/model',
    'ReportOptions',
    'What a caller may pass as options of a report.',
    reportOptionsSchema,
  ),
  'eval/significance.types.ts': {
    types: [
      {
        name: 'ConfidenceOptions',
        about: 'What a caller may pass as options of intervals.',
        schema: confidenceOptionsSchema,
      },
      {
        name: 'PairedTestOptions',
        about: 'What a caller may pass as options of paired tests.',
        schema: pairedTestOptionsSchema,
      },
    ],
  },
};

function fileOf(source: string, name: string, about: string, schema: z.ZodType | JsonSchema) {
  return { [`${source}.types.ts`]: { types: [{ name, about, schema }] } };
}

function configOf(source: string, name: string, config: string) {
  const command = config.replace('-', ' ');
  const about = `The configuration of \`polybeam ${command}\` as a user may write it, defaults left out.`;
  return fileOf(source, name, about, configSchemas[config].schema);
}

/** The files of types, not formatted. */
export function typeFiles(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(optionTypes).map(([path, { imports = '', types }]) => {
      const texts = types.map(({ name, about, schema, own }) =>
        objectTypeText(name, about, schema instanceof z.ZodType ? jsonSchemaOf(schema) : schema, own),
      );
      return [
        path,
        `// Made by \`npm run docs\` from the schema beside it: do not edit.\n\n${imports}\n${texts.join('\n')}`,
      ];
    }),
  );
}
