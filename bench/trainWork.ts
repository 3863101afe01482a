import { setTimeout as sleep } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { encodeTransformer, type TransformerConfig, tokenTable } from '../src/encoder/transformer.js';
import { compile } from '../src/engine/compile.js';
import { crossEntropy } from '../src/engine/ops/crossEntropy.js';
import { asRows, linear } from '../src/engine/ops/linear.js';
import { type CompileOptions, weightInputPrefix } from '../src/engine/program.js';
import { floats, integers, type Value } from '../src/engine/values.js';
import type { OptimizerConfig } from '../src/training/adamW.js';
import { threefry } from '../src/training/random.js';
import { compileTrainStep, type Objective, trainableParameters } from '../src/training/step.js';
import type { TrainBatch } from '../src/training/trainStep.js';
import { benchSeed } from './randomModel.js';

/** What is trained: an encoder that predicts a label at every position of a full batch. */
export interface TrainDesign {
  config: TransformerConfig;
  batch: number;
  length: number;
}

/** AdamW of the bench, on both sides. */
export const optimizer: OptimizerConfig = {
  adamBeta1: 0.9,
  adamBeta2: 0.98,
  adamEpsilon: 1e-9,
  weightDecay: 0.01,
  clipNorm: 1,
};

/** Learning rate of the bench, on both sides. */
export const learningRate = 1e-4;

/** Numbers that both sides must agree on, per label. */
export interface StepNumbers {
  loss: number;
  gradientNorm: number;
}

/** A compiled step on one batch. */
export interface TrainWork {
  run(): Promise<void>;
  /** What the last run computed. */
  numbers(): StepNumbers;
  dispose(): Promise<void>;
}

type WorkOptions = Pick<CompileOptions, 'threads' | 'profile'>;

/** The encoder with its embedding table as output projection, and cross entropy at every position. */
export function encoderLanguageModel(config: TransformerConfig): Objective {
  return {
    signature: {
      inputIds: { type: 'int32', shape: ['batch', 'length'] },
      attentionMask: { type: 'int32', shape: ['batch', 'length'] },
      labels: { type: 'int32', shape: ['batch*length'] },
    },
    loss: (p, inputs, dropout) => {
      const hidden = encodeTransformer(p, config, inputs.inputIds, inputs.attentionMask, dropout);
      const logits = linear(asRows(hidden), tokenTable(p, config, 'encoder'));
      const { loss, negativeLogLikelihood } = crossEntropy(logits, inputs.labels, 0);
      return { lossSum: tf.sum(loss), nllSum: tf.sum(negativeLogLikelihood) };
    },
  };
}

/** Random ids and labels, the same in every run; nothing is padding. */
export function randomBatch({ config, batch, length }: TrainDesign) {
  const tokens = batch * length;
  const inputIds = new Int32Array(tokens);
  const labels = new Int32Array(tokens);
  const words = new Uint32Array(2);
  for (let i = 0; i < tokens; i++) {
    threefry(benchSeed, i, 0, 0, words);
    inputIds[i] = words[0] % config.vocabSize;
    labels[i] = words[1] % config.vocabSize;
  }
  return { inputIds, attentionMask: new Int32Array(tokens).fill(1), labels };
}

/** Forward and backward alone: the gradient of every weight, written to the same arrays in every run. */
export async function openGradients(
  design: TrainDesign,
  weights: ReadonlyMap<string, Float32Array>,
  options: WorkOptions,
): Promise<TrainWork> {
  const objective = encoderLanguageModel(design.config);
  const specs = trainableParameters(objective);
  const program = await compile(
    (inputs, p) => {
      const { value, grads } = tf.valueAndGrads(() => objective.loss(p, inputs).lossSum as tf.Scalar)(
        specs.map((spec) => p.get(spec.name, spec.shape, spec.initializer)),
      );
      const gradients = specs.map(({ name }, index) => [gradientPrefix + name, grads[index]]);
      return { lossSum: value, ...Object.fromEntries(gradients) };
    },
    objective.signature,
    { ...options, weightsAs: 'inputs' },
  );
  const values = (prefix: string, data?: ReadonlyMap<string, Float32Array>): Record<string, Value> =>
    Object.fromEntries(specs.map(({ name, shape }) => [prefix + name, floats(shape, data?.get(name))]));
  const feeds = { ...batchFeeds(design), ...values(weightInputPrefix, weights) };
  const gradients = values(gradientPrefix);
  const labels = design.batch * design.length;
  let lossSum = Number.NaN;
  return {
    run: async () => {
      lossSum = (await program.run(feeds, gradients)).lossSum.data[0];
    },
    numbers: () => ({ loss: lossSum / labels, gradientNorm: normOf(Object.values(gradients)) / labels }),
    dispose: () => program.dispose(),
  };
}

const gradientPrefix = 'gradients/';

function normOf(values: readonly Value[]): number {
  let sum = 0;
  for (const { data } of values) for (const value of data) sum += value * value;
  return Math.sqrt(sum);
}

function batchFeeds(design: TrainDesign): Record<string, Value> {
  const { inputIds, attentionMask, labels } = randomBatch(design);
  const shape = [design.batch, design.length];
  return {
    inputIds: integers(shape, inputIds),
    attentionMask: integers(shape, attentionMask),
    labels: integers([labels.length], labels),
  };
}

/** The trainer's whole update: forward, backward, clipping and AdamW. */
export async function openUpdate(
  design: TrainDesign,
  weights: ReadonlyMap<string, Float32Array>,
  options: WorkOptions,
): Promise<TrainWork> {
  const objective = encoderLanguageModel(design.config);
  const step = await compileTrainStep(objective, weights, { ...options, optimizer });
  const tokens = design.batch * design.length;
  const feeds: TrainBatch['feeds'] = {};
  for (const [name, { shape, data }] of Object.entries(batchFeeds(design))) {
    feeds[name] = { dtype: 'int32', shape: [...shape], data: data as Int32Array };
  }
  const batch: TrainBatch = {
    feeds,
    sentences: design.batch,
    sourceTokens: tokens,
    targetTokens: tokens,
  };
  let update = 0;
  let numbers: StepNumbers = { loss: Number.NaN, gradientNorm: Number.NaN };
  return {
    run: async () => {
      const which = { seed: benchSeed, update: ++update, micro: 0 };
      numbers = await step.update(batch, { ...which, learningRate, accumulatedTokens: 0 });
    },
    numbers: () => numbers,
    dispose: async () => {
      step.dispose();
      // Its programs go behind a promise; a profile is complete only then.
      await sleep(0);
    },
  };
}
