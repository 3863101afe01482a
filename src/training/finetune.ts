import { rougeScriptWarning } from '../../eval/index.js';
import { type ParameterSpec, type Parameters, withPresence } from '../engine/parameters.js';
import type { Device } from '../engine/program.js';
import { checkStored } from '../engine/traceFunction.js';
import { requireDevice } from '../engine/tryDevice.js';
import { PolybeamError } from '../errors.js';
import { generationConfigOf } from '../generation/generationConfig.js';
import { requireConfig } from '../inputs.js';
import {
  frozenPrefixes,
  isFrozen,
  layerFactor,
  type WeightLayout,
} from '../pretrained/architectures/weightLayout.js';
import { openBertPair } from '../pretrained/bertPair.js';
import { readGeneration } from '../pretrained/loadModel.js';
import { configFor, configText } from '../pretrained/saveModel.js';
import { openStart, type StartingModel } from '../pretrained/startingModel.js';
import { fitTokenizer } from '../pretrained/tokenizerFit.js';
import { loadTokenizer } from '../text/loadTokenizer.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { type BatchingOptions, type Collate, createBatches, fingerprintPairs } from './batching.js';
import { readParallelText } from './data.js';
import type { FineTuningTask } from './fineTuningTask.js';
import type { FinetuneConfig } from './finetuneConfig.js';
import { type PairReader, pairReader } from './finetunePairs.js';
import { warmStartFrom } from './initialize.js';
import type { Objective } from './objective.js';
import { defaultWarmup, finetuneIdentity } from './parseFinetuneConfig.js';
import { createProgress } from './progress.js';
import { aloneIn } from './runLock.js';
import { type ModelFiles, tokenizerFiles } from './runParts.js';
import { createSchedule } from './schedule.js';
import { compileTrainStep, trainableParameters } from './step.js';
import { type TrainOptions, warnOfText } from './train.js';
import type { TrainStep, TrainTensor } from './trainStep.js';
import { gradualUnfreezing, type Unfreezing } from './unfreezing.js';
import { type Validate, validateOn } from './validate.js';
import { type TrainResult, wholeRun } from './wholeRun.js';

/** What a fine-tuning works with. */
interface Tuning {
  config: FinetuneConfig;
  start: StartingModel;
  tokenizer: Tokenizer;
  reader: PairReader;
  task: FineTuningTask;
  options: TrainOptions;
  note: (text: string) => void;
}

/**
 * Fine-tunes a model on pairs as a configuration says: any model directory that writes from a source, or an encoder-decoder
 * put together from BERT directories. At the end `<output>/model` is a directory of the same kind. A run found in the output
 * directory is resumed.
 * @throws what `trainLoop` throws; MODEL_CANNOT_GENERATE; CONFIG_INVALID where the configuration does not fit the model;
 * WEIGHT_MISSING, WEIGHT_SHAPE; INPUT_INVALID and FILE_NOT_FOUND for data
 */
export async function finetune(config: FinetuneConfig, options: TrainOptions = {}): Promise<TrainResult> {
  requireConfig(config, options);
  await requireDevice(config.device);
  return aloneIn(config.output, () => finetuneAlone(config, options));
}

async function finetuneAlone(config: FinetuneConfig, options: TrainOptions): Promise<TrainResult> {
  const progress = options.output ? createProgress(options.output) : undefined;
  const tuning = await openTuning(config, options, (text) => progress?.note(text));
  const { task, reader, start, note } = tuning;
  const objective = withWeightsOf(task.objective, start);
  const specs = trainableParameters(objective);
  const { weights, fresh } = await startingWeights(tuning, specs);
  const factor = factorsOf(tuning, specs, fresh);
  const stages = stagesOf(tuning, objective, fresh);

  const text = await readParallelText(config.data.train);
  warnOfText(text, 'training', options);
  const all = await reader.encode(text);
  const pairs = all.filter(reader.fits);
  const batches = createBatches(pairs, batchingOptions(tuning), stages?.staged(task.collate) ?? task.collate);
  const long = all.length - pairs.length;
  note(`data: ${batches.pairs} pairs${long > 0 ? ` (${long} too long and left out)` : ''}`);

  const step = await compileTrainStep(stages?.tasks ?? objective, weights, {
    device: config.device as Device,
    threads: config.threads,
    optimizer: config.optimizer,
    weightFactors: (name, stage) => (stages?.trains(name, stage) === false ? 0 : factor(name)),
  });
  describeWeights(specs, factor, note);
  const schedule = resolveSchedule(config, batches.epoch(0).count);
  const data = { fingerprint: fingerprintPairs(pairs), truncation: reader.truncation };
  return wholeRun({
    step,
    batches,
    schedule: createSchedule(schedule),
    warmupUpdates: schedule.warmupUpdates,
    config,
    run: { directory: config.output, identity: finetuneIdentity(config, schedule, data) },
    modelFiles: await modelFiles(tuning),
    untrained: () => untrainedWeights(start, specs),
    validate: await validation(tuning, step, stages?.heldOut(task.collate) ?? task.collate),
    signal: options.signal,
    onWarning: options.onWarning,
    progress,
  });
}

async function openTuning(
  config: FinetuneConfig,
  options: TrainOptions,
  note: (text: string) => void,
): Promise<Tuning> {
  const { init, encoder, decoder, share } = config;
  const start =
    init === undefined
      ? await openBertPair({ encoder: encoder!, decoder: decoder!, share })
      : await openStart(init);
  const { definition } = start;
  if (!definition.fineTuning || !definition.decoder) {
    throw new PolybeamError(
      'MODEL_CANNOT_GENERATE',
      `${start.name} is a ${String(start.config.model_type)} model, which writes nothing from a source: give one with encoder and decoder, or put one together with encoder and decoder.`,
    );
  }
  if (config.targetMaskRate !== undefined && definition.prefix?.config.nextToken !== 'mask') {
    throw new PolybeamError(
      'CONFIG_INVALID',
      `targetMaskRate is ${config.targetMaskRate}, and ${start.name} does not learn by masking targets: leave it out.`,
    );
  }
  const tokenizer = await fitTokenizer(await loadTokenizer(start.tokenizerDirectory), definition, start.name);
  const { rules } = readGeneration(start.name, start, definition);
  const context = {
    tokenizer,
    labelSmoothing: config.optimizer.labelSmoothing,
    targetMaskRate: config.targetMaskRate,
    seed: config.seed,
  };
  const { maxTogether } = definition.fineTuning({ ...context, rules });
  const room = { source: definition.maxSource, target: definition.decoder.maxTarget, together: maxTogether };
  const reader = await pairReader(config.data, start, tokenizer, rules, room);
  // A target language may be what decoding starts from.
  const task = definition.fineTuning({ ...context, rules: reader.rules });
  return { config, start, tokenizer, reader, task, options, note };
}

/** The loss of a model whose optional weights are those that its checkpoint has. */
function withWeightsOf({ signature, loss }: Objective, { weights }: StartingModel): Objective {
  const has = (name: string) => weights.get(name) !== undefined;
  return {
    signature,
    loss: (p: Parameters, inputs, dropout) => loss(withPresence(p, has), inputs, dropout),
  };
}

async function startingWeights({ config, start, note }: Tuning, specs: readonly ParameterSpec[]) {
  if (!start.mayLack) for (const spec of specs) checkStored(start.weights, spec);
  const found = await warmStartFrom(specs, config.seed, start.weights, start.name);
  const random = found.fresh.length > 0 ? `; ${found.fresh.length} start at random` : '';
  note(`start: ${specs.length - found.fresh.length} of ${specs.length} weights from ${start.name}${random}`);
  return found;
}

/** The learning-rate factor of each weight. @throws CONFIG_INVALID for an entry of freeze that names none */
function factorsOf(
  { config: { freeze, layerDecay }, start }: Tuning,
  specs: readonly ParameterSpec[],
  fresh: readonly string[],
): (name: string) => number {
  const layout = layoutOf(start);
  for (const [at, part] of freeze.entries()) {
    const prefixes = frozenPrefixes(layout, part);
    if (specs.some(({ name }) => prefixes.some((prefix) => name.startsWith(prefix)))) continue;
    throw new PolybeamError(
      'CONFIG_INVALID',
      `freeze[${at}] is ${part}, but no weight of ${start.name} begins so: give embeddings, encoder, or the beginning of a name such as ${specs[0].name}.`,
    );
  }
  const isNew = new Set(fresh);
  return (name) => {
    if (isFrozen(layout, freeze, name)) return 0;
    return isNew.has(name) ? 1 : layerFactor(layout, layerDecay, name);
  };
}

/** What trains when, where layers join one after the other. */
function stagesOf(
  { config: { unfreezeEveryEpochs }, start }: Tuning,
  objective: Objective,
  fresh: readonly string[],
): Unfreezing | undefined {
  if (unfreezeEveryEpochs === undefined) return undefined;
  const isNew = new Set(fresh);
  return gradualUnfreezing(objective, layoutOf(start), unfreezeEveryEpochs, (name) => isNew.has(name));
}

function layoutOf({ definition }: StartingModel): WeightLayout {
  return definition.layout ?? { embeddings: [], stacks: [], encoder: [] };
}

function describeWeights(
  specs: readonly ParameterSpec[],
  factor: (name: string) => number,
  note: (text: string) => void,
): void {
  const count = (chosen: readonly ParameterSpec[]) =>
    chosen.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  const frozen = count(specs.filter(({ name }) => factor(name) === 0));
  const millions = (number: number) => (number / 1e6).toFixed(1);
  const left = frozen > 0 ? `, ${millions(frozen)} of them frozen` : '';
  note(`model: ${millions(count(specs))} million parameters${left}`);
}

function batchingOptions({ config, reader }: Tuning): BatchingOptions {
  const { maxTokens, sortWindow, lengthMultiple } = config.batch;
  const maxLength = Math.max(reader.maxSource, reader.maxTarget);
  return { seed: config.seed, maxTokens, maxLength, sortWindow, lengthMultiple };
}

/** The schedule with its end and its warm-up. */
function resolveSchedule({ schedule, budget, batch }: FinetuneConfig, batchesAnEpoch: number) {
  const perEpoch = Math.ceil(batchesAnEpoch / batch.accumulate);
  const totalUpdates =
    schedule.totalUpdates ?? (budget.maxEpochs === undefined ? undefined : budget.maxEpochs * perEpoch);
  const warmupUpdates = schedule.warmupUpdates ?? defaultWarmup(schedule.type, totalUpdates) ?? 0;
  return { ...schedule, totalUpdates, warmupUpdates };
}

/** What makes a checkpoint of the weights a model directory. */
async function modelFiles({ config, start, reader }: Tuning): Promise<ModelFiles> {
  const { truncation: _, ...own } = (start.config.polybeam ?? {}) as Record<string, unknown>;
  const polybeam = { ...own, ...(reader.truncation ? { truncation: reader.truncation } : {}) };
  const { polybeam: __, ...rest } = start.config;
  const model = configFor('float32', Object.keys(polybeam).length > 0 ? { ...rest, polybeam } : rest);
  const generation = { ...start.generationConfig, ...generationConfigOf(config.generation) };
  return {
    ...(await tokenizerFiles(start.tokenizerDirectory)),
    'config.json': configText(model),
    'generation_config.json': configText(generation),
  };
}

/** Weights that the loss does not use, such as poolers: they belong to the directory all the same. */
async function untrainedWeights(
  { weights, architecture, config }: StartingModel,
  specs: readonly ParameterSpec[],
): Promise<Map<string, TrainTensor>> {
  const trained = new Set(specs.map(({ name }) => name));
  const repeated = architecture.repeated?.(config) ?? {};
  const kept = new Map<string, TrainTensor>();
  for (const name of weights.names()) {
    const { format, shape, packed } = weights.get(name)!;
    // Buffers such as position_ids are no weights.
    const isFloat = packed !== undefined || ['F32', 'F16', 'BF16', 'F64', 'I8'].includes(format);
    const isOther = trained.has(name) || name in repeated || architecture.computed?.includes(name);
    if (isFloat && !isOther) kept.set(name, { shape: [...shape], data: await weights.read(name) });
  }
  return kept;
}

/** What scores the present weights, or undefined where the configuration has no held-out text. */
async function validation(tuning: Tuning, step: TrainStep, collate: Collate): Promise<Validate | undefined> {
  const { config, start, tokenizer, reader, options } = tuning;
  if (!config.data.validation) return undefined;
  const { metric, lowercase, maxSentences, everyUpdates: _, ...own } = config.validation;
  const text = await readParallelText(config.data.validation);
  warnOfText(text, 'validation', options);
  const warning = metric.startsWith('rouge') ? rougeScriptWarning(text.target) : undefined;
  if (warning) options.onWarning?.(`validation.metric is ${metric}: ${warning}`);
  const [source, target] = [text.source.slice(0, maxSentences), text.target.slice(0, maxSentences)];
  const pairs = await reader.encode({ ...text, source, target });
  // A long target is no reason not to write one; the loss is over those that fit.
  const readable = pairs.flatMap((pair, at) => (pair.source.length <= reader.maxSource ? [at] : []));
  const losses = createBatches(
    pairs.filter(reader.fits),
    { ...batchingOptions(tuning), shuffle: false },
    collate,
  );
  return validateOn({
    step,
    losses: losses.epoch(0),
    metric,
    sources: readable.map((at) => Array.from(pairs[at].source)),
    references: readable.map((at) => target[at]),
    lowercase,
    decoding: {
      decoder: start.definition.decoder!,
      tokenizer,
      rules: reader.rules,
      options: { maxNewTokens: reader.maxTarget, ...config.generation, ...own },
      compile: { device: config.device as Device, threads: config.threads },
    },
  });
}
