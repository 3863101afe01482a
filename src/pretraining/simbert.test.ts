import '../../test/support/engine/eager.js';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import '../node/install.js';
import { parametersOf, randomWeights } from '../../test/support/pretraining/losses.js';
import { tiny, tinyFacts } from '../../test/support/pretraining/tinyModel.js';
import { stackFacts, tinyRoformer, tinyStack } from '../../test/support/pretraining/tinyStack.js';
import { prefixLm } from '../decoder/prefixLm.js';
import { firstPosition } from '../encoder/bert.js';
import { rangeTo } from '../engine/ops/sizes.js';
import { trainableParameters } from '../training/step.js';
import { createDraws } from './draws.js';
import { simbert, simbertOptionsSchema } from './simbert.js';
import { contrastiveLoss } from './similarityLoss.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const options = (given: object = {}) => simbertOptionsSchema.parse(given);
const pairs = [
  [
    [5, 9, 14],
    [22, 7],
  ],
  [[30, 31, 12, 6], [8]],
  [
    [17, 18],
    [19, 20, 21],
  ],
];
const examples = pairs.map(([ids, pair], at) => ({ ids, pair, draws: createDraws(1, 'simbert', 0, at) }));

type Feeds = ReturnType<ReturnType<typeof simbert>['batch']>['feeds'];

const tensorsOf = (feeds: Feeds) =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, { data, shape, dtype }]) => [name, tf.tensor(data, shape, dtype)]),
  );

/** Mean cross entropy of each vector finding its partner, by plain arithmetic. */
function plainContrast(vectors: number[][], scale: number): number {
  const length = (v: number[]) => Math.hypot(...v);
  const cosine = (a: number[], b: number[]) =>
    a.reduce((sum, value, at) => sum + value * b[at], 0) / length(a) / length(b);
  const losses = vectors.map((vector, row) => {
    const scores = vectors.map((other) => scale * cosine(vector, other));
    const others = scores.filter((_, at) => at !== row);
    return Math.log(others.reduce((sum, score) => sum + Math.exp(score), 0)) - scores[row ^ 1];
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

describe('the contrastive loss', () => {
  const vectors = Array.from({ length: 6 }, (_, row) =>
    Array.from({ length: 4 }, (_, at) => Math.sin(row * 5 + at * 2.3)),
  );
  const partners = tf.tensor1d([1, 0, 3, 2, 5, 4], 'int32');

  test('is the mean cross entropy of finding the partner among the other rows', () => {
    const found = contrastiveLoss(tf.tensor2d(vectors), partners, 20).dataSync()[0];
    expect(found).toBeCloseTo(plainContrast(vectors, 20), 4);
  });

  test('is 0 where there is none but the partner, and does not know lengths', () => {
    const two = tf.tensor2d(vectors.slice(0, 2));
    expect(contrastiveLoss(two, tf.tensor1d([1, 0], 'int32'), 20).dataSync()[0]).toBeCloseTo(0, 5);
    const longer = tf.mul(tf.tensor2d(vectors), tf.tensor2d([[1], [2], [3], [4], [5], [6]]));
    const found = contrastiveLoss(longer, partners, 5).dataSync()[0];
    expect(found).toBeCloseTo(plainContrast(vectors, 5), 4);
  });
});

describe.each([
  ['bert', () => tinyStack('last')],
  ['roformer', tinyRoformer],
] as const)('simbert on %s', (_, parts) => {
  test('writes each text of a pair behind the other, and tells vectors of sources apart', () => {
    const prefix = parts();
    const objective = simbert(prefix, stackFacts, options({ scale: 7, similarityWeight: 0.5 }));
    const weights = randomWeights(objective.loss);
    const batch = objective.batch(examples, 4);
    expect(batch.targetTokens).toBe(pairs.flat().reduce((sum, text) => sum + text.length + 1, 0));
    const model = prefixLm(prefix.stack, prefix.config);
    const { nll, vectors } = tf.tidy(() => {
      const p = parametersOf(weights);
      let nll = 0;
      const vectors: number[][] = [];
      for (const [source, target] of pairs.flatMap(([one, other]) => [
        [one, other],
        [other, one],
      ])) {
        const ids = [tiny.unk, ...source, tiny.eos];
        const labels = [...target, tiny.eos];
        const input = tf.tensor2d([ids], [1, ids.length], 'int32');
        const memoryMask = tf.onesLike(input);
        const { hidden } = model.decode(p, {
          inputIds: tf.tensor2d([[tiny.eos, ...target]], [1, labels.length], 'int32'),
          positions: rangeTo(labels.length),
          memory: model.readMemory(p, model.encode(p, input, memoryMask)),
          memoryMask,
          self: { kind: 'sequence', visibility: { causal: true } },
        });
        const logits = tf.logSoftmax(model.logits(p, hidden)).arraySync() as number[][][];
        labels.forEach((label, at) => {
          nll -= logits[0][at][label];
        });
        // The source alone: no text behind it has a part in its vector.
        const alone = prefix.stack.run(p, {
          inputIds: input,
          tokenTypeIds: tf.zerosLike(input),
          self: { kind: 'sequence', visibility: {} },
        });
        vectors.push(Array.from(firstPosition(alone.hidden).dataSync()));
      }
      return { nll, vectors };
    });
    const { lossSum, nllSum } = tf.tidy(() => {
      const sums = objective.loss.loss(parametersOf(weights), tensorsOf(batch.feeds));
      return { lossSum: sums.lossSum.dataSync()[0], nllSum: sums.nllSum.dataSync()[0] };
    });
    expect(nllSum).toBeCloseTo(nll, 3);
    const contrast = 0.5 * plainContrast(vectors, 7) * batch.targetTokens;
    expect(Math.abs(lossSum - (nll + contrast))).toBeLessThan(2e-3);
  });

  test('has the gradient that differences of its loss show', () => {
    const objective = simbert(parts(), stackFacts, options());
    const specs = trainableParameters(objective.loss);
    const weights = randomWeights(objective.loss);
    const { feeds } = objective.batch(examples, 4);
    const name = specs.find((spec) => spec.name.endsWith('layer.1.output.dense.weight'))!.name;
    const loss = (values: Float32Array) =>
      tf.tidy(() => {
        const p = parametersOf(new Map([...weights, [name, values]]));
        return objective.loss.loss(p, tensorsOf(feeds)).lossSum.dataSync()[0];
      });
    const shape = [...specs.find((spec) => spec.name === name)!.shape];
    const gradient = tf.tidy(() => {
      const p = parametersOf(weights);
      const differentiated = tf.grad((weight: tf.Tensor) => {
        const with_: typeof p = {
          ...p,
          scope: (prefix) => watched(p.scope(prefix), `${prefix}.`, name, weight),
        };
        return objective.loss.loss(with_, tensorsOf(feeds)).lossSum as tf.Scalar;
      });
      return differentiated(tf.tensor(weights.get(name)!, shape)).dataSync();
    });
    for (const at of [0, 17, 55, 100]) {
      const moved = (by: number) => {
        const values = weights.get(name)!.slice();
        values[at] += by;
        return loss(values);
      };
      const difference = (moved(1e-2) - moved(-1e-2)) / 2e-2;
      expect(Math.abs(gradient[at] - difference)).toBeLessThan(0.02 * Math.max(1, Math.abs(difference)));
    }
  });
});

type P = ReturnType<typeof parametersOf>;

/** Parameters of which one is a given tensor. */
function watched(p: P, prefix: string, name: string, weight: tf.Tensor): P {
  return {
    ...p,
    get: (own, ...rest) => (prefix + own === name ? weight : p.get(own, ...rest)),
    scope: (next) => watched(p.scope(next), `${prefix}${next}.`, name, weight),
  };
}

describe('simbert refuses', () => {
  test('models that read a [MASK], and tokenizers without [CLS]', () => {
    expect(() => simbert(tinyStack('mask'), stackFacts, options())).toThrow(
      /next_token is mask.*bert or roformer/,
    );
    expect(() => simbert(tinyStack('last'), tinyFacts, options())).toThrow(/\[CLS\]/);
  });
});
