import type { Value } from '../engine/values.js';

/** One input of the compiled step: a dense array with its shape, row-major. */
export interface TrainFeed {
  dtype: 'int32' | 'float32';
  shape: number[];
  data: Int32Array | Float32Array;
}

/** One padded micro-batch, ready to be fed. */
export interface TrainBatch {
  /** Inputs of the program by name; which names there are is between the architecture's `collate` and its step. */
  feeds: Record<string, TrainFeed>;
  /** Rows. */
  sentences: number;
  /** Source tokens without padding. */
  sourceTokens: number;
  /** Target tokens without padding: what losses are divided by. */
  targetTokens: number;
  /** Which of the step's objectives it is for; a step of one objective needs no name. */
  task?: string;
  /** What its loss is logged under as well, beside the mean of all. */
  kind?: string;
  /** Seconds that parts of its making took, by name, for the log. */
  seconds?: Readonly<Record<string, number>>;
}

/** Sums over the target tokens of a micro-batch, so that micro-batches of different sizes add up rightly. */
export interface LossSums {
  /** Label-smoothed cross-entropy, summed, in nats. */
  lossSum: number;
  /** Negative log-likelihood of the labels (no smoothing), summed, in nats. */
  nllSum: number;
  targetTokens: number;
}

/** What an evaluation found: sums over the target tokens, and the objective's own further sums by name. */
export interface EvaluationSums extends LossSums {
  measures: Record<string, number>;
}

/** What one optimizer update did. Losses are those before the update, over the batch given to `update` alone. */
export interface StepReport {
  /** Label-smoothed cross-entropy per target token, in nats. */
  loss: number;
  /** Negative log-likelihood per target token, in nats. */
  negativeLogLikelihood: number;
  /** L2 norm of the whole update's mean gradient, before clipping. */
  gradientNorm: number;
  /** Target tokens of this batch. */
  targetTokens: number;
}

/** Where dropout draws its numbers from: the same three numbers drop the same activations. */
export interface DropoutSeed {
  seed: number;
  /** Number of the update, counted from 1. */
  update: number;
  /** Number of the micro-batch within its update, counted from 0. */
  micro: number;
}

/** What an optimizer update needs besides the batch. */
export interface UpdateOptions extends DropoutSeed {
  /** From the schedule; the step itself knows no schedule. */
  learningRate: number;
  /**
   * Target tokens of the micro-batches given to `accumulate` for this update; 0 where there were none, and then the
   * accumulator is not read. The gradient applied is the sum over all micro-batches divided by all their target tokens.
   */
  accumulatedTokens: number;
}

/** A named float32 tensor, row-major. */
export interface TrainTensor {
  shape: number[];
  data: Float32Array;
}

/**
 * The compiled training step as the training loop sees it. It holds weights and optimizer state, and nothing else
 * that outlives an update: after `restore` of what `tensors` gave, the same calls give the same bits.
 */
export interface TrainStep {
  /**
   * Forward and backward; adds the gradient to the accumulator. Micro-batch 0 of an update overwrites it. The micro-batches
   * of an update are of one task; throws INPUT_INVALID otherwise, as `update` does.
   */
  accumulate(batch: TrainBatch, seed: DropoutSeed): Promise<LossSums>;
  /** Forward, backward, what was accumulated, clipping and AdamW in one run. */
  update(batch: TrainBatch, options: UpdateOptions): Promise<StepReport>;
  /** Forward without dropout; changes nothing. */
  evaluate(batch: TrainBatch): Promise<EvaluationSums>;
  /**
   * Live views by name: `weights/<name>`; of weights that are trained `adamM/<name>` and `adamV/<name>`; where there are
   * several tasks `updates/<task>`, the updates done for each. Valid until the next call of `accumulate` or `update`.
   */
  tensors(): Map<string, TrainTensor>;
  /**
   * A weight as it is at present, for programs that are fed weights: `CompileOptions.weightValue`. Valid as `tensors` are; what an
   * update leaves is another value.
   */
  weightValue(name: string): Value;
  /** Copies the values in. Throws WEIGHT_MISSING or WEIGHT_SHAPE where the tensors are not those of this model. */
  restore(tensors: Map<string, TrainTensor>): void;
  /** Frees what the step holds. */
  dispose(): void;
}
