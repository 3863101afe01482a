import '../../test/support/engine/eager.js';
import { beforeAll, describe, expect, test } from 'vitest';
import '../node/install.js';
import * as tf from '@tensorflow/tfjs-core';
import type { EncoderDecoder } from '../decoder/encoderDecoder.js';
import { t5 } from '../decoder/t5.js';
import { transformer } from '../decoder/transformer.js';
import type { T5Config } from '../encoder/t5.js';
import { m2m100Layout, type TransformerConfig, transformerLayouts } from '../encoder/transformer.js';
import { initialWeights } from './initialize.js';
import { collatePairs, sequenceToSequence } from './sequenceToSequence.js';
import { compileTrainStep, trainableParameters } from './step.js';

const sizes: TransformerConfig = {
  vocabSize: 13,
  decoderVocabSize: 13,
  dModel: 8,
  encoderLayers: 1,
  encoderAttentionHeads: 2,
  encoderFfnDim: 12,
  decoderLayers: 1,
  decoderAttentionHeads: 2,
  decoderFfnDim: 12,
  maxPositionEmbeddings: 16,
  activationFunction: 'gelu',
  scaleEmbedding: true,
  shareEncoderDecoderEmbeddings: true,
  tieWordEmbeddings: true,
  dropout: 0,
  attentionDropout: 0,
  activationDropout: 0,
  initStd: 0.3,
};

const relative: T5Config = {
  vocabSize: 13,
  dModel: 8,
  dKv: 3,
  dFf: 12,
  numLayers: 1,
  numDecoderLayers: 1,
  numHeads: 2,
  relativeAttentionNumBuckets: 6,
  relativeAttentionMaxDistance: 4,
  // Smooth, as finite differences need it.
  denseActFn: 'gelu',
  isGatedAct: false,
  scaleDecoderOutputs: true,
  layerNormEpsilon: 1e-6,
  dropoutRate: 0,
  initializerFactor: 0.7,
};

// Marian's layout is tested with the step itself.
const { marian: _, ...others } = transformerLayouts;

/** Every architecture, with dropout wherever it has some. */
const architectures: Record<string, (rate: number) => EncoderDecoder> = {
  ...Object.fromEntries(
    Object.entries({ ...others, m2m100: m2m100Layout(0) }).map(([name, layout]) => [
      name,
      (rate: number) =>
        transformer({ ...sizes, layout, dropout: rate, attentionDropout: rate, activationDropout: rate }),
    ]),
  ),
  t5: (rate) => t5({ ...relative, dropoutRate: rate }),
  'gated t5': (rate) =>
    t5({
      ...relative,
      dropoutRate: rate,
      denseActFn: 'gelu_new',
      isGatedAct: true,
      scaleDecoderOutputs: false,
    }),
};

const pairs = [
  { source: [3, 4, 5, 8, 6, 1], target: [6, 7, 2, 9, 3, 1] },
  { source: [8, 9, 1], target: [10, 11, 12, 4, 1] },
  { source: [5, 1], target: [2, 1] },
];
const ids = { padTokenId: 0, decoderStartTokenId: 0 };
const batch = collatePairs({ pairs, sourceLength: 6, targetLength: 6 }, ids);
const options = { seed: 7, update: 1, micro: 0, learningRate: 0, accumulatedTokens: 0 };
// With a zero learning rate the first moment after one unclipped update is (1 - beta1) * gradient.
const optimizer = { adamBeta1: 0.9, adamBeta2: 0.98, adamEpsilon: 1e-9, weightDecay: 0, clipNorm: 0 };

beforeAll(() => tf.setBackend('cpu'));

/** One update of weights that do not move. Dropout depends on the seed alone. */
async function firstUpdate(name: string, rate: number, device: 'cpu' | 'tfjs:cpu') {
  const objective = sequenceToSequence(architectures[name](rate), 0.1);
  const weights = initialWeights(trainableParameters(objective), 5);
  const step = await compileTrainStep(objective, weights, { device, optimizer });
  const { loss } = await step.update(batch, options);
  const gradients = new Map<string, Float32Array>();
  for (const weight of weights.keys()) {
    gradients.set(
      weight,
      step
        .tensors()
        .get(`adamM/${weight}`)!
        .data.map((moment) => moment * 10),
    );
  }
  return { step, loss, gradients };
}

describe.each(Object.keys(architectures))('%s', (name) => {
  test('has the gradient that eager tfjs has, with dropout', async () => {
    const rate = 0.3;
    const [a, b] = [await firstUpdate(name, rate, 'cpu'), await firstUpdate(name, rate, 'tfjs:cpu')];
    expect(a.loss).toBeCloseTo(b.loss, 5);
    for (const [weight, gradient] of a.gradients) {
      const other = b.gradients.get(weight)!;
      const differences = gradient.map((value, index) => Math.abs(value - other[index]));
      expect(Math.max(...differences), weight).toBeLessThan(1e-5);
    }
    a.step.dispose();
    b.step.dispose();
  });

  test('has the gradient that finite differences have', async () => {
    const { step, gradients } = await firstUpdate(name, 0, 'cpu');
    for (const [weight, gradient] of gradients) {
      const values = step.tensors().get(`weights/${weight}`)!.data;
      // The value that matters most.
      const largest = Math.max(...gradient.map(Math.abs));
      const index = gradient.findIndex((value) => Math.abs(value) === largest);
      const before = values[index];
      const losses: number[] = [];
      for (const change of [0.01, -0.01]) {
        values[index] = before + change;
        losses.push((await step.evaluate(batch)).lossSum / batch.targetTokens);
      }
      values[index] = before;
      const slope = (losses[0] - losses[1]) / 0.02;
      expect(Math.abs(slope - gradient[index]), weight).toBeLessThan(1e-3 + 0.03 * Math.abs(slope));
    }
    step.dispose();
  });
});
