import { PolybeamError } from '../errors.js';
import type { Batches, EpochBatches } from './batching.js';
import type { TrainConfig } from './config.js';
import { addSums } from './evaluateLoss.js';
import type { Progress } from './progress.js';
import {
  loadCheckpoint,
  openRun,
  type Run,
  type RunPointer,
  type RunState,
  saveCheckpoint,
} from './runCheckpoint.js';
import type { RunLog } from './runLog.js';
import type { Schedule } from './schedule.js';
import type { LossSums, StepReport, TrainBatch, TrainStep } from './trainStep.js';
import { addBatch, addUpdate, newWindow, type Window, windowRow } from './updateWindow.js';

/** What a validation found. */
export interface Validation {
  /** What decides which checkpoint is best: a metric of texts where more is better, or a loss where less is. */
  score: number;
  /** Everything measured, for the log. */
  values: Record<string, number>;
}

/** The parts of the configuration that the loop reads. */
export type LoopConfig = Pick<TrainConfig, 'seed' | 'budget' | 'earlyStopping' | 'checkpoints'> & {
  batch: Pick<TrainConfig['batch'], 'accumulate'>;
  /** Of the metric `loss` less is better, of any other more. */
  validation: { everyUpdates: number; metric: string };
  log: TrainConfig['log'];
};

/** Everything the loop works with. */
export interface TrainLoopOptions {
  step: TrainStep;
  /** Making a batch may wait for what the step's present weights generate. */
  batches: Batches<TrainBatch | Promise<TrainBatch>>;
  schedule: Schedule;
  config: LoopConfig;
  /** Where checkpoints go, and what they must agree with to be resumed from. */
  run: Run;
  /** Files that make each checkpoint a model directory, by name. */
  modelFiles?: Record<string, string | Uint8Array>;
  /**
   * Scores the step's present weights; without it there is no validation. It may return undefined when `signal` is
   * aborted: the resumed run then validates again.
   */
  validate?: (signal: AbortSignal | undefined) => Promise<Validation | undefined>;
  /** Aborting saves a checkpoint after the update under way and ends the loop. */
  signal?: AbortSignal;
  log?: RunLog;
  progress?: Progress;
  /** Milliseconds from any origin, for tests. */
  now?: () => number;
}

/** Why training ended. */
export type StopReason = 'maxUpdates' | 'maxEpochs' | 'maxMinutes' | 'earlyStopping' | 'interrupted';

/** How training ended. */
export interface TrainLoopResult {
  reason: StopReason;
  state: RunState;
  /** The last checkpoint's pointer; `averageCheckpoints` and `checkpointPath` take it. */
  pointer: RunPointer;
  /** Update that an earlier run had reached and this one went on from; 0 for a new run. */
  resumedFrom: number;
}

/**
 * Trains until the budget is used up, validation stops improving, or `signal` is aborted. Where the run directory has a
 * checkpoint, goes on from it: killed at any moment and resumed, a run gives the weights, bit for bit, of one that was
 * not interrupted (a budget in minutes apart, which ends where the clock says).
 * Throws TRAINING_DIVERGED where the loss, the gradient or a weight is not finite, CHECKPOINT_MISMATCH where the
 * directory holds another run, and FILE_WRITE where a checkpoint cannot be saved; the last good checkpoint stays.
 */
export async function trainLoop(options: TrainLoopOptions): Promise<TrainLoopResult> {
  const { config, progress, signal } = options;
  const loop = await openLoop(options);
  const { state } = loop;
  const resumedFrom = state.update;
  const yieldNow = yielder(loop.now);
  try {
    for (;;) {
      const improved = await validateIfDue(loop);
      await saveIfDue(loop, improved);
      const reason = stopReason(state, config, seconds(loop));
      if (reason || signal?.aborted) {
        // An exhausted budget wins: what is finished is not to be resumed.
        return { reason: reason ?? 'interrupted', state, pointer: await save(loop), resumedFrom };
      }
      await runUpdate(loop);
      await yieldNow();
    }
  } finally {
    progress?.finish();
  }
}

/** The loop's own variables. */
interface Loop extends TrainLoopOptions {
  now: () => number;
  state: RunState;
  pointer?: RunPointer;
  /** Clock and training seconds when this process took the run up. */
  startedAt: number;
  secondsBefore: number;
  /** Share of the budget that was used by then. */
  fractionBefore: number;
  /** Clock at the last checkpoint. */
  savedAt: number;
  /** What the next log row will average. */
  window: Window;
  epochBatches(): EpochBatches<TrainBatch | Promise<TrainBatch>>;
}

/** Starts a run, or takes it up where the directory's checkpoint is. */
async function openLoop(options: TrainLoopOptions): Promise<Loop> {
  const now = options.now ?? (() => performance.now());
  const pointer = await openRun(options.run);
  const state: RunState = pointer
    ? structuredClone(pointer.state)
    : { update: 0, epoch: 0, batchIndex: 0, seconds: 0, lastValidation: 0, badValidations: 0 };
  if (pointer) {
    options.step.restore(await loadCheckpoint(options.run, pointer));
  }
  await options.log?.rewind(state);
  const start = now();
  const loop: Loop = {
    ...options,
    now,
    state,
    pointer,
    startedAt: start,
    secondsBefore: state.seconds,
    fractionBefore: 0,
    savedAt: start,
    window: newWindow(start),
    epochBatches: () => options.batches.epoch(state.epoch),
  };
  loop.fractionBefore = usedFraction(loop) ?? 0;
  return loop;
}

const seconds = (loop: Loop): number => loop.secondsBefore + (loop.now() - loop.startedAt) / 1000;

function stopReason(
  state: RunState,
  { budget, earlyStopping }: LoopConfig,
  elapsed: number,
): StopReason | undefined {
  if (budget.maxUpdates !== undefined && state.update >= budget.maxUpdates) {
    return 'maxUpdates';
  }
  if (budget.maxEpochs !== undefined && state.epoch >= budget.maxEpochs) {
    return 'maxEpochs';
  }
  if (earlyStopping.patience !== undefined && state.badValidations >= earlyStopping.patience) {
    return 'earlyStopping';
  }
  if (budget.maxMinutes !== undefined && elapsed >= budget.maxMinutes * 60) {
    return 'maxMinutes';
  }
  return undefined;
}

/** One optimizer update over `accumulate` batches, or what is left of the epoch. */
async function runUpdate(loop: Loop): Promise<void> {
  const { state, step, config } = loop;
  const update = state.update + 1;
  const epoch = loop.epochBatches();
  const micros = Math.min(
    epoch.groupSize?.(state.batchIndex) ?? config.batch.accumulate,
    epoch.count - state.batchIndex,
  );
  const learningRate = loop.schedule(state.update);
  const sums: LossSums = { lossSum: 0, nllSum: 0, targetTokens: 0 };
  for (let micro = 0; micro < micros - 1; micro++) {
    const batch = await nextBatch(loop, epoch, micro);
    const part = await step.accumulate(batch, { seed: config.seed, update, micro });
    addBatch(loop.window, batch, part);
    addSums(sums, part);
  }
  const batch = await nextBatch(loop, epoch, micros - 1);
  const report = await step.update(batch, {
    learningRate,
    update,
    seed: config.seed,
    micro: micros - 1,
    accumulatedTokens: sums.targetTokens,
  });
  const last = {
    lossSum: report.loss * report.targetTokens,
    nllSum: report.negativeLogLikelihood * report.targetTokens,
    targetTokens: report.targetTokens,
  };
  addBatch(loop.window, batch, last);
  addSums(sums, last);
  refuseNonFinite(loop, sums.lossSum, report.gradientNorm, update, learningRate);
  const epochOfUpdate = state.epoch + 1;
  advance(state, micros, epoch.count);
  await record(loop, report, learningRate, epochOfUpdate);
}

/** Makes a batch of the update under way, and notes how long that took. */
async function nextBatch(
  { state, window, now }: Loop,
  epoch: EpochBatches<TrainBatch | Promise<TrainBatch>>,
  micro: number,
): Promise<TrainBatch> {
  const from = now();
  const batch = await epoch.build(state.batchIndex + micro);
  window.makingMs += now() - from;
  return batch;
}

/** Moves the position; the last batch of an epoch is followed by the first of the next. */
function advance(state: RunState, batches: number, epochLength: number): void {
  state.update++;
  state.batchIndex += batches;
  if (state.batchIndex >= epochLength) {
    state.epoch++;
    state.batchIndex = 0;
  }
}

function refuseNonFinite(
  loop: Loop,
  lossSum: number,
  gradientNorm: number,
  update: number,
  learningRate: number,
): void {
  if (Number.isFinite(lossSum) && Number.isFinite(gradientNorm)) {
    return;
  }
  const what = Number.isFinite(lossSum) ? `gradient norm became ${gradientNorm}` : `loss became ${lossSum}`;
  const kept = loop.pointer
    ? `the checkpoint of update ${loop.pointer.state.update} is kept`
    : 'no checkpoint had been written';
  throw new PolybeamError(
    'TRAINING_DIVERGED',
    `The ${what} at update ${update} (learning rate ${learningRate.toPrecision(3)}); ${kept}: lower ` +
      'schedule.learningRate or raise schedule.warmupUpdates, in a new output directory.',
  );
}

/** Progress for every update, a log row for every few. */
async function record(
  loop: Loop,
  { gradientNorm }: StepReport,
  learningRate: number,
  /** Of the update, counted from 1. */
  epoch: number,
): Promise<void> {
  const { state, window, config } = loop;
  addUpdate(window, gradientNorm);
  const now = loop.now();
  const { loss, tokensPerSecond, ...rest } = windowRow(window, now);
  const fraction = usedFraction(loop);
  loop.progress?.show({
    update: state.update,
    epoch,
    loss,
    tokensPerSecond,
    fraction,
    secondsLeft: fraction && secondsLeft(loop, fraction, now),
  });
  if (state.update % config.log.everyUpdates === 0) {
    await loop.log?.append({
      type: 'update',
      update: state.update,
      epoch,
      loss,
      learningRate,
      tokensPerSecond,
      ...rest,
      seconds: seconds(loop),
    });
    loop.window = newWindow(now);
  }
}

/** At the pace of this process: an earlier one may have had another machine, or shared it. */
function secondsLeft({ startedAt, fractionBefore }: Loop, fraction: number, now: number): number | undefined {
  const done = fraction - fractionBefore;
  return done > 0 ? ((now - startedAt) / 1000 / done) * (1 - fraction) : undefined;
}

/** Share of the budget used: of the limit that is nearest. */
function usedFraction(loop: Loop): number | undefined {
  const { state, config } = loop;
  const { maxUpdates, maxEpochs, maxMinutes } = config.budget;
  const fractions = [
    maxUpdates && state.update / maxUpdates,
    maxEpochs && epochsDone(loop) / maxEpochs,
    maxMinutes && seconds(loop) / (maxMinutes * 60),
  ].filter((fraction) => fraction !== undefined);
  return fractions.length > 0 ? Math.min(1, Math.max(...fractions)) : undefined;
}

function epochsDone({ state, epochBatches }: Loop): number {
  // At an epoch's start its plan is not asked for: the run may end here.
  return state.batchIndex === 0 ? state.epoch : state.epoch + state.batchIndex / epochBatches().count;
}

/** Validates where the update is due and was not validated before it was saved; returns whether it is a new best. */
async function validateIfDue(loop: Loop): Promise<boolean> {
  const { state, config, validate } = loop;
  const due = state.update > 0 && state.update % config.validation.everyUpdates === 0;
  if (!validate || !due || state.lastValidation === state.update || loop.signal?.aborted) {
    return false;
  }
  const from = loop.now();
  const found = await validate(loop.signal);
  // Validation is no training: the speed shown leaves it out.
  loop.window.startedAt += loop.now() - from;
  if (!found) {
    return false;
  }
  const sign = config.validation.metric === 'loss' ? -1 : 1;
  const best = Number.isFinite(found.score) && (!state.best || sign * found.score > sign * state.best.score);
  state.lastValidation = state.update;
  state.badValidations = best ? 0 : state.badValidations + 1;
  if (best) {
    state.best = { update: state.update, score: found.score };
  }
  noteValidation(loop, found, best);
  await loop.log?.append({
    type: 'validation',
    update: state.update,
    epoch: epochOfLastUpdate(state),
    ...found,
    best,
    seconds: seconds(loop),
  });
  return best;
}

/** Counted from 1. */
function epochOfLastUpdate({ epoch, batchIndex }: RunState): number {
  return batchIndex === 0 ? epoch : epoch + 1;
}

function noteValidation({ state, progress }: Loop, found: Validation, best: boolean): void {
  const values = Object.entries(found.values).map(([name, value]) => `${name} ${value.toFixed(3)}`);
  const before = state.best ? `, best ${state.best.score.toFixed(3)} at update ${state.best.update}` : '';
  progress?.note(`update ${state.update}: ${values.join(', ')}${best ? ', best so far' : before}`);
}

async function saveIfDue(loop: Loop, improved: boolean): Promise<void> {
  const { state, config } = loop;
  if (state.update === 0) {
    return;
  }
  const isNew = loop.pointer?.state.update !== state.update;
  const byUpdate = isNew && state.update % config.checkpoints.everyUpdates === 0;
  const byClock = isNew && loop.now() - loop.savedAt >= config.checkpoints.everyMinutes * 60_000;
  if (improved || byUpdate || byClock) {
    await save(loop);
  }
}

async function save(loop: Loop): Promise<RunPointer> {
  const { state, config } = loop;
  state.seconds = seconds(loop);
  loop.pointer = await saveCheckpoint(loop.run, state, {
    tensors: loop.step.tensors(),
    previous: loop.pointer,
    keep: config.checkpoints.keep,
    regular: state.update > 0 && state.update % config.checkpoints.everyUpdates === 0,
    modelFiles: loop.modelFiles,
  });
  loop.savedAt = loop.now();
  return loop.pointer;
}

/**
 * A step computes on the calling thread and its promises resolve without a turn of the event loop, so that signals
 * and timers would starve: waits for a turn every 50 ms.
 */
function yielder(now: () => number): () => Promise<void> {
  let last = now();
  return async () => {
    if (now() - last >= 50) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      last = now();
    }
  };
}
