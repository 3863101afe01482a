import { xlmPresets } from '../../encoder/xlm.js';
import { readObjectives, unreadData } from '../../pretraining/parseConfig.js';
import { checkAll, type Report, readSchema, readYaml, runProblems } from '../../training/readConfig.js';
import type { RunIdentity } from '../../training/runCheckpoint.js';
import { scheduleIdentity } from '../../training/schedule.js';
import type { JointVocabularyOptions } from '../jointVocabulary.js';
import { codeProblem, isObject, languagesOfData, pairProblems, wrapLanguageData } from '../languageData.js';
import { chooseVocabulary } from '../vocabularyChoice.js';
import {
  type XlmModelConfig,
  type XlmPretrainConfig,
  type XlmPretrainConfigInput,
  xlmPretrainConfigSchema,
} from './config.js';
import { type XlmObjectiveName, xlmObjectiveKinds } from './objectives.js';

/**
 * Reads a configuration of XLM pre-training from YAML.
 * @throws CONFIG_INVALID
 */
export function parseXlmPretrainConfigText(text: string, name: string): XlmPretrainConfig {
  return parseXlmPretrainConfig(readYaml(text, name), name);
}

/**
 * Checks a configuration of XLM pre-training as a whole and fills in defaults and presets.
 * @param name how messages call the configuration: its file
 * @throws CONFIG_INVALID naming the path, the value and the remedy
 */
export function parseXlmPretrainConfig(value: XlmPretrainConfigInput, name?: string): XlmPretrainConfig;
export function parseXlmPretrainConfig(value: unknown, name?: string): XlmPretrainConfig;
export function parseXlmPretrainConfig(value: unknown, name = 'The configuration'): XlmPretrainConfig {
  return checkAll(name, (report) => checkXlmPretrainConfig(value, report));
}

/**
 * As `parseXlmPretrainConfig`, for a section of a larger file.
 * @param report takes problems
 * @returns undefined where a problem leaves no configuration
 */
export function checkXlmPretrainConfig(value: unknown, report: Report): XlmPretrainConfig | undefined {
  const given = wrapLists(value ?? {});
  const parsed = readSchema(xlmPretrainConfigSchema, given, report);
  if (!parsed) return undefined;
  const written = given as Written;
  const config: XlmPretrainConfig = {
    ...parsed,
    objectives: readObjectives<XlmObjectiveName>(xlmObjectiveKinds, parsed.objectives, report),
    model: parsed.init === undefined ? resolveModel(parsed.model) : undefined,
    vocabulary: chooseVocabulary(parsed, written.vocabulary?.train, languagesOf(parsed), report),
    schedule: { ...parsed.schedule, totalUpdates: parsed.schedule.totalUpdates ?? parsed.budget.maxUpdates },
  };
  problems(config, written).forEach(report);
  // One of an unknown type may be what reads the data.
  if (config.objectives.length === parsed.objectives.length) objectiveProblems(config).forEach(report);
  return config;
}

/** What of a file is looked at as it was written, without defaults. */
interface Written {
  model?: unknown;
  vocabulary?: { train?: JointVocabularyOptions };
}

/** `objectives: {...}` means a list of one. */
function wrapLists(value: unknown): unknown {
  const config = wrapLanguageData(value);
  if (!isObject(config) || !isObject(config.objectives)) return config;
  return { ...config, objectives: [config.objectives] };
}

function resolveModel({
  preset,
  ...model
}: ReturnType<typeof xlmPretrainConfigSchema.parse>['model']): XlmModelConfig {
  const { embedInitStd, ...given } = Object.fromEntries(
    Object.entries(model).filter(([, value]) => value !== undefined),
  ) as typeof model;
  const sizes = { ...xlmPresets[preset], ...given } as Omit<XlmModelConfig, 'embedInitStd'>;
  return { ...sizes, embedInitStd: embedInitStd ?? sizes.embDim ** -0.5 };
}

/** Codes of all languages of the training data, in the order in which they are first named. */
export function languagesOf({ data }: Pick<XlmPretrainConfig, 'data'>): string[] {
  return languagesOfData(data);
}

/** What objectives have wrong together with the data. */
function objectiveProblems({ data, objectives }: XlmPretrainConfig): (string | undefined)[] {
  const readers = (reads: 'streams' | 'pairs') =>
    objectives.find(({ type }) => xlmObjectiveKinds[type].reads === reads)?.type;
  const [streams, pairs] = [readers('streams'), readers('pairs')];
  return [
    streams && !data.train ? `the objective ${streams} learns from running text: give data.train` : undefined,
    pairs && !data.pairs ? `the objective ${pairs} learns from parallel text: give data.pairs` : undefined,
    ...unreadData(data, { text: !!streams, pairs: !!pairs, named: 'parallel text' }),
  ];
}

function problems(config: XlmPretrainConfig, written: Written): (string | undefined)[] {
  const { batch, data, init, model } = config;
  return [
    ...languagesOf(config).map(codeProblem),
    ...pairProblems(data.pairs, 'data.pairs'),
    ...pairProblems(data.validationPairs, 'data.validationPairs'),
    ...runProblems({ ...config, data: { validation: data.validation ?? data.validationPairs } }),
    ...unknownLanguages(config),
    init !== undefined && written.model !== undefined
      ? `init (${init}) gives the architecture, so model has no meaning: leave one out`
      : undefined,
    model && model.embDim % model.nHeads
      ? `model.embDim (${model.embDim}) is not a multiple of model.nHeads (${model.nHeads}): choose sizes that divide`
      : undefined,
    ...(model ? lengthProblems(config, model.maxPositionEmbeddings) : []),
    data.length > batch.maxTokens
      ? `data.length (${data.length}) is more than batch.maxTokens (${batch.maxTokens}): lower the one or raise the other`
      : undefined,
  ];
}

/** Rows that are longer than a model's positions, as half a sentence. */
export function lengthProblems(
  { data }: Pick<XlmPretrainConfig, 'data'>,
  maxPositionEmbeddings: number,
): (string | undefined)[] {
  // A sentence of a pair stands between end tokens.
  const rooms = { length: maxPositionEmbeddings, maxLength: maxPositionEmbeddings - 2 };
  const read = { length: data.train, maxLength: data.pairs };
  return (['length', 'maxLength'] as const).map((key) =>
    read[key] && data[key] > rooms[key]
      ? `data.${key} is ${data[key]}, and the model has room for ${rooms[key]} tokens: lower it, or raise model.maxPositionEmbeddings`
      : undefined,
  );
}

/** Languages that are validated on but not learned. */
function unknownLanguages(config: XlmPretrainConfig): (string | undefined)[] {
  const { data } = config;
  const known = languagesOf(config);
  const named = [
    ...Object.keys(data.validation ?? {}).map((code) => [`data.validation.${code}`, code]),
    ...(data.validationPairs ?? []).flatMap(({ from, to }, at) =>
      [from, to].map((code) => [`data.validationPairs[${at}]`, code]),
    ),
  ];
  return named.map(([name, code]) =>
    known.includes(code)
      ? undefined
      : `${name} is in a language that is not learned; data has ${known.join(', ')}: correct the code, or add text of ${code}`,
  );
}

/**
 * What must not change between the runs that make up one pre-training.
 * @param fingerprint of data and vocabulary
 */
export function xlmPretrainIdentity(config: XlmPretrainConfig, fingerprint: string): RunIdentity {
  const { length, maxLength, alpha } = config.data;
  return {
    ...('train' in config.vocabulary ? { vocabulary: { ...config.vocabulary.train } } : {}),
    ...(config.init === undefined ? {} : { init: config.init }),
    objectives: config.objectives,
    data: { fingerprint, languages: languagesOf(config), length, maxLength, alpha },
    ...(config.model ? { model: config.model } : {}),
    optimizer: config.optimizer,
    schedule: scheduleIdentity(config.schedule),
    batch: config.batch,
    seed: config.seed,
  };
}
