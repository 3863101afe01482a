import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { PolybeamError } from '../errors.js';
import { resolveVocabularyOptions } from '../text/vocabularyOptions.js';
import { modelPresets, type TrainConfig, type TrainModelConfig, trainConfigSchema } from './config.js';
import { describeIssue } from './configProblems.js';
import type { RunIdentity } from './runCheckpoint.js';

type Parsed = z.output<typeof trainConfigSchema>;

/**
 * Reads a training configuration from YAML (or JSON, which is YAML).
 * Throws CONFIG_INVALID naming the line of a syntax error; otherwise as `parseTrainConfig`.
 */
export function parseTrainConfigText(text: string, name: string): TrainConfig {
  const document = parseDocument(text);
  const problem = document.errors[0];
  if (problem) {
    const [line, column] = [problem.linePos?.[0].line, problem.linePos?.[0].col];
    throw new PolybeamError(
      'CONFIG_INVALID',
      `${name} is not YAML at line ${line}, column ${column}: ${problem.message.split('\n')[0].replace(/ at line.*$/, '')}.`,
      { cause: problem },
    );
  }
  return parseTrainConfig(document.toJS(), name);
}

/**
 * Checks a training configuration as a whole and fills in defaults and presets.
 * Throws CONFIG_INVALID naming the path, the value and the remedy, and the nearest name where a key is unknown.
 * @param name how messages call the configuration: its file
 */
export function parseTrainConfig(value: unknown, name = 'The configuration'): TrainConfig {
  const given = wrapSingleSources(value ?? {});
  const result = trainConfigSchema.safeParse(given);
  if (!result.success) {
    const [first, ...others] = result.error.issues;
    const more = others.length ? ` (and ${others.length} more)` : '';
    throw new PolybeamError(
      'CONFIG_INVALID',
      `${name}: ${describeIssue(first, trainConfigSchema, given)}${more}.`,
      { cause: result.error },
    );
  }
  const config: TrainConfig = {
    ...result.data,
    model: resolveModel(result.data.model),
    vocabulary: resolveVocabulary(result.data, given, name),
    validation: {
      ...result.data.validation,
      lowercase: result.data.validation.lowercase ?? result.data.vocabulary.train?.lowercase ?? false,
    },
    schedule: {
      ...result.data.schedule,
      totalUpdates: result.data.schedule.totalUpdates ?? result.data.budget.maxUpdates,
    },
  };
  const problem = crossProblems(config).find((text) => text !== undefined);
  if (problem) {
    throw new PolybeamError('CONFIG_INVALID', `${name}: ${problem}.`);
  }
  return config;
}

/** `train: {...}` means a list of one. */
function wrapSingleSources(value: unknown): unknown {
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

function resolveModel({ preset, ...model }: Parsed['model']): TrainModelConfig {
  const { layers, ...sizes } = modelPresets[preset];
  const given = Object.fromEntries(Object.entries(model).filter(([, value]) => value !== undefined));
  return {
    ...sizes,
    encoderLayers: layers[0],
    decoderLayers: layers[1],
    ...given,
  } as TrainModelConfig;
}

function resolveVocabulary(config: Parsed, given: unknown, name: string): TrainConfig['vocabulary'] {
  const { tokenizer, train } = config.vocabulary;
  if (tokenizer !== undefined && train !== undefined) {
    throw new PolybeamError(
      'CONFIG_INVALID',
      `${name}: vocabulary has both tokenizer (${tokenizer}) and train: leave one out.`,
    );
  }
  if (tokenizer !== undefined) {
    return { tokenizer };
  }
  // Embeddings belong to the vocabulary they were trained with.
  if (config.init !== undefined && train === undefined) return { tokenizer: config.init };
  // As written, without defaults: some defaults depend on others, and only what was written can be out of place.
  const written = (given as { vocabulary?: { train?: object } }).vocabulary?.train ?? {};
  try {
    resolveVocabularyOptions(written);
  } catch (error) {
    throw new PolybeamError('CONFIG_INVALID', `${name}: vocabulary.train: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return { train: written };
}

/** What no field can tell alone: each entry is a problem or undefined. */
function crossProblems(config: TrainConfig): (string | undefined)[] {
  const { model, batch, budget, checkpoints, data, earlyStopping, schedule } = config;
  const endless = Object.values(budget).every((limit) => limit === undefined) && !earlyStopping.patience;
  const decays = schedule.type === 'linear' || schedule.type === 'cosine';
  return [
    ...data.train.map((source, at) => sourceProblem(source, `data.train[${at}]`)),
    ...(data.validation ?? []).map((source, at) => sourceProblem(source, `data.validation[${at}]`)),
    endless
      ? 'training would never end: set budget.maxUpdates, budget.maxEpochs, budget.maxMinutes or ' +
        'earlyStopping.patience'
      : undefined,
    earlyStopping.patience && !data.validation
      ? `earlyStopping.patience is ${earlyStopping.patience} but there is nothing to validate on: give data.validation`
      : undefined,
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
    decays && schedule.totalUpdates === undefined
      ? `schedule.type ${schedule.type} must know its end: set schedule.totalUpdates or budget.maxUpdates`
      : undefined,
    decays && schedule.totalUpdates !== undefined && schedule.totalUpdates <= schedule.warmupUpdates
      ? `schedule.warmupUpdates (${schedule.warmupUpdates}) is not below the ${schedule.totalUpdates} updates of the ` +
        'schedule: lower it'
      : undefined,
    checkpoints.averageLast > checkpoints.keep
      ? `checkpoints.averageLast (${checkpoints.averageLast}) is more than checkpoints.keep (${checkpoints.keep}): ` +
        'keep as many as are averaged'
      : undefined,
  ];
}

function sourceProblem(source: TrainConfig['data']['train'][number], path: string): string | undefined {
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
  const { type, totalUpdates, ...rates } = config.schedule;
  const ends = type === 'linear' || type === 'cosine';
  const trained =
    'train' in config.vocabulary ? resolveVocabularyOptions(config.vocabulary.train) : undefined;
  return {
    // A trained vocabulary lies in the run directory and is used again: its options must be those it was made with.
    ...(trained ? { vocabulary: { ...trained } } : {}),
    ...(config.init === undefined ? {} : { init: config.init }),
    data: { fingerprint: dataFingerprint, maxLength: config.data.maxLength },
    model: config.model,
    optimizer: config.optimizer,
    // A longer budget changes nothing where the schedule has no end.
    schedule: { type, ...rates, ...(ends ? { totalUpdates } : {}) },
    batch: config.batch,
    seed: config.seed,
  };
}
