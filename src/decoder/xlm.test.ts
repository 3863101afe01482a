import '../../test/support/engine/eager.js';
import '../node/install.js';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../engine/program.js';
import type { WeightStore } from '../engine/weights.js';
import { stepModelContract } from '../generation/stepModel.contract.js';
import { initialWeights } from '../training/initialize.js';
import { collatePairs, sequenceToSequence } from '../training/sequenceToSequence.js';
import { compileTrainStep, trainableParameters } from '../training/step.js';
import { createScorer } from './scorer.js';
import { createStepModel, type SequenceModel } from './stepModel.js';
import { type XlmTranslatorConfig, xlmTranslator } from './xlm.js';

const config: XlmTranslatorConfig = {
  vocabSize: 19,
  embDim: 16,
  nLayers: 1,
  decoderLayers: 2,
  nHeads: 2,
  dropout: 0,
  attentionDropout: 0,
  geluActivation: true,
  sinusoidalEmbeddings: false,
  causal: false,
  nLangs: 3,
  useLangEmb: true,
  maxPositionEmbeddings: 80,
  embedInitStd: 0.4,
  layerNormEps: 1e-12,
  tieWordEmbeddings: true,
  shareEmbeddings: true,
  firstLanguageId: 4,
};

const weightsOf = (own: XlmTranslatorConfig) => {
  const specs = trainableParameters(sequenceToSequence(xlmTranslator(own), 0));
  return { specs, values: initialWeights(specs, 3) };
};

function storeOf(own: XlmTranslatorConfig): WeightStore {
  const { specs, values } = weightsOf(own);
  return {
    names: () => specs.map(({ name }) => name),
    get: (name) => {
      const spec = specs.find((one) => one.name === name);
      if (!spec) return undefined;
      const data = new Uint8Array(values.get(name)!.buffer);
      return { format: 'F32', shape: spec.shape, data: { kind: 'memory', data } };
    },
    read: async (name) => values.get(name)!,
  };
}

const made: SequenceModel[] = [];
beforeAll(() => tf.setBackend('cpu'));
afterAll(async () => {
  for (const model of made) await model.release();
});

// Target and source language, </s>, text, </s>; every sentence into another language.
const sources = [
  [5, 4, 1, 7, 8, 9, 10, 1],
  [4, 6, 1, 12, 1],
  [6, 5, 1, 13, 14, 1],
];

for (const device of ['cpu', 'tfjs:cpu'] as Device[]) {
  const model = createStepModel(xlmTranslator(config), { device, weights: storeOf(config) });
  made.push(model);
  stepModelContract(`XLM translator on ${device}`, async () => ({
    model,
    sources,
    padTokenId: 0,
    decoderStartTokenId: 1,
  }));
}

test('the target language, the source language and the text each change what is written', async () => {
  const scorer = createScorer(xlmTranslator(config), { weights: storeOf(config) });
  const given = { prompt: [1], target: [9, 8, 1] };
  const variants = [
    [5, 4, 1, 7, 8, 1],
    [6, 4, 1, 7, 8, 1],
    [5, 6, 1, 7, 8, 1],
    [5, 4, 1, 7, 9, 1],
  ];
  const scores = await scorer.score(variants.map((inputIds) => ({ inputIds, ...given })));
  const sums = scores.map(({ logProbabilities }) => logProbabilities.reduce((sum, one) => sum + one, 0));
  for (const other of sums.slice(1)) expect(Math.abs(other - sums[0])).toBeGreaterThan(0.01);
  await scorer.release();
});

describe.each([true, false])('with embeddings shared: %s', (shareEmbeddings) => {
  const own = { ...config, shareEmbeddings };
  const pairs = sources.map((source, at) => ({ source, target: [7 + at, 9, 11, 1].slice(at) }));
  const collated = collatePairs(
    { pairs, sourceLength: 8, targetLength: 4 },
    { padTokenId: 0, decoderStartTokenId: 1 },
  );
  const options = { seed: 7, update: 1, micro: 0, learningRate: 0, accumulatedTokens: 0 };
  const optimizer = { adamBeta1: 0.9, adamBeta2: 0.98, adamEpsilon: 1e-9, weightDecay: 0, clipNorm: 0 };

  test('the gradient is that of finite differences, languages included', async () => {
    const { values } = weightsOf(own);
    const step = await compileTrainStep(sequenceToSequence(xlmTranslator(own), 0), values, { optimizer });
    await step.update(collated, options);
    for (const name of values.keys()) {
      const gradient = step
        .tensors()
        .get(`adamM/${name}`)!
        .data.map((moment) => moment * 10);
      const weights = step.tensors().get(`weights/${name}`)!.data;
      const largest = Math.max(...gradient.map(Math.abs));
      const index = gradient.findIndex((value) => Math.abs(value) === largest);
      const before = weights[index];
      const losses: number[] = [];
      for (const change of [0.01, -0.01]) {
        weights[index] = before + change;
        losses.push((await step.evaluate(collated)).lossSum / collated.targetTokens);
      }
      weights[index] = before;
      const slope = (losses[0] - losses[1]) / 0.02;
      // Keys have a bias that every score shares: no gradient, but rounding.
      expect(Math.abs(slope - gradient[index]), name).toBeLessThan(2e-3 + 0.03 * Math.abs(slope));
      if (name.includes('lang_embeddings')) expect(largest, name).toBeGreaterThan(1e-3);
    }
    step.dispose();
  });

  test('has the tables that it should', () => {
    const names = weightsOf(own).specs.map(({ name }) => name);
    const tables = names.filter((name) => /embeddings\.weight$/.test(name));
    const kinds = ['embeddings', 'position_embeddings', 'lang_embeddings'];
    const sides = shareEmbeddings ? ['encoder'] : ['encoder', 'decoder'];
    expect(tables.sort()).toEqual(
      sides.flatMap((side) => kinds.map((kind) => `${side}.${kind}.weight`)).sort(),
    );
    expect(names).toContain('decoder.encoder_attn.1.q_lin.weight');
    expect(names).toContain('decoder.layer_norm15.0.weight');
    expect(names).toContain('decoder.pred_layer.proj.bias');
  });
});
