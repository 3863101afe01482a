import '../../test/support/engine/eager.js';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import '../node/install.js';
import { eagerLoss, parametersOf, randomWeights } from '../../test/support/pretraining/losses.js';
import { tiny, tinyFacts, tinyTransformer } from '../../test/support/pretraining/tinyModel.js';
import { rangeTo } from '../engine/ops/sizes.js';
import { bertLm, bertLmOptionsSchema } from './bertLm.js';
import { createDraws } from './draws.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const ids = [5, 9, 14, 22, 7, 30, 31];
const options = bertLmOptionsSchema.parse({ rate: 0.3, replacement: { mask: 1, keep: 0, random: 0 } });

test("the loss is the encoder's masked language modelling and the decoder's language modelling together", () => {
  const model = tinyTransformer();
  const objective = bertLm(model, tinyFacts, options);
  const weights = randomWeights(objective.loss);
  const batch = objective.batch([{ ids, draws: createDraws(1, 'bertLm', 0, 0) }], 4);
  const source = Array.from(batch.feeds.inputIds.data).slice(0, ids.length + 1);
  const whole = [...ids, tiny.eos];
  const masked = source.flatMap((id, at) => (id === tiny.mask ? [at] : []));
  expect(masked).toHaveLength(2);
  expect(batch.targetTokens).toBe(2 + whole.length);
  const byHand = tf.tidy(() => {
    const p = parametersOf(weights);
    const nll = (hidden: tf.Tensor, at: number, label: number) =>
      -tf
        .logSoftmax(model.logits(p, tf.reshape(tf.slice(hidden, [0, at, 0], [1, 1, -1]), [1, -1])))
        .dataSync()[label];
    const input = tf.tensor2d([source], [1, source.length], 'int32');
    const encoded = model.encode(p, input, tf.onesLike(input));
    const { hidden } = model.decode(p, {
      inputIds: tf.tensor2d([[tiny.pad, ...ids]], [1, whole.length], 'int32'),
      positions: rangeTo(whole.length),
      self: { kind: 'sequence', visibility: { causal: true } },
    });
    const encoder = masked.reduce((sum, at) => sum + nll(encoded, at, whole[at]), 0);
    return whole.reduce((sum, id, at) => sum + nll(hidden, at, id), encoder);
  });
  expect(eagerLoss(objective.loss, batch, weights)).toBeCloseTo(byHand, 3);
});

test('cross-attention has no part in it', () => {
  const objective = bertLm(tinyTransformer(), tinyFacts, options);
  expect([...randomWeights(objective.loss).keys()].filter((name) => name.includes('encoder_attn'))).toEqual(
    [],
  );
});

test('special tokens are not masked', () => {
  const facts = { ...tinyFacts, prefix: [2], decoderStartTokenId: 2 };
  const objective = bertLm(tinyTransformer(), facts, bertLmOptionsSchema.parse({ rate: 1 }));
  const batch = objective.batch([{ ids, draws: createDraws(1, 'bertLm', 0, 0) }], 1);
  expect(Array.from(batch.feeds.maskedPositions.data)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(Array.from(batch.feeds.maskedLabels.data)).toEqual(ids);
});
