import '../../test/support/engine/eager.js';
import { webgpuUnavailable } from '../../test/support/engine/webgpu.js';
import '../node/install.js';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BertConfig } from '../encoder/bert.js';
import type { T5Config } from '../encoder/t5.js';
import type { TransformerConfig } from '../encoder/transformer.js';
import { rangeTo } from '../engine/ops/sizes.js';
import type { ParameterSpec } from '../engine/parameters.js';
import type { Device } from '../engine/program.js';
import { traceFunction } from '../engine/traceFunction.js';
import type { WeightStore } from '../engine/weights.js';
import { stepModelContract } from '../generation/stepModel.contract.js';
import { everyLogit } from '../generation/stepModel.js';
import { initialWeights } from '../training/initialize.js';
import { sequenceToSequence } from '../training/sequenceToSequence.js';
import { trainableParameters } from '../training/step.js';
import { bertEncoderDecoder, bertLogits, bertOutput, decodeBert } from './bertGeneration.js';
import { type Decoder, type EncoderDecoder, readsSource } from './encoderDecoder.js';
import { gpt2 } from './gpt2.js';
import { prefixLm } from './prefixLm.js';
import { bertStack } from './prefixStacks.js';
import { createStepModel, type SequenceModel } from './stepModel.js';
import { t5 } from './t5.js';
import { transformer } from './transformer.js';

const marian: TransformerConfig = {
  vocabSize: 19,
  decoderVocabSize: 19,
  dModel: 16,
  encoderLayers: 2,
  encoderAttentionHeads: 2,
  encoderFfnDim: 24,
  decoderLayers: 2,
  decoderAttentionHeads: 4,
  decoderFfnDim: 24,
  maxPositionEmbeddings: 80,
  activationFunction: 'gelu',
  scaleEmbedding: true,
  shareEncoderDecoderEmbeddings: true,
  tieWordEmbeddings: true,
  dropout: 0,
  attentionDropout: 0,
  activationDropout: 0,
  initStd: 0.4,
};

const bert: BertConfig = {
  vocabSize: 19,
  hiddenSize: 16,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  intermediateSize: 24,
  maxPositionEmbeddings: 80,
  typeVocabSize: 0,
  hiddenAct: 'gelu_new',
  layerNormEps: 1e-6,
  hiddenDropoutProb: 0,
  attentionProbsDropoutProb: 0,
  initializerRange: 0.4,
};

// Its distances go beyond the largest that has a bias of its own.
const relative: T5Config = {
  vocabSize: 19,
  dModel: 16,
  dKv: 6,
  dFf: 24,
  numLayers: 1,
  numDecoderLayers: 1,
  numHeads: 2,
  relativeAttentionNumBuckets: 8,
  relativeAttentionMaxDistance: 6,
  denseActFn: 'gelu_new',
  isGatedAct: true,
  scaleDecoderOutputs: false,
  layerNormEpsilon: 1e-6,
  dropoutRate: 0,
  initializerFactor: 1.5,
};

const head = { ...bert, head: 'lm_head', tieWordEmbeddings: true } as const;

const architectures: Record<string, EncoderDecoder> = {
  transformer: transformer(marian),
  'bert with a bert-generation decoder': bertEncoderDecoder(bert, head),
  t5: t5(relative),
  'bert as a prefix language model that reads masks': prefixLm(bertStack({ ...bert, typeVocabSize: 6 }), {
    nextToken: 'mask',
    maskTokenId: 2,
    sourceTypeId: 4,
    targetTypeId: 5,
    maxTarget: 40,
  }),
  'bert as a prefix language model that reads last tokens': prefixLm(
    bertStack({ ...bert, typeVocabSize: 2 }),
    {
      nextToken: 'last',
      sourceTypeId: 0,
      targetTypeId: 1,
      maxTarget: 40,
    },
  ),
};

/** Those that read nothing but their own text. */
const alone: Record<string, Decoder> = {
  gpt2: gpt2({
    vocabSize: 19,
    nPositions: 80,
    nEmbd: 16,
    nLayer: 2,
    nHead: 2,
    nInner: 24,
    activationFunction: 'gelu_new',
    layerNormEpsilon: 1e-6,
    residPdrop: 0,
    embdPdrop: 0,
    attnPdrop: 0,
    initializerRange: 0.4,
    tieWordEmbeddings: true,
    prefix: '',
  }),
  'a bert-generation decoder': {
    vocabSize: 19,
    decoderLayers: 2,
    decoderHeads: 2,
    headSize: 8,
    maxTarget: 80,
    decode: (p, inputs) => decodeBert(p, bert, inputs),
    output: (p) => bertOutput(p, head),
    logits: (p, hidden, output) => bertLogits(p, head, hidden, output),
  },
};

function parametersOf(model: Decoder): ParameterSpec[] {
  if (readsSource(model)) return trainableParameters(sequenceToSequence(model, 0));
  const signature = { inputIds: { type: 'int32', shape: ['batch', 'target'] } } as const;
  return traceFunction(({ inputIds }, p) => {
    const self = { kind: 'sequence', visibility: { causal: true } } as const;
    const { hidden } = model.decode(p, { inputIds, positions: rangeTo(inputIds.shape[1]!), self });
    return { logits: model.logits(p, hidden) };
  }, signature).parameters;
}

function randomWeights(model: Decoder): WeightStore {
  const specs = parametersOf(model);
  const values = initialWeights(specs, 3);
  const shapes = new Map(specs.map((spec) => [spec.name, spec.shape]));
  return {
    names: () => [...values.keys()],
    get: (name) => {
      const data = values.get(name);
      if (!data) return undefined;
      return {
        format: 'F32',
        shape: shapes.get(name)!,
        data: { kind: 'memory', data: new Uint8Array(data.buffer) },
      };
    },
    read: async (name) => values.get(name)!,
  };
}

const made: SequenceModel[] = [];

beforeAll(async () => {
  await tf.setBackend('cpu');
});

afterAll(async () => {
  await Promise.all(made.map((model) => model.release()));
});

const sources = [
  [3, 4, 5, 6, 7, 1],
  [8, 1],
  [9, 10, 11, 1],
];

const noWebgpu = await webgpuUnavailable();

for (const [name, architecture] of Object.entries({ ...architectures, ...alone })) {
  for (const device of ['cpu', 'tfjs:cpu', 'webgpu'] as Device[]) {
    // WebGPU runs the same programs for all; one says whether its operators do what they should.
    if (device === 'webgpu' && name !== 'transformer') continue;
    const skip = device === 'webgpu' ? noWebgpu : undefined;
    const weights = randomWeights(architecture);
    const model = skip === undefined ? createStepModel(architecture, { device, weights }) : undefined;
    if (model) made.push(model);
    stepModelContract(
      `${name} on ${device}`,
      async () => ({ model: model!, sources, padTokenId: 0, decoderStartTokenId: 0 }),
      skip,
    );
  }
}

test.each(['transformer', 't5', 'gpt2'])(
  'a cache that grows past its first capacity gives what a long prompt gives: %s',
  async (name) => {
    const architecture = { ...architectures, ...alone }[name];
    const model = createStepModel(architecture, { weights: randomWeights(architecture) });
    const selection = everyLogit;
    const source = {
      inputIds: Int32Array.from(sources[0]),
      attentionMask: new Int32Array(6).fill(1),
      batch: 1,
      source: 6,
    };
    const history = Int32Array.from({ length: 70 }, (_, position) => (position * 7) % 19);
    const feed = { source, beams: 2, maxLength: 75, selection };
    const { state } = await model.start({ ...feed, prompt: history.slice(0, 1), promptLength: 1 });
    const ancestry = new Int32Array(2 * 75);
    let last: Float32Array | undefined;
    for (let position = 1; position < 70; position++) {
      // Both beams write the same history, each read by the other: where rows mix, nothing changes.
      ancestry[position] = position % 2;
      ancestry[75 + position] = (position + 1) % 2;
      const tokens = Int32Array.of(history[position], history[position]);
      last = (await model.step(state, { tokens, position, ancestry })).logits;
    }
    const { candidates } = await model.start({ ...feed, prompt: history, promptLength: 70 });
    for (const row of [0, 1]) {
      candidates.logits.forEach((logit, token) => {
        expect(Math.abs(last![row * 19 + token] - logit)).toBeLessThan(1e-4);
      });
    }
    await model.release();
  },
);
