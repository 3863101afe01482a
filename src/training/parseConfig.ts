import type { z } from 'zod';
import { resolveVocabularyOptions } from '../text/vocabularyOptions.js';
import {
  modelPresets,
  type TrainConfig,
  type TrainConfigInput,
  type TrainModelConfig,
  trainConfigSchema,
} from './config.js';
import { checkAll, type Report, readSchema, readYaml, runProblems } from './readConfig.js';
import type { RunIdentity } from './runCheckpoint.js';
import { scheduleIdentity } from './schedule.js';

type Parsed = z.output<typeof trainConfigSchema>;

/**
 * Reads a training configuration from YAML (or JSON, which is YAML).
 * Throws CONFIG_INVALID naming the line of a syntax error; otherwise as `parseTrainConfig`.
 */
export function parseTrainConfigText(text: string, name: string): TrainConfig {
  return parseTrainConfig(readYaml(text, name), name);
}

/**
 * Checks a training configuration as a whole and fills in defaults and presets.
 * Throws CONFIG_INVALID naming the path, the value and the remedy, and the nearest name where a key is unknown.
 * @param name how messages call the configuration: its file
 */
export function parseTrainConfig(value: TrainConfigInput, name?: string): TrainConfig;
export function parseTrainConfig(value: unknown, name?: string): TrainConfig;
export function parseTrainConfig(value: unknown, name = 'The configuration'): TrainConfig {
  return checkAll(name, (report) => checkTrainConfig(value, report));
}

function checkTrainConfig(value: unknown, report: Report): TrainConfig | undefined {
  const given = wrapSingleSources(value ?? {});
  const parsed = readSchema(trainConfigSchema, given, report);
  if (!parsed) return undefined;
  const config: TrainConfig = {
    ...parsed,
    model: resolveModel(parsed.model),
    vocabulary: resolveVocabulary(parsed, given, report),
    validation: {
      ...parsed.validation,
      lowercase: parsed.validation.lowercase ?? parsed.vocabulary.train?.lowercase ?? false,
    },
    schedule: {
      ...parsed.schedule,
      totalUpdates: parsed.schedule.totalUpdates ?? parsed.budget.maxUpdates,
    },
  };
  crossProblems(config).forEach(report);
  return config;
}

/** `train: {...}` means a list of one. */
export function wrapSingleSources(value: unknown): unknown {
  const config = value as { data?: Record<string, unknown> };
  if (typeof config?.data !== 'object' || config.data === null || Array.isArray(config.data)) {
    return value;
  }
  const data = { ...config.data };
  for (const key of ['train', 'validation']) {
    if (typeof data[key] === 'object' && data[key] !== null && !Array.isArray(data[key])) {
      data[key] = [data[key]];
    }
  }
  return { ...config, data };
}

/** Sizes of the preset, and over them what was given. */
export function resolveModel({ preset, ...model }: Parsed['model']): TrainModelConfig {
  const { layers, ...sizes } = modelPresets[preset];
  const given = Object.fromEntries(Object.entries(model).filter(([, value]) => value !== undefined));
  return {
    ...sizes,
    encoderLayers: layers[0],
    decoderLayers: layers[1],
    ...given,
  } as TrainModelConfig;
}

/** The tokenizer to use, or the options of the vocabulary to train. */
export function resolveVocabulary(
  config: Pick<Parsed, 'vocabulary' | 'init'>,
  given: unknown,
  report: Report,
): TrainConfig['vocabulary'] {
  const { tokenizer, train } = config.vocabulary;
  if (tokenizer !== undefined) {
    if (train !== undefined) {
      report(`vocabulary has both tokenizer (${tokenizer}) and train: leave one out`);
    }
    return { tokenizer };
  }
  // Embeddings belong to the vocabulary they were trained with.
  if (config.init !== undefined && train === undefined) return { tokenizer: config.init };
  // As written, without defaults: some defaults depend on others, and only what was written can be out of place.
  const written = (given as { vocabulary?: { train?: object } }).vocabulary?.train ?? {};
  const problem = optionsProblem('vocabulary.train', () => resolveVocabularyOptions(written));
  report(problem);
  return { train: problem === undefined ? written : {} };
}

/** What a function that checks options refuses, under the name of their section. */
export function optionsProblem(section: string, check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return `${section}: ${(error as Error).message.replace(/\.$/, '')}`;
  }
}

/** What no field can tell alone: each entry is a problem or undefined. */
function crossProblems(config: TrainConfig): (string | undefined)[] {
  const { model, batch, data } = config;
  return [
    ...data.train.map((source, at) => sourceProblem(source, `data.train[${at}]`)),
    ...(data.validation ?? []).map((source, at) => sourceProblem(source, `data.validation[${at}]`)),
    ...runProblems(config),
    model.dModel % model.attentionHeads
      ? `model.dModel (${model.dModel}) is not a multiple of model.attentionHeads (${model.attentionHeads}): ` +
        'choose sizes that divide'
      : undefined,
    data.maxLength > model.maxPositionEmbeddings
      ? `data.maxLength (${data.maxLength}) is more than model.maxPositionEmbeddings ` +
        `(${model.maxPositionEmbeddings}): lower the one or raise the other`
      : undefined,
    data.maxLength > batch.maxTokens
      ? `data.maxLength (${data.maxLength}) is more than batch.maxTokens (${batch.maxTokens}), so that one sentence ` +
        'could exceed a batch: lower the one or raise the other'
      : undefined,
  ];
}

/** What is wrong with one entry of parallel text, or undefined. */
export function sourceProblem(
  source: TrainConfig['data']['train'][number],
  path: string,
): string | undefined {
  const plain = source.source !== undefined || source.target !== undefined;
  if (source.tsv !== undefined) {
    return plain ? `${path} has both tsv (${source.tsv}) and plain files: leave one out` : undefined;
  }
  const missing = source.source === undefined ? 'source' : 'target';
  const complete = source.source !== undefined && source.target !== undefined;
  return complete ? undefined : `${path} has no ${missing}: give source and target, or tsv`;
}

/**
 * What must not change between the runs that make up one training: budget, validation, checkpoints, paths, device and
 * threads may (the last two change rounding, not the recipe).
 * @param dataFingerprint from `fingerprintPairs`: stands for data and vocabulary
 */
export function runIdentity(config: TrainConfig, dataFingerprint: string): RunIdentity {
  const trained =
    'train' in config.vocabulary ? resolveVocabularyOptions(config.vocabulary.train) : undefined;
  return {
    // A trained vocabulary lies in the run directory and is used again: its options must be those it was made with.
    ...(trained ? { vocabulary: { ...trained } } : {}),
    ...(config.init === undefined ? {} : { init: config.init }),
    data: { fingerprint: dataFingerprint, maxLength: config.data.maxLength },
    model: config.model,
    optimizer: config.optimizer,
    schedule: scheduleIdentity(config.schedule),
    batch: config.batch,
    seed: config.seed,
  };
}
