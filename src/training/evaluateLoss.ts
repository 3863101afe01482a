import type { EpochBatches } from './batching.js';
import type { LossSums, TrainBatch, TrainStep } from './trainStep.js';

/** Adds a batch's sums to those of the batches before it. */
export function addSums(sums: LossSums, part: LossSums): void {
  sums.lossSum += part.lossSum;
  sums.nllSum += part.nllSum;
  sums.targetTokens += part.targetTokens;
}

/** Mean loss and negative log-likelihood per target token over all batches of an epoch. */
export async function evaluateLoss(
  step: TrainStep,
  batches: EpochBatches<TrainBatch | Promise<TrainBatch>>,
): Promise<{ loss: number; negativeLogLikelihood: number }> {
  const sums: LossSums = { lossSum: 0, nllSum: 0, targetTokens: 0 };
  for (let index = 0; index < batches.count; index++) {
    addSums(sums, await step.evaluate(await batches.build(index)));
  }
  return { loss: sums.lossSum / sums.targetTokens, negativeLogLikelihood: sums.nllSum / sums.targetTokens };
}
