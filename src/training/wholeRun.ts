import { beyondBudget } from './beyondBudget.js';
import { createRunLog } from './runLog.js';
import { type ModelFiles, writeFinalModel } from './runParts.js';
import { type StopReason, type TrainLoopOptions, trainLoop } from './trainer.js';
import type { TrainTensor } from './trainStep.js';

/** How a run ended. */
export interface TrainResult {
  reason: StopReason;
  /** Directory of the final model; undefined where training was interrupted. */
  modelDirectory?: string;
  updates: number;
  /** Update that an earlier run had reached and this one went on from; 0 for a new run. */
  resumedFrom: number;
  /** Best validation, where there was one. */
  best?: { update: number; score: number };
}

/** What a run needs from its beginning to its model. */
export interface WholeRun extends Omit<TrainLoopOptions, 'log' | 'modelFiles'> {
  modelFiles: ModelFiles;
  /** Updates over which the learning rate rises: what lies beyond the budget is warned of. */
  warmupUpdates: number;
  onWarning?: (message: string) => void;
  /** Weights of the final model that are not trained. */
  untrained?: () => Promise<ReadonlyMap<string, TrainTensor>>;
}

/** Trains, logs, and writes `<directory>/model` unless it was interrupted; frees the step. @throws what `trainLoop` throws */
export async function wholeRun({
  untrained,
  warmupUpdates,
  onWarning,
  ...run
}: WholeRun): Promise<TrainResult> {
  const { directory } = run.run;
  try {
    const firstEpoch = () => run.batches.epoch(0);
    for (const warning of beyondBudget({ ...run, warmupUpdates, firstEpoch, validates: !!run.validate }))
      onWarning?.(warning);
    const result = await trainLoop({ ...run, log: createRunLog(`${directory}/log.jsonl`) });
    const { reason, state, pointer, resumedFrom } = result;
    const done = { reason, updates: state.update, resumedFrom, best: state.best };
    if (reason === 'interrupted') return done;
    const final = { output: directory, averageLast: run.config.checkpoints.averageLast };
    const modelDirectory = await writeFinalModel(final, pointer, run.modelFiles, await untrained?.());
    return { ...done, modelDirectory };
  } finally {
    run.step.dispose();
  }
}
