import { nearestName } from '../../generation/nearestName.js';
import { checkAll, type Report, readSchema, readYaml, runProblems } from '../../training/readConfig.js';
import type { RunIdentity } from '../../training/runCheckpoint.js';
import { scheduleIdentity } from '../../training/schedule.js';
import type { JointVocabularyOptions } from '../jointVocabulary.js';
import { codeProblem, languagesOfData, pairProblems, wrapLanguageData } from '../languageData.js';
import { chooseVocabulary } from '../vocabularyChoice.js';
import { type TranslationConfig, type TranslationConfigInput, translationConfigSchema } from './config.js';
import { allDirections, type Direction, directionName, parseDirection, roundTrips } from './languageCodes.js';
import { readWeightSchedule, silentFrom, type WeightSchedule } from './lossWeight.js';

/** How the weight of denoising falls in the paper's program. */
const paperDecay = '0:1,100000:0.1,300000:0';

type Parsed = ReturnType<typeof translationConfigSchema.parse>;

/** What of a file is looked at as it was written, without defaults. */
interface Written {
  vocabulary?: { train?: JointVocabularyOptions };
}

/**
 * Reads a configuration of unsupervised translation from YAML.
 * @throws CONFIG_INVALID
 */
export function parseTranslationConfigText(text: string, name: string): TranslationConfig {
  return parseTranslationConfig(readYaml(text, name), name);
}

/**
 * Checks a configuration of unsupervised translation as a whole and fills in defaults.
 * @param name how messages call the configuration: its file
 * @throws CONFIG_INVALID naming the path, the value and the remedy
 */
export function parseTranslationConfig(value: TranslationConfigInput, name?: string): TranslationConfig;
export function parseTranslationConfig(value: unknown, name?: string): TranslationConfig;
export function parseTranslationConfig(value: unknown, name = 'The configuration'): TranslationConfig {
  return checkAll(name, (report) => checkTranslationConfig(value, report));
}

/**
 * As `parseTranslationConfig`, for a section of a larger file.
 * @param report takes problems
 * @returns undefined where a problem leaves no configuration
 */
export function checkTranslationConfig(value: unknown, report: Report): TranslationConfig | undefined {
  const given = wrapLanguageData(value ?? {});
  const parsed = readSchema(translationConfigSchema, given, report);
  if (!parsed) return undefined;
  const languages = languagesOfData(parsed.data);
  const wrong = languageProblems(parsed, languages).filter((problem) => problem !== undefined);
  const directions = readDirections(parsed, (problem) => problem && wrong.push(problem));
  wrong.forEach(report);
  const config: TranslationConfig = {
    ...parsed,
    languages,
    vocabulary: chooseVocabulary(parsed, (given as Written).vocabulary?.train, languages, report),
    backTranslation: { ...parsed.backTranslation, directions },
    weights: {
      denoising: weightOf(parsed.data.train, parsed.denoising.weight ?? (directions[0] ? paperDecay : 1)),
      backTranslation: weightOf(directions[0], parsed.backTranslation.weight),
      mass: weightOf(parsed.data.train, parsed.mass.weight),
      translation: weightOf(parsed.data.pairs, parsed.translation.weight),
    },
    validation: {
      ...parsed.validation,
      metric:
        parsed.validation.metric ??
        (parsed.data.validationPairs ? 'bleu' : roundTrips(directions).length > 0 ? 'roundTrip' : 'loss'),
      lowercase: parsed.validation.lowercase ?? parsed.vocabulary.train?.lowercase ?? false,
    },
    schedule: { ...parsed.schedule, totalUpdates: parsed.schedule.totalUpdates ?? parsed.budget.maxUpdates },
  };
  problems(config).forEach(report);
  // Where languages or directions are wrong, what is learned is not known.
  if (wrong.length === 0) taskProblems(config).forEach(report);
  return config;
}

/** Nothing to learn from is nothing to be weighed. */
function weightOf(data: unknown, weight: number | string): WeightSchedule {
  return readWeightSchedule(data === undefined ? 0 : weight);
}

/** What is wrong with languages: each entry is a problem or undefined. */
function languageProblems({ data }: Parsed, languages: readonly string[]): (string | undefined)[] {
  const [one] = languages;
  return [
    one === undefined ? 'data holds nothing to learn from: give data.train, or data.pairs' : undefined,
    ...languages.map(codeProblem),
    ...pairProblems(data.pairs, 'data.pairs'),
    ...pairProblems(data.validationPairs, 'data.validationPairs'),
    ...Object.keys(data.validation ?? {}).map((code) =>
      unknownLanguage(code, `data.validation.${code}`, languages),
    ),
    ...(data.validationPairs ?? []).flatMap(({ from, to }, at) =>
      [from, to].map((code) => unknownLanguage(code, `data.validationPairs[${at}]`, languages)),
    ),
  ];
}

function unknownLanguage(code: string, name: string, languages: readonly string[]): string | undefined {
  if (languages.includes(code)) return undefined;
  const near = nearestName(code, languages);
  return (
    `${name} is in a language that is not learned; data has ${languages.join(', ')}${near ? ` (did you mean ${near}?)` : ''}: ` +
    'correct the code, or add text of it'
  );
}

/** Directions of back-translation as given, or all; without those that are reported. */
function readDirections({ data, backTranslation }: Parsed, report: Report): Direction[] {
  const texts = Object.keys(data.train ?? {});
  const { directions: given } = backTranslation;
  if (!given) {
    if (texts.length === 1 && !data.pairs) {
      report(
        `data.train has text in one language (${texts[0]}), so nothing can be translated back: give text in another, or set ` +
          'backTranslation.directions to [] to learn denoising alone',
      );
    }
    return allDirections(texts);
  }
  return given.flatMap((text, at) => {
    const path = `backTranslation.directions[${at}]`;
    const direction = parseDirection(text, languagesOfData(data));
    if (!direction) {
      report(
        `${path} is ${JSON.stringify(text)}, which is no pair of two of ${languagesOfData(data).join(', ')}: give such as en-fr`,
      );
      return [];
    }
    if (texts.includes(direction.to)) return direction;
    report(
      `${path} is ${text}, which is learned from texts of ${direction.to}, and data.train has text in ${texts.join(', ') || 'no language'}: ` +
        `give text of ${direction.to}, or leave the direction out`,
    );
    return [];
  });
}

/** What no field can tell alone: each entry is a problem or undefined. */
function problems(config: TranslationConfig): (string | undefined)[] {
  const { data, batch, init, model, backTranslation } = config;
  const { decoding } = backTranslation;
  const unread = (['temperature', 'topK', 'numBeams'] as const).filter(
    (key) => backTranslation[key] !== undefined && decoding !== (key === 'numBeams' ? 'beam' : 'sample'),
  );
  return [
    ...runProblems({ ...config, data: { validation: data.validation ?? data.validationPairs } }),
    ...unread.map(
      (key) =>
        `backTranslation.${key} (${backTranslation[key]}) has no meaning with decoding ${decoding}: leave one out`,
    ),
    init !== undefined && model.preset !== undefined
      ? `init (${init}) gives the sizes, so model.preset (${model.preset}) has no meaning: leave one out`
      : undefined,
    init !== undefined && config.embeddings
      ? `init (${init}) gives the embeddings, so embeddings has no meaning: leave one out`
      : undefined,
    data.maxLength > batch.maxTokens
      ? `data.maxLength (${data.maxLength}) is more than batch.maxTokens (${batch.maxTokens}): lower the one or raise the other`
      : undefined,
  ];
}

/** What the tasks have wrong, once their languages and directions are known. */
function taskProblems(config: TranslationConfig): (string | undefined)[] {
  const silent = silentFrom(Object.values(config.weights));
  return [
    silent === undefined
      ? undefined
      : `from round ${silent} on every task has weight 0, so nothing is learned: raise one of denoising.weight, ` +
        'backTranslation.weight, mass.weight and translation.weight, or give the directions and data that they need',
    ...tableProblems(config),
    metricProblem(config),
  ];
}

/** Tables that are missing, or are needed by nothing. */
function tableProblems({ backTranslation, languages, data }: TranslationConfig): (string | undefined)[] {
  const { tables, directions, decoding, constraints } = backTranslation;
  const path = 'backTranslation';
  if (!tables) {
    const unread = (['tableRounds', 'languageModels', 'constraints'] as const).filter(
      (key) => backTranslation[key] !== undefined,
    );
    return unread.map(
      (key) => `${path}.${key} goes with ${path}.tables, and there are none: give tables, or leave it out`,
    );
  }
  const needed = directions.map(({ from, to }) => directionName({ from: to, to: from }));
  const missing = needed.filter((name) => !(name in tables));
  const needless = Object.keys(tables).filter((name) => !needed.includes(name));
  const foreign = Object.keys(backTranslation.languageModels ?? {}).filter(
    (code) => !languages.includes(code),
  );
  return [
    ...missing.map(
      (name) =>
        `${path}.tables has no ${name}, by which texts of ${Object.keys(data.train ?? {}).join(', ')} would be translated: add it`,
    ),
    ...needless.map(
      (name) =>
        `${path}.tables has ${name}, which no direction needs; needed are ${needed.join(', ')}: leave it out`,
    ),
    ...foreign.map(
      (code) =>
        `${path}.languageModels has ${code}, which is not learned; data has ${languages.join(', ')}: leave it out`,
    ),
    constraints && decoding !== 'beam'
      ? `${path}.constraints needs ${path}.decoding beam, and it is ${decoding}: change it, or leave constraints out`
      : undefined,
  ];
}

/** A metric that cannot be computed of the held-out data there is. */
function metricProblem({
  data,
  backTranslation,
  validation: { metric },
}: TranslationConfig): string | undefined {
  const needs = (what: string, remedy: string) =>
    `validation.metric is ${metric} but there is ${what}: ${remedy}`;
  if (!data.validation && !data.validationPairs) return undefined;
  if (metric === 'bleu') {
    return data.validationPairs
      ? undefined
      : needs('no parallel text to compare with', 'give data.validationPairs, or take roundTrip');
  }
  if (!data.validation) return needs('no held-out text', 'give data.validation, or take bleu');
  if (metric === 'loss' || roundTrips(backTranslation.directions).length > 0) return undefined;
  return needs(
    'no direction whose reverse is learned too',
    'give both in backTranslation.directions, or take loss',
  );
}

/**
 * What must not change between the runs that make up one training.
 * @param fingerprint of data and vocabulary
 * @param model sizes as they came out
 */
export function translationIdentity(
  config: TranslationConfig,
  fingerprint: string,
  model: object,
): RunIdentity {
  const { init, embeddings, denoising, backTranslation, mass, translation } = config;
  return {
    ...('train' in config.vocabulary ? { vocabulary: { ...config.vocabulary.train } } : {}),
    ...(init === undefined ? {} : { init }),
    ...(embeddings === undefined ? {} : { embeddings }),
    data: {
      fingerprint,
      languages: config.languages,
      maxLength: config.data.maxLength,
      alpha: config.data.alpha,
    },
    tasks: { denoising, backTranslation, mass, translation },
    model,
    optimizer: config.optimizer,
    schedule: scheduleIdentity(config.schedule),
    batch: config.batch,
    seed: config.seed,
  };
}
