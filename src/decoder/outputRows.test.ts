import type { WeightPrecision } from '../engine/quantize.js';
import '../node/install.js';
import { afterAll, describe, expect, it } from 'vitest';
import type { BertConfig } from '../encoder/bert.js';
import type { T5Config } from '../encoder/t5.js';
import type { WeightStore } from '../engine/weights.js';
import { restrictVocabulary } from '../generation/restrictVocabulary.js';
import { everyLogit, type StepModel } from '../generation/stepModel.js';
import { initialWeights } from '../training/initialize.js';
import { sequenceToSequence } from '../training/sequenceToSequence.js';
import { trainableParameters } from '../training/step.js';
import { bertEncoderDecoder } from './bertGeneration.js';
import type { EncoderDecoder } from './encoderDecoder.js';
import { createStepModel, type SequenceModel } from './stepModel.js';
import { t5 } from './t5.js';

const vocabSize = 70;

const bert: BertConfig = {
  vocabSize,
  hiddenSize: 32,
  numHiddenLayers: 1,
  numAttentionHeads: 2,
  intermediateSize: 32,
  maxPositionEmbeddings: 20,
  typeVocabSize: 0,
  hiddenAct: 'gelu',
  layerNormEps: 1e-6,
  hiddenDropoutProb: 0,
  attentionProbsDropoutProb: 0,
  initializerRange: 0.4,
};

const relative: T5Config = {
  vocabSize,
  dModel: 32,
  dKv: 6,
  dFf: 32,
  numLayers: 1,
  numDecoderLayers: 1,
  numHeads: 2,
  relativeAttentionNumBuckets: 8,
  relativeAttentionMaxDistance: 6,
  denseActFn: 'relu',
  isGatedAct: false,
  scaleDecoderOutputs: true,
  layerNormEpsilon: 1e-6,
  dropoutRate: 0,
  initializerFactor: 1.5,
};

// With a bias and what comes before the projection; tied with neither, and scaled.
const architectures: Record<string, EncoderDecoder> = {
  'bert, cls head': bertEncoderDecoder(bert, { ...bert, head: 'cls', tieWordEmbeddings: false }),
  t5: t5(relative),
};

/** Random ones, biases among them. */
function randomWeights(model: EncoderDecoder): WeightStore {
  const specs = trainableParameters(sequenceToSequence(model, 0));
  const values = initialWeights(specs, 3);
  const bias = values.get('decoder.cls.predictions.bias');
  bias?.forEach((_, id) => {
    bias[id] = Math.sin(id);
  });
  const shapes = new Map(specs.map((spec) => [spec.name, spec.shape]));
  return {
    names: () => [...values.keys()],
    get: (name) => {
      const data = values.get(name);
      return (
        data && {
          format: 'F32',
          shape: shapes.get(name)!,
          data: { kind: 'memory', data: new Uint8Array(data.buffer) },
        }
      );
    },
    read: async (name) => values.get(name)!,
  };
}

const made: SequenceModel[] = [];
afterAll(() => Promise.all(made.map((model) => model.release())));

function makeModel(name: string, weightPrecision?: WeightPrecision): SequenceModel {
  const model = createStepModel(architectures[name], {
    weights: randomWeights(architectures[name]),
    weightPrecision,
  });
  made.push(model);
  return model;
}

/** Logits of the first token and the next. */
async function twoSteps(model: StepModel, candidates: number) {
  const selection = { ...everyLogit, candidates };
  const source = {
    inputIds: Int32Array.of(3, 4, 5),
    attentionMask: Int32Array.of(1, 1, 1),
    batch: 1,
    source: 3,
  };
  const feed = { source, prompt: Int32Array.of(0), promptLength: 1, beams: 2, maxLength: 4, selection };
  const { state, candidates: first } = await model.start(feed);
  const kept = { ids: first.ids, logits: first.logits.slice(), logSumExp: first.logSumExp.slice() };
  const step = { tokens: Int32Array.of(7, 9), position: 1, ancestry: new Int32Array(8) };
  step.ancestry[5] = 1;
  const second = await model.step(state, step);
  model.dispose(state);
  return [kept, second];
}

const some = Int32Array.from(Array.from({ length: vocabSize }, (_, id) => id).filter((id) => id % 3 !== 1));

describe.each(Object.keys(architectures))('rows of the output projection: %s', (name) => {
  it('give the logits that their tokens have among all', async () => {
    const model = makeModel(name);
    const [whole, part] = [await twoSteps(model, 0), await twoSteps(restrictVocabulary(model, some), 0)];
    whole.forEach(({ logits }, step) => {
      const wanted = logits.map((logit, at) =>
        some.includes(at % vocabSize) ? logit : Number.NEGATIVE_INFINITY,
      );
      wanted.forEach((logit, at) => {
        if (logit === Number.NEGATIVE_INFINITY) expect(part[step].logits[at]).toBe(logit);
        else expect(part[step].logits[at]).toBeCloseTo(logit, 5);
      });
      const rows = logits.length / vocabSize;
      for (let row = 0; row < rows; row++) {
        const own = wanted.subarray(row * vocabSize, (row + 1) * vocabSize);
        const sum = Math.log(own.reduce((total, logit) => total + Math.exp(logit), 0));
        expect(part[step].logSumExp[row]).toBeCloseTo(sum, 4);
      }
    });
  });

  it.each(['int8', 'int4'] as const)('are rounded where %s is asked for', async (precision) => {
    const model = restrictVocabulary(makeModel(name, precision), some);
    const [exact, rounded] = [
      await twoSteps(restrictVocabulary(makeModel(name), some), 0),
      await twoSteps(model, 0),
    ];
    exact.forEach(({ logits }, step) => {
      const pairs = Array.from(logits, (logit, at) => [logit, rounded[step].logits[at]]).filter(([logit]) =>
        Number.isFinite(logit),
      );
      const spread = Math.max(...pairs.map(([logit]) => Math.abs(logit)));
      const error = Math.max(...pairs.map(([logit, other]) => Math.abs(logit - other)));
      expect(error).toBeGreaterThan(0);
      expect(error / spread).toBeLessThan(precision === 'int8' ? 0.05 : 0.35);
    });
  });

  it('are made up to a round number, which shows nowhere', async () => {
    const model = makeModel(name);
    const few = some.subarray(0, 5);
    const [first, second] = await twoSteps(restrictVocabulary(model, few), 8);
    for (const { ids, logits } of [first, second]) {
      ids!.forEach((id, at) => {
        expect(at % 8 < 5 ? few.includes(id) : id === -1).toBe(true);
        expect(Number.isFinite(logits[at])).toBe(at % 8 < 5);
      });
    }
    const every = await twoSteps(restrictVocabulary(model, few), 0);
    expect(first.logSumExp[0]).toBeCloseTo(every[0].logSumExp[0], 5);
  });
});
