import type { EpochBatches } from './batching.js';
import { evaluateLoss } from './evaluateLoss.js';
import { decodeHeldOut, type HeldOutDecoding } from './heldOut.js';
import { scoreTexts, type TextMetric } from './metrics.js';
import type { Validation } from './trainer.js';
import type { TrainStep } from './trainStep.js';

/** Scores a step's present weights; undefined where `signal` was aborted on the way. */
export type Validate = (signal: AbortSignal | undefined) => Promise<Validation | undefined>;

/** What weights are validated on. */
export interface HeldOut {
  step: TrainStep;
  /** For the loss. */
  losses: EpochBatches;
  metric: TextMetric | 'loss';
  /** For the metric: token ids, and a text for each. */
  sources: readonly (readonly number[])[];
  references: readonly string[];
  lowercase: boolean;
  decoding: HeldOutDecoding;
}

/** Validation by the loss and, unless that is what decides, by what the decoding core writes. */
export function validateOn({ step, losses, metric, ...texts }: HeldOut): Validate {
  return async (signal) => {
    const values: Record<string, number> = { ...(await evaluateLoss(step, losses)) };
    if (metric === 'loss') return { score: values.loss, values };
    const hypotheses = await decodeHeldOut(step, texts.sources, texts.decoding, signal);
    if (!hypotheses) return undefined;
    Object.assign(values, scoreTexts(metric, hypotheses, texts.references, texts));
    return { score: values[metric], values };
  };
}
