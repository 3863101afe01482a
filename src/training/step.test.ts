import '../../test/support/engine/eager.js';
import { beforeAll, describe, expect, test } from 'vitest';
import '../node/install.js';
import * as tf from '@tensorflow/tfjs-core';
import { createStepModel } from '../decoder/stepModel.js';
import { transformer } from '../decoder/transformer.js';
import type { TransformerConfig } from '../encoder/transformer.js';
import { generate } from '../generation/generate.js';
import { resolveGenerationOptions } from '../generation/options.js';
import type { StepModel } from '../generation/stepModel.js';
import { liveWeights } from './heldOut.js';
import { initialWeights } from './initialize.js';
import { collatePairs, sequenceToSequence } from './sequenceToSequence.js';
import { compileTrainStep, type Objective, trainableParameters } from './step.js';
import type { TrainBatch, TrainStep } from './trainStep.js';

const config: TransformerConfig = {
  vocabSize: 13,
  decoderVocabSize: 13,
  dModel: 8,
  encoderLayers: 1,
  encoderAttentionHeads: 2,
  encoderFfnDim: 16,
  decoderLayers: 1,
  decoderAttentionHeads: 2,
  decoderFfnDim: 16,
  maxPositionEmbeddings: 16,
  activationFunction: 'swish',
  scaleEmbedding: true,
  shareEncoderDecoderEmbeddings: true,
  tieWordEmbeddings: true,
  dropout: 0,
  attentionDropout: 0,
  activationDropout: 0,
  initStd: 0.3,
};

const optimizer = { adamBeta1: 0.9, adamBeta2: 0.98, adamEpsilon: 1e-9, weightDecay: 0.01, clipNorm: 1 };
const ids = { padTokenId: 0, decoderStartTokenId: 0 };
const pairs = [
  { source: [3, 4, 5, 1], target: [6, 7, 1] },
  { source: [8, 9, 1], target: [10, 11, 12, 4, 1] },
  { source: [5, 1], target: [2, 1] },
  { source: [12, 3, 7, 1], target: [9, 9, 3, 1] },
];

function batchOf(chosen: typeof pairs): TrainBatch {
  const longest = (side: 'source' | 'target') => Math.max(...chosen.map((pair) => pair[side].length));
  return collatePairs(
    { pairs: chosen, sourceLength: longest('source'), targetLength: longest('target') },
    ids,
  );
}

const objectiveWith = (dropout: number): Objective =>
  sequenceToSequence(transformer({ ...config, dropout, attentionDropout: dropout }), 0.1);

async function makeStep(device: 'cpu' | 'tfjs:cpu', dropout = 0): Promise<TrainStep> {
  const objective = objectiveWith(dropout);
  const initial = initialWeights(trainableParameters(objective), 5);
  return compileTrainStep(objective, initial, { device, optimizer });
}

const options = (update: number) => ({ seed: 7, update, micro: 0, learningRate: 0.01, accumulatedTokens: 0 });

/** Over the tensors whose names begin so; all of them by default. */
function largestDifference(a: TrainStep, b: TrainStep, prefix = ''): number {
  const other = b.tensors();
  let largest = 0;
  for (const [name, { data }] of a.tensors()) {
    if (!name.startsWith(prefix)) continue;
    const against = other.get(name)!.data;
    data.forEach((value, index) => {
      largest = Math.max(largest, Math.abs(value - against[index]));
    });
  }
  return largest;
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('the compiled training step', () => {
  test('a step model that asks for its weights decodes with those of the last update', async () => {
    const step = await makeStep('cpu');
    const decoder = transformer(config);
    const model = createStepModel(decoder, { weightValue: step.weightValue });
    const sources = pairs.map(({ source }) => ({ inputIds: source }));
    const rules = { decoderStartTokenId: 0, padTokenId: 0, eosTokenIds: [1] };
    const resolved = resolveGenerationOptions({ maxNewTokens: 6 });
    const decoded = async (from: StepModel) => {
      const results = await generate(from, sources, resolved, rules);
      return results.map(({ sequences }) => sequences[0]);
    };
    const scores: number[] = [];
    for (const update of [1, 2, 3]) {
      await step.update(batchOf(pairs), options(update));
      const fresh = createStepModel(decoder, { weights: liveWeights(step) });
      const [asked, compiled] = [await decoded(model), await decoded(fresh)];
      expect(asked.map(({ ids }) => ids)).toEqual(compiled.map(({ ids }) => ids));
      asked.forEach(({ score }, at) => {
        expect(score).toBeCloseTo(compiled[at].score, 4);
      });
      scores.push(asked[0].score);
      await fresh.release();
    }
    expect(new Set(scores).size).toBe(3);
    await model.release();
    step.dispose();
  });

  test.each([0, 0.3])('equals the same functions run eagerly by tfjs, dropout %f', async (dropout) => {
    const [compiled, eager] = [await makeStep('cpu', dropout), await makeStep('tfjs:cpu', dropout)];
    for (let update = 1; update <= 3; update++) {
      const batch = batchOf(update === 2 ? pairs.slice(0, 2) : pairs);
      const [a, b] = [
        await compiled.update(batch, options(update)),
        await eager.update(batch, options(update)),
      ];
      expect(a.loss).toBeCloseTo(b.loss, 5);
      expect(a.negativeLogLikelihood).toBeCloseTo(b.negativeLogLikelihood, 5);
      expect(a.gradientNorm).toBeCloseTo(b.gradientNorm, 4);
    }
    // Adam divides by the gradient's size: where that is zero but for rounding (biases of keys), weights differ.
    expect(largestDifference(compiled, eager, 'adamM/')).toBeLessThan(1e-5);
    compiled.dispose();
  });

  test('has the gradient that finite differences have', async () => {
    const step = await makeStep('cpu');
    const batch = batchOf(pairs);
    const names = [...step.tensors().keys()].filter((name) => name.startsWith('weights/'));
    // With a zero learning rate the first moment after one unclipped update is (1 - beta1) * gradient.
    const probe = await compileTrainStep(objectiveWith(0), weightsOf(step), {
      device: 'cpu',
      optimizer: { ...optimizer, clipNorm: 0 },
    });
    await probe.update(batch, { ...options(1), learningRate: 0 });
    let checked = 0;
    for (const name of names) {
      const weights = step.tensors().get(name)!.data;
      const gradient = probe.tensors().get(name.replace('weights/', 'adamM/'))!.data;
      for (let index = 0; index < weights.length; index += Math.ceil(weights.length / 3)) {
        const before = weights[index];
        const losses: number[] = [];
        for (const change of [0.01, -0.01]) {
          weights[index] = before + change;
          losses.push((await step.evaluate(batch)).lossSum / batch.targetTokens);
        }
        weights[index] = before;
        const slope = (losses[0] - losses[1]) / 0.02;
        expect(Math.abs(slope - gradient[index] * 10), `${name}[${index}]`).toBeLessThan(
          2e-3 + 0.03 * Math.abs(slope),
        );
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(80);
  });

  test('accumulated halves give the update of the whole batch', async () => {
    const [whole, halves] = [await makeStep('cpu'), await makeStep('cpu')];
    for (let update = 1; update <= 2; update++) {
      await whole.update(batchOf(pairs), options(update));
      const first = await halves.accumulate(batchOf(pairs.slice(0, 2)), { seed: 7, update, micro: 0 });
      await halves.update(batchOf(pairs.slice(2)), {
        ...options(update),
        micro: 1,
        accumulatedTokens: first.targetTokens,
      });
    }
    expect(largestDifference(whole, halves, 'adamM/')).toBeLessThan(1e-5);
    expect(largestDifference(whole, halves, 'adamV/')).toBeLessThan(1e-6);
  });

  test('repeats bit for bit, and from a restored state', async () => {
    const [a, b, c] = [await makeStep('cpu', 0.2), await makeStep('cpu', 0.2), await makeStep('cpu', 0.2)];
    const saved = new Map<string, { shape: number[]; data: Float32Array }>();
    for (let update = 1; update <= 4; update++) {
      await a.update(batchOf(pairs), options(update));
      await b.update(batchOf(pairs), options(update));
      if (update === 2)
        for (const [name, { shape, data }] of a.tensors()) saved.set(name, { shape, data: data.slice() });
    }
    expect(largestDifference(a, b)).toBe(0);
    c.restore(saved);
    for (let update = 3; update <= 4; update++) await c.update(batchOf(pairs), options(update));
    expect(largestDifference(a, c)).toBe(0);
    c.restore(saved);
    await c.update(batchOf(pairs), { ...options(3), seed: 8 });
    expect(largestDifference(a, c)).toBeGreaterThan(0);
  });

  test('learns its batch by heart', async () => {
    const step = await makeStep('cpu');
    const first = await step.update(batchOf(pairs), options(1));
    for (let update = 2; update <= 150; update++) await step.update(batchOf(pairs), options(update));
    const { nllSum, targetTokens } = await step.evaluate(batchOf(pairs));
    expect(first.negativeLogLikelihood).toBeGreaterThan(2);
    expect(nllSum / targetTokens).toBeLessThan(0.2);
  });

  test('refuses weights of another model', async () => {
    const step = await makeStep('cpu');
    const tensors = new Map(step.tensors());
    tensors.delete('weights/model.shared.weight');
    expect(() => step.restore(tensors)).toThrow(/model\.shared\.weight \[13, 8\]/);
  });
});

function weightsOf(step: TrainStep): Map<string, Float32Array> {
  const entries = [...step.tensors()].filter(([name]) => name.startsWith('weights/'));
  return new Map(entries.map(([name, { data }]) => [name.slice('weights/'.length), data.slice()]));
}

test('a program that cannot be compiled is refused where it is asked for, and not again when the step is disposed', async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', note);
  try {
    const objective = objectiveWith(0);
    const initial = initialWeights(trainableParameters(objective), 5);
    const step = await compileTrainStep(objective, initial, { device: 'tfjs:absent', optimizer });
    await expect(step.update(batchOf(pairs), options(1))).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
    });
    step.dispose();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', note);
  }
});
