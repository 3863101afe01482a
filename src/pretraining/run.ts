import type { Device } from '../engine/program.js';
import type { Batches } from '../training/batching.js';
import { initialWeights, warmStart } from '../training/initialize.js';
import type { Progress } from '../training/progress.js';
import type { RunIdentity } from '../training/runCheckpoint.js';
import type { ModelFiles } from '../training/runParts.js';
import { createSchedule } from '../training/schedule.js';
import { compileTrainStep, type Tasks, trainableParameters } from '../training/step.js';
import type { TrainOptions } from '../training/train.js';
import type { Validation } from '../training/trainer.js';
import type { TrainStep, TrainTensor } from '../training/trainStep.js';
import { type TrainResult, wholeRun } from '../training/wholeRun.js';
import type { PretrainConfig } from './config.js';

/** What configurations of pre-training have in common, whatever is pre-trained. */
export type RunConfig = Pick<
  PretrainConfig,
  | 'output'
  | 'init'
  | 'optimizer'
  | 'schedule'
  | 'budget'
  | 'earlyStopping'
  | 'checkpoints'
  | 'log'
  | 'seed'
  | 'device'
  | 'threads'
> & {
  batch: Pick<PretrainConfig['batch'], 'accumulate'>;
  validation: Pick<PretrainConfig['validation'], 'everyUpdates'>;
};

/** What a run is made of. */
export interface PretrainingParts {
  config: RunConfig;
  tasks: Tasks;
  batches: Batches;
  identity: RunIdentity;
  modelFiles: ModelFiles;
  /** Weights of the final model that are not trained. */
  untrained?: ReadonlyMap<string, TrainTensor>;
  /** How the step's weights are validated; the smallest score is the best. Undefined where there is nothing to validate on. */
  validation(step: TrainStep): Promise<(() => Promise<Validation>) | undefined>;
}

/**
 * Compiles, trains, validates and writes the model: what every kind of pre-training ends with.
 * @throws what `trainLoop` throws; WEIGHT_SHAPE and WEIGHT_MISSING for `init`
 */
export async function pretrainingRun(
  { config, tasks, batches, identity, modelFiles, untrained, validation }: PretrainingParts,
  { signal, onWarning }: TrainOptions,
  progress: Progress | undefined,
): Promise<TrainResult> {
  const note = (text: string) => progress?.note(text);
  const initial = await startingWeights(config, tasks, note);
  const step = await compileTrainStep(tasks, initial, {
    device: config.device as Device,
    threads: config.threads,
    optimizer: config.optimizer,
  });
  const total = [...initial.values()].reduce((sum, weight) => sum + weight.length, 0);
  note(`model: ${(total / 1e6).toFixed(1)} million parameters, ${batches.epoch(0).count} batches an epoch`);
  return wholeRun({
    step,
    batches,
    schedule: createSchedule(config.schedule),
    warmupUpdates: config.schedule.warmupUpdates,
    config: { ...config, validation: { ...config.validation, metric: 'loss' } },
    run: { directory: config.output, identity },
    modelFiles,
    ...(untrained && { untrained: async () => untrained }),
    validate: await validation(step),
    signal,
    onWarning,
    progress,
  });
}

async function startingWeights(
  { init, seed }: RunConfig,
  tasks: Tasks,
  note: (text: string) => void,
): Promise<Map<string, Float32Array>> {
  const specs = trainableParameters(tasks);
  if (init === undefined) return initialWeights(specs, seed);
  const { weights, fresh } = await warmStart(specs, seed, init);
  note(`init: ${specs.length - fresh.length} of ${specs.length} weights from ${init}`);
  return weights;
}
