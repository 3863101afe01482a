import { requireDevice } from '../../engine/tryDevice.js';
import { PolybeamError } from '../../errors.js';
import { requireConfig } from '../../inputs.js';
import { createProgress } from '../../training/progress.js';
import { aloneIn } from '../../training/runLock.js';
import type { TrainOptions } from '../../training/train.js';
import type { TrainResult } from '../../training/wholeRun.js';
import { pretrainXlm } from '../pretraining/pretrain.js';
import { trainTranslator } from '../translation/train.js';
import type { XlmRunConfig } from './config.js';
import { placesOf } from './places.js';
import { openRecord } from './record.js';
import { makeAllTables, makeVocabulary, type StageContext } from './stages.js';

/** What a run made. */
export interface XlmRunResult {
  /** The model directory of the last stage; undefined where there was none, or it was interrupted. */
  modelDirectory?: string;
  /** Whether a stage was interrupted: the same call goes on. */
  interrupted: boolean;
  /** How the last training ended, where there was one. */
  training?: TrainResult;
}

/**
 * Goes the whole road from texts in several languages to a translation model: vocabulary, vectors, mappings, tables,
 * pre-training and unsupervised translation, as far as the configuration has sections for them. Stages that are there, made with the
 * same settings, are not made again, and trainings are resumed.
 * @throws CHECKPOINT_MISMATCH where a stage was made with other settings; what the stages throw
 */
export async function runXlm(config: XlmRunConfig, options: TrainOptions = {}): Promise<XlmRunResult> {
  requireConfig(config, options);
  await requireDevice(config.device);
  return aloneIn(config.output, () => runXlmAlone(config, options));
}

async function runXlmAlone(config: XlmRunConfig, options: TrainOptions): Promise<XlmRunResult> {
  const progress = options.output ? createProgress(options.output) : undefined;
  const note = (text: string) => progress?.note(text);
  const places = placesOf(config.output);
  const context: StageContext = { config, note, options, record: await openRecord(places.record, note) };
  try {
    await makeVocabulary(context);
    if (config.makesTables) await makeAllTables(context);
  } catch (error) {
    if (options.signal?.aborted && error instanceof PolybeamError && error.code === 'ABORTED')
      return { interrupted: true };
    throw error;
  }
  let training: TrainResult | undefined;
  const trainings = [
    config.pretrain && { name: 'pre-training', run: () => pretrainXlm(config.pretrain!, options) },
    config.train && { name: 'translation', run: () => trainTranslator(config.train!, options) },
  ];
  for (const stage of trainings) {
    if (!stage) continue;
    if (options.signal?.aborted) return { interrupted: true };
    note(stage.name);
    training = await stage.run();
    if (training.modelDirectory === undefined) return { interrupted: true, training };
  }
  return { interrupted: false, modelDirectory: training?.modelDirectory, training };
}
