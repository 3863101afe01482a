import type { z } from 'zod';
import { nearestName } from '../generation/nearestName.js';
import { resolveVocabularyOptions } from '../text/vocabularyOptions.js';
import { resolveModel, resolveVocabulary, sourceProblem } from '../training/parseConfig.js';
import { checkAll, type Report, readSchema, readYaml, runProblems, within } from '../training/readConfig.js';
import type { RunIdentity } from '../training/runCheckpoint.js';
import { scheduleIdentity } from '../training/schedule.js';
import { type PretrainConfig, type PretrainConfigInput, pretrainConfigSchema } from './config.js';
import { type ObjectiveName, objectiveKinds } from './objectives.js';

/**
 * Reads a pre-training configuration from YAML.
 * @throws CONFIG_INVALID
 */
export function parsePretrainConfigText(text: string, name: string): PretrainConfig {
  return parsePretrainConfig(readYaml(text, name), name);
}

/**
 * Checks a pre-training configuration as a whole and fills in defaults and presets.
 * @param name how messages call the configuration: its file
 * @throws CONFIG_INVALID naming the path, the value and the remedy
 */
export function parsePretrainConfig(value: PretrainConfigInput, name?: string): PretrainConfig;
export function parsePretrainConfig(value: unknown, name?: string): PretrainConfig;
export function parsePretrainConfig(value: unknown, name = 'The configuration'): PretrainConfig {
  return checkAll(name, (report) => checkPretrainConfig(value, report));
}

function checkPretrainConfig(value: unknown, report: Report): PretrainConfig | undefined {
  const given = wrapLists(value ?? {});
  const parsed = readSchema(pretrainConfigSchema, given, report);
  if (!parsed) return undefined;
  const written = given as { model?: unknown; vocabulary?: { train?: { specialTokens?: unknown } } };
  const config: PretrainConfig = {
    ...parsed,
    objectives: readObjectives<ObjectiveName>(objectiveKinds, parsed.objectives, report),
    model:
      parsed.init === undefined
        ? { ...resolveModel({ ...parsed.model, type: 'marian' }), type: parsed.model.type }
        : undefined,
    vocabulary: withMask(resolveVocabulary(parsed, given, report)),
    optimizer: {
      ...parsed.optimizer,
      labelSmoothing: labelSmoothing(given) ?? 0,
    },
    schedule: {
      ...parsed.schedule,
      totalUpdates: parsed.schedule.totalUpdates ?? parsed.budget.maxUpdates,
    },
  };
  problems(config, written).forEach(report);
  // One of an unknown type may be what reads the data.
  if (config.objectives.length === parsed.objectives.length) objectiveProblems(config).forEach(report);
  return config;
}

/** Smoothing is a choice of fine-tuning: pre-training has none unless it is asked for. */
function labelSmoothing(given: unknown): number | undefined {
  return (given as { optimizer?: { labelSmoothing?: number } }).optimizer?.labelSmoothing;
}

/** `train: {...}` means a list of one, as `objectives: {...}` does. */
function wrapLists(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const config: Record<string, unknown> = { ...value };
  const wrap = (of: Record<string, unknown>, key: string) => {
    if (typeof of[key] === 'object' && of[key] !== null && !Array.isArray(of[key])) of[key] = [of[key]];
  };
  wrap(config, 'objectives');
  if (typeof config.data === 'object' && config.data !== null && !Array.isArray(config.data)) {
    const data: Record<string, unknown> = { ...config.data };
    for (const key of ['train', 'pairs', 'validation', 'validationPairs']) wrap(data, key);
    config.data = data;
  }
  return config;
}

/** What reading an objective's entry needs to know of objectives. */
export type KnownObjectives<Name extends string> = Readonly<
  Record<Name, { schema: z.ZodObject; exclusive?: readonly [string, string] }>
>;

/** An entry of `objectives` with its options checked. */
interface ObjectiveEntry<Name> {
  type: Name;
  weight: number;
  options: object;
}

/**
 * Checks each entry of `objectives` by the schema of its type.
 * @param report takes problems, with the nearest name where a type is unknown
 * @returns the entries whose type is known
 */
export function readObjectives<Name extends string>(
  kinds: KnownObjectives<Name>,
  entries: readonly { type: string; weight: number }[],
  report: Report,
): ObjectiveEntry<Name>[] {
  return entries.flatMap((entry, at) => readObjective(kinds, entry, `objectives[${at}]`, report) ?? []);
}

function readObjective<Name extends string>(
  kinds: KnownObjectives<Name>,
  { type, weight, ...options }: { type: string; weight: number },
  path: string,
  report: Report,
): ObjectiveEntry<Name> | undefined {
  const names = Object.keys(kinds);
  if (!names.includes(type)) {
    const near = nearestName(type, names);
    within(
      path,
      report,
    )(
      `there is no objective ${JSON.stringify(type)}: use one of ${names.join(', ')}${near ? ` (did you mean ${near}?)` : ''}`,
    );
    return undefined;
  }
  const known = type as Name;
  const reportOwn = within(`${path} (${type})`, report);
  const [one, other] = kinds[known].exclusive ?? [];
  if (one !== undefined && other !== undefined && one in options && other in options) {
    reportOwn(`${one} and ${other} say the same thing in two ways: leave one out`);
  }
  return { type: known, weight, options: readSchema(kinds[known].schema, options, reportOwn) ?? {} };
}

/** A vocabulary that is trained for pre-training has a mask token. */
function withMask(vocabulary: PretrainConfig['vocabulary']): PretrainConfig['vocabulary'] {
  if ('tokenizer' in vocabulary || vocabulary.train.specialTokens !== undefined) return vocabulary;
  const { specialTokens, type } = resolveVocabularyOptions(vocabulary.train);
  if (type === 'wordpiece') return vocabulary;
  return { train: { ...vocabulary.train, specialTokens: [...specialTokens, '<mask>'] } };
}

/** What objectives have wrong together with the data and the model. */
function objectiveProblems({ data, model, objectives }: PretrainConfig): (string | undefined)[] {
  const isStack = model && isStackType(model.type);
  const other = objectives.find(({ type }) => objectiveKinds[type].trainsStack !== isStack);
  const paired = objectives.find(({ type }) => objectiveKinds[type].reads === 'pairs')?.type;
  const plain = objectives.find(({ type }) => objectiveKinds[type].reads === 'text')?.type;
  return [
    plain && !data.train ? `the objective ${plain} learns from running text: give data.train` : undefined,
    paired && !data.pairs ? `the objective ${paired} learns from pairs of texts: give data.pairs` : undefined,
    ...unreadData(data, { text: !!plain, pairs: !!paired, named: 'pairs of texts' }),
    model && other
      ? `objective ${other.type} trains ${isStack ? 'an encoder with a decoder' : 'one stack of layers'}, and model.type is ${model.type}: ` +
        `set model.type to ${objectiveKinds[other.type].modelType}, or choose another objective`
      : undefined,
  ];
}

function isStackType(type: string): boolean {
  return type !== 'marian';
}

function problems(config: PretrainConfig, written: { model?: unknown }): (string | undefined)[] {
  const { batch, data, init, model } = config;
  const given = (written.model ?? {}) as Record<string, unknown>;
  const foreign = ['decoderLayers', 'activationDropout', 'tieWordEmbeddings'].filter((key) => key in given);
  return [
    ...(data.pairs ?? []).map((source, at) => sourceProblem(source, `data.pairs[${at}]`)),
    ...(data.validationPairs ?? []).map((source, at) => sourceProblem(source, `data.validationPairs[${at}]`)),
    ...runProblems({ ...config, data: { validation: data.validation ?? data.validationPairs } }),
    init !== undefined && written.model !== undefined
      ? `init (${init}) gives the architecture, so model has no meaning: leave one out`
      : undefined,
    ...foreign.map((key) =>
      model && isStackType(model.type)
        ? `model.${key} has no meaning for model.type ${model.type}, which is one stack of layers: leave it out`
        : undefined,
    ),
    model && model.dModel % model.attentionHeads
      ? `model.dModel (${model.dModel}) is not a multiple of model.attentionHeads (${model.attentionHeads}): choose sizes that divide`
      : undefined,
    data.minLength > data.maxLength
      ? `data.minLength (${data.minLength}) is more than data.maxLength (${data.maxLength}): lower it`
      : undefined,
    data.maxLength > batch.maxTokens
      ? `data.maxLength (${data.maxLength}) is more than batch.maxTokens (${batch.maxTokens}): lower the one or raise the other`
      : undefined,
  ];
}

/**
 * Data that no objective reads.
 * @param text whether one reads running text
 * @param pairs whether one reads pairs
 * @param named what pairs are called
 */
export function unreadData(
  data: Partial<Record<'train' | 'validation' | 'pairs' | 'validationPairs', unknown>>,
  { text, pairs, named }: { text: boolean; pairs: boolean; named: string },
): (string | undefined)[] {
  const needless = (key: keyof typeof data, what: string) =>
    data[key]
      ? `data.${key} is given but no objective learns from ${what}: leave it out, or add one that does`
      : undefined;
  return [
    ...(text ? [] : [needless('train', 'running text'), needless('validation', 'running text')]),
    ...(pairs ? [] : [needless('pairs', named), needless('validationPairs', named)]),
  ];
}

/**
 * What must not change between the runs that make up one pre-training.
 * @param fingerprint of data and vocabulary
 */
export function pretrainIdentity(config: PretrainConfig, fingerprint: string): RunIdentity {
  const trained =
    'train' in config.vocabulary ? resolveVocabularyOptions(config.vocabulary.train) : undefined;
  return {
    ...(trained ? { vocabulary: { ...trained } } : {}),
    ...(config.init === undefined ? {} : { init: config.init }),
    objectives: config.objectives,
    data: { fingerprint, packing: config.data.packing, maxLength: config.data.maxLength },
    ...(config.model ? { model: config.model } : {}),
    optimizer: config.optimizer,
    schedule: scheduleIdentity(config.schedule),
    batch: config.batch,
    seed: config.seed,
  };
}
