import type { TruncationRule } from '../text/truncation.js';
import { type FinetuneConfig, type FinetuneConfigInput, finetuneConfigSchema } from './finetuneConfig.js';
import { sourceProblem, wrapSingleSources } from './parseConfig.js';
import { checkAll, type Report, readSchema, readYaml, runProblems } from './readConfig.js';
import type { RunIdentity } from './runCheckpoint.js';
import { hasEnd, scheduleIdentity } from './schedule.js';

/** Reads a fine-tuning configuration from YAML. @throws CONFIG_INVALID */
export function parseFinetuneConfigText(text: string, name: string): FinetuneConfig {
  return parseFinetuneConfig(readYaml(text, name), name);
}

/**
 * Checks a fine-tuning configuration as a whole, as far as it can be checked without its model, and fills in defaults.
 * @param name how messages call the configuration: its file
 * @throws CONFIG_INVALID naming the path, the value and the remedy
 */
export function parseFinetuneConfig(value: FinetuneConfigInput, name?: string): FinetuneConfig;
export function parseFinetuneConfig(value: unknown, name?: string): FinetuneConfig;
export function parseFinetuneConfig(value: unknown, name = 'The configuration'): FinetuneConfig {
  return checkAll(name, (report) => checkFinetuneConfig(value, report));
}

function checkFinetuneConfig(value: unknown, report: Report): FinetuneConfig | undefined {
  const parsed = readSchema(finetuneConfigSchema, wrapSingleSources(value ?? {}), report);
  if (!parsed) return undefined;
  const { budget, schedule } = parsed;
  const totalUpdates = schedule.totalUpdates ?? budget.maxUpdates;
  const warmupUpdates = schedule.warmupUpdates ?? defaultWarmup(schedule.type, totalUpdates);
  const config = { ...parsed, schedule: { ...schedule, totalUpdates, warmupUpdates } };
  problems(config).forEach(report);
  return config;
}

/** A tenth of a schedule that has an end; undefined where the end is not yet known. */
export function defaultWarmup(
  type: FinetuneConfig['schedule']['type'],
  totalUpdates: number | undefined,
): number | undefined {
  if (!hasEnd(type)) return 0;
  return totalUpdates === undefined ? undefined : Math.floor(totalUpdates / 10);
}

function problems(config: FinetuneConfig): (string | undefined)[] {
  const { data, batch, budget, schedule, init, encoder, decoder, share, validation } = config;
  // Epochs give the schedule its end once the batches are known.
  const total = schedule.totalUpdates ?? (budget.maxEpochs === undefined ? undefined : Infinity);
  const known = { ...schedule, totalUpdates: total, warmupUpdates: schedule.warmupUpdates ?? 0 };
  const sides = [encoder && 'encoder', decoder && 'decoder'].filter((side) => side !== undefined);
  const longest = Math.max(data.maxSourceLength ?? 0, data.maxTargetLength ?? 0);
  return [
    init === undefined && sides.length === 0
      ? 'there is nothing to start from: give init, or encoder and decoder'
      : undefined,
    init !== undefined && sides.length > 0
      ? `init and ${sides[0]} are both given: leave one of them out`
      : undefined,
    init === undefined && sides.length === 1
      ? `${sides[0]} is given without ${sides[0] === 'encoder' ? 'decoder' : 'encoder'}: give both; a side that starts at random is { random: DIR }`
      : undefined,
    share && init !== undefined
      ? 'share is true but init is given, which shares what it shares: leave share out, or give encoder and decoder'
      : undefined,
    share && sides.length === 2 && JSON.stringify(encoder) !== JSON.stringify(decoder)
      ? `share makes one set of weights of encoder and decoder, but they are ${JSON.stringify(encoder)} and ${JSON.stringify(decoder)}: give the same for both`
      : undefined,
    ...data.train.map((source, at) => sourceProblem(source, `data.train[${at}]`)),
    ...(data.validation ?? []).map((source, at) => sourceProblem(source, `data.validation[${at}]`)),
    ...runProblems({ ...config, schedule: known }),
    longest > batch.maxTokens
      ? `a text may have ${longest} tokens, which is more than batch.maxTokens (${batch.maxTokens}): lower the one or raise the other`
      : undefined,
    typeof data.truncation === 'object' && data.truncation.headTail.head + data.truncation.headTail.tail === 0
      ? 'data.truncation.headTail keeps nothing of a text: raise head or tail'
      : undefined,
    validation.minNewTokens !== undefined &&
    validation.maxNewTokens !== undefined &&
    validation.minNewTokens > validation.maxNewTokens
      ? `validation.minNewTokens (${validation.minNewTokens}) is above validation.maxNewTokens (${validation.maxNewTokens}): lower it`
      : undefined,
  ];
}

/**
 * What must not change between the runs that make up one fine-tuning.
 * @param schedule as it was resolved
 * @param data stands for pairs, vocabulary, lengths and truncation: see `fingerprintPairs`
 */
export function finetuneIdentity(
  config: FinetuneConfig,
  schedule: { type: FinetuneConfig['schedule']['type']; totalUpdates?: number },
  data: { fingerprint: string; truncation?: TruncationRule },
): RunIdentity {
  const { init, encoder, decoder, share } = config;
  const start = init === undefined ? { encoder, decoder, share } : { init };
  return {
    ...start,
    data,
    optimizer: config.optimizer,
    schedule: scheduleIdentity(schedule),
    ...(config.targetMaskRate === undefined ? {} : { targetMaskRate: config.targetMaskRate }),
    layerDecay: config.layerDecay,
    ...(config.unfreezeEveryEpochs === undefined ? {} : { unfreezeEveryEpochs: config.unfreezeEveryEpochs }),
    freeze: config.freeze,
    batch: config.batch,
    seed: config.seed,
  };
}
