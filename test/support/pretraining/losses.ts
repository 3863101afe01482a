import '../engine/eager.js';
import * as tf from '@tensorflow/tfjs-core';
import { computedWeight, type Parameters, scopedParameters } from '../../../src/engine/parameters.js';
import { initialWeights } from '../../../src/training/initialize.js';
import { type Objective, trainableParameters } from '../../../src/training/step.js';
import type { TrainBatch } from '../../../src/training/trainStep.js';

/** Weights of an objective, drawn from a seed, by name. */
export function randomWeights(objective: Objective, seed = 5): Map<string, Float32Array> {
  return initialWeights(trainableParameters(objective), seed);
}

/** Weights in memory as a function of a model asks for them. */
export function parametersOf(weights: ReadonlyMap<string, Float32Array>): Parameters {
  return scopedParameters({
    get: (spec) => tf.tensor(weights.get(spec.name) ?? computedWeight(spec), [...spec.shape]),
    has: (name) => weights.has(name),
  });
}

/** The loss of a batch, computed eagerly by tfjs: the sum of the negative log-likelihoods of its labels. */
export function eagerLoss(
  objective: Objective,
  batch: TrainBatch,
  weights: ReadonlyMap<string, Float32Array>,
): number {
  return tf.tidy(() => {
    const inputs = Object.fromEntries(
      Object.entries(batch.feeds).map(([name, { data, shape, dtype }]) => [
        name,
        tf.tensor(data, shape, dtype),
      ]),
    );
    return objective.loss(parametersOf(weights), inputs).nllSum.dataSync()[0];
  });
}
