import '../../test/support/engine/eager.js';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { createFakeModel } from '../../test/support/generation/fakeModel.js';
import { decode } from '../../test/support/generation/run.js';
import '../node/install.js';
import type { BertConfig } from '../encoder/bert.js';
import { scopedParameters } from '../engine/parameters.js';
import type { Device } from '../engine/program.js';
import type { WeightStore } from '../engine/weights.js';
import type { DecodingRules } from '../generation/options.js';
import { stretchBias } from '../nn/prefixAttention.js';
import { initialWeights } from '../training/initialize.js';
import { sequenceToSequence } from '../training/sequenceToSequence.js';
import { trainableParameters } from '../training/step.js';
import { type PrefixLmConfig, type PrefixStack, prefixLm } from './prefixLm.js';
import { bertStack, roformerStack } from './prefixStacks.js';
import { createScorer } from './scorer.js';
import { createStepModel } from './stepModel.js';

const vocabSize = 23;
const [pad, sep, mask] = [0, 1, 2];
const rules: DecodingRules = { decoderStartTokenId: sep, eosTokenIds: [sep], padTokenId: pad };

const bert: BertConfig = {
  vocabSize,
  hiddenSize: 16,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  intermediateSize: 24,
  maxPositionEmbeddings: 40,
  typeVocabSize: 6,
  hiddenAct: 'gelu',
  layerNormEps: 1e-5,
  hiddenDropoutProb: 0,
  attentionProbsDropoutProb: 0,
  initializerRange: 0.6,
};

const stacks: Record<string, PrefixStack> = {
  bert: bertStack(bert),
  roformer: roformerStack({ ...bert, embeddingSize: 12, rotaryValue: true }),
  'roformer v2': roformerStack({
    ...bert,
    embeddingSize: 16,
    rotaryValue: false,
    useBias: false,
    normType: 'rms_norm',
  }),
};

const ways: PrefixLmConfig[] = [
  { nextToken: 'mask', maskTokenId: mask, sourceTypeId: 4, targetTypeId: 5, maxTarget: 16 },
  { nextToken: 'last', sourceTypeId: 0, targetTypeId: 1, maxTarget: 16 },
];

const sources = [
  [3, 9, 5, 17, 20, sep],
  [3, 11, sep],
  [3, 21, 8, 6, sep],
];

beforeAll(() => tf.setBackend('cpu'));

/** Random weights, their computed tables included. */
function randomWeights(stack: PrefixStack, way: PrefixLmConfig) {
  const specs = trainableParameters(sequenceToSequence(prefixLm(stack, way), 0));
  const values = initialWeights(specs, 5);
  const shapes = new Map(specs.map(({ name, shape }) => [name, shape]));
  const store: WeightStore = {
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
  const parameters = scopedParameters({
    get: ({ name, shape, initializer }) => {
      const computed = initializer.kind === 'values' ? initializer.values() : undefined;
      return tf.tensor(values.get(name) ?? computed!, shape as number[]);
    },
    has: (name) => values.has(name),
  });
  return { store, parameters };
}

/** Logits of the next token by one pass over source, text and [MASK] under the whole prefix mask, without any cache. */
function recompute(
  stack: PrefixStack,
  way: PrefixLmConfig,
  p: ReturnType<typeof randomWeights>['parameters'],
) {
  return (source: readonly number[], history: readonly number[]): Float32Array =>
    tf.tidy(() => {
      const text = [...history.slice(1), ...(way.nextToken === 'mask' ? [mask] : [])];
      const ids = [...source, ...text];
      const row = (values: readonly number[]) => tf.tensor2d([...values], [1, values.length], 'int32');
      const until = ids.map((_, at) => Math.max(source.length, at + 1));
      const bias = stretchBias(row(ids.map(() => 0)), row(until), ids.length);
      const { hidden } = stack.run(p, {
        inputIds: row(ids),
        positions: row(ids.map((_, at) => at)),
        tokenTypeIds: row(ids.map((_, at) => (at < source.length ? way.sourceTypeId : way.targetTypeId))),
        self: { kind: 'sequence', visibility: { bias } },
      });
      const last = tf.slice(hidden, [0, ids.length - 1, 0], [1, 1, hidden.shape[2]!]);
      return stack.logits(p, last).dataSync() as Float32Array;
    });
}

const cases = Object.keys(stacks).flatMap((name) =>
  ways.flatMap((way) =>
    (['cpu', 'tfjs:cpu'] as Device[]).map((device) => [name, way.nextToken, device] as const),
  ),
);

describe.each(cases)('%s, the next token read at the %s, on %s', (name, nextToken, device) => {
  const stack = stacks[name];
  const way = ways.find((one) => one.nextToken === nextToken)!;
  const { store, parameters } = randomWeights(stack, way);
  const logits = recompute(stack, way, parameters);
  const whole = createFakeModel(vocabSize, logits, 16);

  test.each([1, 4])('decodes over a cache as by recomputing everything, with %i beams', async (numBeams) => {
    const cached = createStepModel(prefixLm(stack, way), { weights: store, device });
    const options = { numBeams, numReturnSequences: numBeams, maxNewTokens: 9, returnLogits: true };
    const found = await decode(cached, sources, options, {}, rules);
    const wanted = await decode(whole, sources, options, {}, rules);
    let compared = 0;
    wanted.forEach(({ sequences }, input) => {
      sequences.forEach(({ ids, score, logits: rows }, rank) => {
        const own = found[input].sequences[rank];
        expect(own.ids).toEqual(ids);
        expect(Math.abs(own.score - score)).toBeLessThan(1e-4);
        rows!.forEach((row, at) => {
          row.forEach((logit, token) => {
            compared++;
            if (Math.abs(own.logits![at][token] - logit) > 1e-4) expect(own.logits![at][token]).toBe(logit);
          });
        });
      });
    });
    expect(compared).toBeGreaterThan(sources.length * numBeams * vocabSize);
    await cached.release();
  });

  test('scores a text by one pass as token after token', async () => {
    const scorer = createScorer(prefixLm(stack, way), { weights: store, device });
    const target = [7, 19, 7, 4, sep];
    const scored = await scorer.score(sources.map((inputIds) => ({ inputIds, prompt: [sep], target })));
    scored.forEach(({ logProbabilities }, input) => {
      logProbabilities.forEach((found, at) => {
        const row = tf.tensor1d(logits(sources[input], [sep, ...target.slice(0, at)]));
        const wanted = tf.logSoftmax(row).dataSync()[target[at]];
        expect(Math.abs(found - wanted)).toBeLessThan(1e-4);
      });
    });
    await scorer.release();
  });
});
