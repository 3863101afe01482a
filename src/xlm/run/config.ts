import { z } from 'zod';
import { path, runSchema } from '../../training/configPieces.js';
import { optionsProblem } from '../../training/parseConfig.js';
import { checkAll, type Report, readSchema, readYaml, within } from '../../training/readConfig.js';
import { jointVocabularySchema, resolveJointVocabularyOptions } from '../jointVocabulary.js';
import {
  codeProblem,
  isObject,
  type LanguageTexts,
  languagePairsSchema,
  languageTextsSchema,
  wrapLanguageData,
} from '../languageData.js';
import {
  type MappingOptions,
  mappingOptionsSchema,
  resolveMappingOptions,
} from '../mapping/mappingOptions.js';
import { type XlmPretrainConfig, xlmPretrainConfigSchema } from '../pretraining/config.js';
import { checkXlmPretrainConfig } from '../pretraining/parseConfig.js';
import { resolveTableOptions, type TableOptions, tableOptionsSchema } from '../table/tableOptions.js';
import { type TranslationConfig, translationConfigSchema } from '../translation/config.js';
import { checkTranslationConfig } from '../translation/parseConfig.js';
import { type NgramOptions, ngramOptionsSchema, resolveNgramOptions } from '../vectors/ngrams.js';
import {
  resolveVectorOptions,
  type VectorTrainingOptions,
  vectorOptionsSchema,
} from '../vectors/trainVectors.js';
import type { XlmRunConfigInput } from './config.types.js';
import { pairsOf, placesOf } from './places.js';

export type { XlmRunConfigInput };

/*
 * The file that `polybeam xlm run` reads: the options of every stage of the road from texts to a translation model. Stages get
 * their inputs from the stages before them.
 */

const dataSchema = z.strictObject({
  train: languageTextsSchema.describe(
    'Texts by language, one a line, not translations of each other. All stages learn from them.',
  ),
  more: languageTextsSchema
    .optional()
    .describe('Further texts by language, only for vocabulary, vectors and pre-training.'),
  validation: languageTextsSchema.optional().describe('Held-out texts by language.'),
  validationPairs: languagePairsSchema
    .optional()
    .describe('Held-out parallel text with the languages of its sides, for BLEU during training.'),
  lowercase: z
    .boolean()
    .default(false)
    .describe('Lower-case the texts in all stages; the model then writes lower case.'),
});

const pretrainSchema = xlmPretrainConfigSchema
  .omit({ output: true, vocabulary: true, init: true, seed: true, device: true, threads: true })
  .extend({
    data: xlmPretrainConfigSchema.shape.data
      .pick({ length: true, alpha: true })
      .prefault({})
      .describe('How rows are made of the texts.'),
  });

const trainSchema = translationConfigSchema
  .omit({ output: true, vocabulary: true, init: true, seed: true, device: true, threads: true })
  .extend({
    data: translationConfigSchema.shape.data
      .pick({ maxLength: true })
      .prefault({})
      .describe('Which texts are learned from.'),
  });

/** The configuration file of `polybeam xlm run` as written; `parseXlmRunConfig` gives it checked as a whole. */
export const xlmRunConfigSchema = z.strictObject({
  output: path.describe(
    'Output directory of all stages: vocabulary, vectors, mapped, tables, pretrained and translation. Stages that are finished there are skipped.',
  ),
  data: dataSchema.describe('Texts. Any number of languages; language codes are free, such as en.'),
  vocabulary: jointVocabularySchema
    .omit({ lowercase: true })
    .prefault({})
    .describe('The joint vocabulary: see `polybeam xlm vocabulary`.'),
  ngrams: ngramOptionsSchema
    .omit({ lowercase: true })
    .optional()
    .describe('Which words and n-grams get vectors: see `polybeam xlm ngrams`.'),
  vectors: vectorOptionsSchema
    .omit({ lowercase: true, seed: true })
    .optional()
    .describe('Their vectors: see `polybeam xlm vectors`.'),
  mapping: mappingOptionsSchema
    .omit({ seed: true, device: true, threads: true })
    .optional()
    .describe('Mapping the vectors of each pair of languages into one space: see `polybeam xlm map`.'),
  table: tableOptionsSchema
    .omit({ device: true, threads: true })
    .optional()
    .describe(
      'Translation tables of n-grams, in both directions of each pair of languages: see `polybeam xlm table build`. If one of ngrams, ' +
        'vectors, mapping and table is given, even empty ({}), tables are made; the objective cmlm of pretrain and train.backTranslation (tableRounds, constraints, languageModels) then ' +
        'use them.',
    ),
  pretrain: pretrainSchema
    .optional()
    .describe(
      'Pre-training of XLM: see `polybeam xlm pretrain`. Default: none; translation starts from random weights.',
    ),
  train: trainSchema
    .optional()
    .describe('Unsupervised translation: see `polybeam xlm train`. Default: only the stages before it.'),
  ...runSchema,
});

type Parsed = z.output<typeof xlmRunConfigSchema>;

/** A checked configuration, with those of the trainings that it leads to. */
export interface XlmRunConfig extends Omit<Parsed, 'pretrain' | 'train' | 'mapping'> {
  mapping?: Partial<Parsed['mapping']>;
  languages: string[];
  /** Whether vectors, mappings and tables are made. */
  makesTables: boolean;
  pretrain?: XlmPretrainConfig;
  train?: TranslationConfig;
}

/**
 * Reads a configuration of a whole run from YAML.
 * @throws CONFIG_INVALID
 */
export function parseXlmRunConfigText(text: string, name: string): XlmRunConfig {
  return parseXlmRunConfig(readYaml(text, name), name);
}

/**
 * Checks a configuration of a whole run, every stage of it, before anything is done.
 * @param name how messages call the configuration: its file
 * @throws CONFIG_INVALID naming the path, the value and the remedy
 */
export function parseXlmRunConfig(value: XlmRunConfigInput, name?: string): XlmRunConfig;
export function parseXlmRunConfig(value: unknown, name?: string): XlmRunConfig;
export function parseXlmRunConfig(value: unknown, name = 'The configuration'): XlmRunConfig {
  return checkAll(name, (report) => checkXlmRunConfig(value, report));
}

function checkXlmRunConfig(value: unknown, report: Report): XlmRunConfig | undefined {
  const given = wrapMore(wrapLanguageData(value ?? {}));
  const written = given as Written;
  const parsed = readSchema(xlmRunConfigSchema, withoutLists(given), report);
  if (!parsed) return undefined;
  const languages = Object.keys(parsed.data.train);
  const makesTables = [parsed.ngrams, parsed.vectors, parsed.mapping, parsed.table].some(Boolean);
  problems(parsed, languages, makesTables).forEach(report);
  stageProblems(written).forEach(report);
  // Languages that are wrong would be wrong in every section.
  if (languages.length < 2 || languages.some((language) => codeProblem(language))) return undefined;
  const readsTables = parsed.pretrain?.objectives.some(isCmlm) ?? false;
  const pretrain =
    parsed.pretrain &&
    pretrainConfig(parsed, written.pretrain!, makesTables || readsTables, within('pretrain', report));
  const train = parsed.train && trainConfig(parsed, written.train!, makesTables, within('train', report));
  report(roomProblem(pretrain, train));
  return { ...parsed, mapping: asMapped(parsed.mapping), languages, makesTables, pretrain, train };
}

/** Sections as they were written, without defaults: some defaults depend on others, and only what was written can be out of place. */
interface Written {
  ngrams?: NgramOptions;
  vectors?: VectorTrainingOptions;
  mapping?: MappingOptions;
  table?: TableOptions;
  pretrain?: object;
  train?: object;
}

/** What options of the stages before the trainings have wrong together. */
function stageProblems({ ngrams, vectors, mapping, table }: Written): (string | undefined)[] {
  return [
    ngrams && optionsProblem('ngrams', () => resolveNgramOptions(ngrams)),
    vectors && optionsProblem('vectors', () => resolveVectorOptions(vectors)),
    mapping && optionsProblem('mapping', () => resolveMappingOptions(mapping)),
    table && optionsProblem('table', () => resolveTableOptions(table)),
  ];
}

/** Without the default that means nothing to a rotation, and is refused beside one where it is given. */
function asMapped(mapping: Parsed['mapping']): XlmRunConfig['mapping'] {
  if (mapping?.finalMapping !== 'orthogonal') return mapping;
  const { reweight: _, ...options } = mapping;
  return options;
}

/** Texts of a language for the stages before translation. */
export function allTexts({ train, more = {} }: Parsed['data']): LanguageTexts {
  return Object.fromEntries(
    Object.entries(train).map(([language, own]) => [language, [...own, ...(more[language] ?? [])]]),
  );
}

/** `more` may be as short as `train`. */
function wrapMore(value: unknown): unknown {
  if (!isObject(value) || !isObject(value.data) || !isObject(value.data.more)) return value;
  const more = wrapLanguageData({ data: { train: value.data.more } }) as { data: { train: unknown } };
  return { ...value, data: { ...value.data, more: more.data.train } };
}

/** A section's own parser takes what the schema of lists does not: one objective for a list of one. */
function withoutLists(value: unknown): unknown {
  if (!isObject(value) || !isObject(value.pretrain) || !isObject(value.pretrain.objectives)) return value;
  return { ...value, pretrain: { ...value.pretrain, objectives: [value.pretrain.objectives] } };
}

const isCmlm = ({ type }: { type: string }) => type === 'cmlm';

function problems(
  { data, vocabulary, pretrain, train }: Parsed,
  languages: readonly string[],
  makesTables: boolean,
): (string | undefined)[] {
  const foreign = Object.keys(data.more ?? {}).filter((language) => !languages.includes(language));
  const reads = pretrain?.objectives.some(isCmlm);
  return [
    languages.length < 2
      ? `data.train has text in ${languages.length === 0 ? 'no language' : `one language (${languages[0]})`}: give text in two or more`
      : undefined,
    optionsProblem('vocabulary', () =>
      resolveJointVocabularyOptions(languages, { ...vocabulary, lowercase: data.lowercase }),
    ),
    ...foreign.map(
      (language) =>
        `data.more.${language} is a language that data.train lacks: add text of it there, or leave it out`,
    ),
    reads && !makesTables
      ? 'pretrain.objectives has cmlm, which reads tables, and none is made: give table: {}'
      : undefined,
    pretrain || train || makesTables
      ? undefined
      : 'there is no stage but the vocabulary: give pretrain, train or table',
  ];
}

/** A text stands between two end tokens. */
function roomProblem(pretrain?: XlmPretrainConfig, train?: TranslationConfig): string | undefined {
  const room = (pretrain?.model?.maxPositionEmbeddings ?? Number.POSITIVE_INFINITY) - 2;
  if (!train || train.data.maxLength <= room) return undefined;
  return (
    `train.data.maxLength is ${train.data.maxLength}, and the model of pretrain has room for ${room} tokens: lower it, or raise ` +
    'pretrain.model.maxPositionEmbeddings'
  );
}

function pretrainConfig(config: Parsed, written: object, makesTables: boolean, report: Report) {
  const { data, seed, device, threads } = config;
  const places = placesOf(config.output);
  const { objectives, data: rows } = config.pretrain!;
  const languages = Object.keys(data.train);
  return checkXlmPretrainConfig(
    {
      ...written,
      objectives: objectives.map((objective) =>
        makesTables && isCmlm(objective) ? { ...tablesOf(config, languages), ...objective } : objective,
      ),
      output: places.pretrained,
      vocabulary: { tokenizer: places.vocabulary },
      data: { ...rows, train: allTexts(data), validation: data.validation },
      seed,
      device,
      threads,
    },
    report,
  );
}

/** Every table, by what it translates. */
function tablesByDirection({ output, data }: Parsed): Record<string, string> {
  const places = placesOf(output);
  return Object.fromEntries(
    pairsOf(Object.keys(data.train))
      .flatMap(([one, other]) => [[one, other] as const, [other, one] as const])
      .map(([from, to]) => [`${from}-${to}`, places.table(from, to)]),
  );
}

/** What cmlm reads: the tables of all directions, and of two languages their vectors, which lie in one space. */
function tablesOf({ output }: Parsed, languages: readonly string[]) {
  const places = placesOf(output);
  const pairs = pairsOf(languages);
  const tables = pairs.flatMap(([one, other]) => [
    { from: one, to: other, path: places.table(one, other) },
    { from: other, to: one, path: places.table(other, one) },
  ]);
  if (pairs.length > 1) return { tables };
  const vectors = languages.map((language) => [language, places.mapped(pairs[0], language)]);
  return { tables, vectors: Object.fromEntries(vectors) };
}

function trainConfig(config: Parsed, written: object, makesTables: boolean, report: Report) {
  const { data, pretrain, seed, device, threads } = config;
  const places = placesOf(config.output);
  const { train, validation, validationPairs } = data;
  const own = written as { validation?: object; backTranslation?: object };
  const { backTranslation = {} } = own;
  const readsTables = ['tableRounds', 'languageModels', 'constraints'].some((key) => key in backTranslation);
  return checkTranslationConfig(
    {
      ...written,
      ...(makesTables &&
        readsTables && {
          backTranslation: { tables: tablesByDirection(config), ...backTranslation },
        }),
      output: places.translation,
      ...(pretrain
        ? { init: `${places.pretrained}/model` }
        : { vocabulary: { tokenizer: places.vocabulary } }),
      data: { ...config.train!.data, train, validation, validationPairs },
      validation: { lowercase: data.lowercase, ...own.validation },
      seed,
      device,
      threads,
    },
    report,
  );
}
