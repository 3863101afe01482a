import type { EncoderDecoder } from '../decoder/encoderDecoder.js';
import { transformer } from '../decoder/transformer.js';
import type { ParameterSpec } from '../engine/parameters.js';
import type { Device } from '../engine/program.js';
import { requireDevice } from '../engine/tryDevice.js';
import type { DecodingRules } from '../generation/options.js';
import { requireConfig } from '../inputs.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { type BatchingOptions, createBatches, fingerprintPairs, type TokenPair } from './batching.js';
import type { TrainConfig } from './config.js';
import { type ParallelText, readParallelText } from './data.js';
import { translationBound } from './heldOut.js';
import { initialWeights, warmStart } from './initialize.js';
import { marianModel, marianModelFiles } from './marianModel.js';
import { runIdentity } from './parseConfig.js';
import { createProgress, type ProgressOutput } from './progress.js';
import { aloneIn } from './runLock.js';
import {
  prepareTokenizer,
  type TranslationIds,
  tokenizerDirectory,
  tokenizerFiles,
  translationIds,
} from './runParts.js';
import { createSchedule } from './schedule.js';
import { collatePairs, sequenceToSequence } from './sequenceToSequence.js';
import { compileTrainStep, trainableParameters } from './step.js';
import type { TrainStep } from './trainStep.js';
import { type Validate, validateOn } from './validate.js';
import { type TrainResult, wholeRun } from './wholeRun.js';

export type { TrainResult };

export interface TrainOptions {
  /** Aborting saves a checkpoint and ends training; the same call resumes it. */
  signal?: AbortSignal;
  /** Where progress is shown; nowhere by default. */
  output?: ProgressOutput;
  /** Told what the data had that could not be used. */
  onWarning?: (message: string) => void;
}

/**
 * Trains a model as a configuration says: vocabulary, batches, compiled step, checkpoints, validation, and at the end a
 * model directory `<output>/model`. A run found in the output directory is resumed.
 * @throws what `trainLoop` throws; INPUT_INVALID and FILE_NOT_FOUND for data
 */
export async function train(config: TrainConfig, options: TrainOptions = {}): Promise<TrainResult> {
  requireConfig(config, options);
  await requireDevice(config.device);
  return aloneIn(config.output, () => trainAlone(config, options));
}

async function trainAlone(config: TrainConfig, options: TrainOptions): Promise<TrainResult> {
  const progress = options.output ? createProgress(options.output) : undefined;
  const note = (text: string) => progress?.note(text);
  const text = await readParallelText(config.data.train);
  warnOfText(text, 'training', options);
  const place = { output: config.output, modelMaxLength: config.model.maxPositionEmbeddings };
  const tokenizer = await prepareTokenizer(config.vocabulary, place, () => bothSides(text), note);
  const ids = translationIds(tokenizer);
  const architecture = marianModel(config.model, tokenizer.vocabSize);
  const model = transformer(architecture);
  const pairs = await encodePairs(tokenizer, text);
  const batching = batchingOptions(config);
  const batches = createBatches(pairs, batching, (padded) => collatePairs(padded, ids));
  note(describeData(batches.pairs, batches.droppedLong, tokenizer.vocabSize));

  const objective = sequenceToSequence(model, config.optimizer.labelSmoothing);
  const initial = await startingWeights(config, trainableParameters(objective), note);
  const device = config.device as Device;
  const step = await compileTrainStep(objective, initial, {
    device,
    threads: config.threads,
    optimizer: config.optimizer,
  });
  const total = [...initial.values()].reduce((sum, weight) => sum + weight.length, 0);
  note(`model: ${(total / 1e6).toFixed(1)} million parameters, ${batches.epoch(0).count} batches an epoch`);
  const languages = config.data.languages ? { polybeam: { languages: config.data.languages } } : {};
  return wholeRun({
    step,
    batches,
    schedule: createSchedule(config.schedule),
    warmupUpdates: config.schedule.warmupUpdates,
    config,
    run: { directory: config.output, identity: runIdentity(config, fingerprintPairs(pairs)) },
    modelFiles: {
      ...marianModelFiles(architecture, ids, languages),
      ...(await tokenizerFiles(tokenizerDirectory(config.vocabulary, config.output))),
    },
    validate: await validation(config, { model, tokenizer, ids, step }, options),
    signal: options.signal,
    onWarning: options.onWarning,
    progress,
  });
}

/** Random weights, or those of `config.init`. */
async function startingWeights(
  config: TrainConfig,
  specs: readonly ParameterSpec[],
  note: (text: string) => void,
): Promise<Map<string, Float32Array>> {
  if (config.init === undefined) return initialWeights(specs, config.seed);
  const { weights, fresh } = await warmStart(specs, config.seed, config.init);
  const random = fresh.length > 0 ? `; ${fresh.length} start at random, ${fresh[0]} the first` : '';
  note(`init: ${specs.length - fresh.length} of ${specs.length} weights from ${config.init}${random}`);
  return weights;
}

/** Tells what of a text could not be used. */
export function warnOfText(text: ParallelText, what: string, { onWarning }: TrainOptions): void {
  if (text.blank > 0) onWarning?.(`${text.blank} ${what} pairs have a blank side and are left out.`);
  if (text.invalidLines > 0) {
    onWarning?.(
      `${text.invalidLines} ${what} lines are not valid UTF-8; the bad bytes were replaced by U+FFFD.`,
    );
  }
}

function describeData(pairs: number, dropped: number, vocabSize: number): string {
  const left = dropped > 0 ? ` (${dropped} longer than data.maxLength left out)` : '';
  return `data: ${pairs} pairs${left}, vocabulary of ${vocabSize}`;
}

function* bothSides(text: ParallelText): Iterable<string> {
  yield* text.source;
  yield* text.target;
}

async function encodePairs(tokenizer: Tokenizer, text: ParallelText): Promise<TokenPair[]> {
  const source = await tokenizer.encodeBatch(text.source, { side: 'source' });
  const target = await tokenizer.encodeBatch(text.target, { side: 'target' });
  return source.map((encoded, index) => ({ source: encoded.ids, target: target[index].ids }));
}

function batchingOptions(config: TrainConfig): BatchingOptions {
  const { maxTokens, sortWindow, lengthMultiple } = config.batch;
  return { seed: config.seed, maxTokens, maxLength: config.data.maxLength, sortWindow, lengthMultiple };
}

interface ValidationParts {
  model: EncoderDecoder;
  tokenizer: Tokenizer;
  ids: TranslationIds;
  step: TrainStep;
}

/** What scores the present weights, or undefined where the configuration has no held-out text. */
async function validation(
  config: TrainConfig,
  { model, tokenizer, ids, step }: ValidationParts,
  options: TrainOptions,
): Promise<Validate | undefined> {
  if (!config.data.validation) return undefined;
  const { metric, numBeams, maxSentences } = config.validation;
  const lowercase = config.validation.lowercase ?? false;
  const all = await readParallelText(config.data.validation);
  warnOfText(all, 'validation', options);
  const text = {
    ...all,
    source: all.source.slice(0, maxSentences),
    target: all.target.slice(0, maxSentences),
  };
  const pairs = await encodePairs(tokenizer, text);
  const ordered = { ...batchingOptions(config), shuffle: false };
  const losses = createBatches(pairs, ordered, (padded) => collatePairs(padded, ids)).epoch(0);
  const rules: DecodingRules = {
    decoderStartTokenId: ids.decoderStartTokenId,
    eosTokenIds: [ids.eosTokenId],
    padTokenId: ids.padTokenId,
  };
  const limit = model.maxSource;
  const sources = pairs.map((pair) => Array.from(pair.source).slice(0, limit));
  const decoding = {
    decoder: model,
    tokenizer,
    rules,
    options: { numBeams, maxNewTokens: translationBound(model, sources) },
    compile: { device: config.device as Device, threads: config.threads },
  };
  return validateOn({ step, losses, metric, sources, references: text.target, lowercase, decoding });
}
