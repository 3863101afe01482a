import '../../test/support/engine/eager.js';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import '../node/install.js';
import { eagerLoss, parametersOf, randomWeights } from '../../test/support/pretraining/losses.js';
import { tiny, tinyFacts, tinyTransformer } from '../../test/support/pretraining/tinyModel.js';
import { rangeTo } from '../engine/ops/sizes.js';
import { createDraws } from './draws.js';
import { chooseFragments, fitsMass, mass, massOptionsSchema, massRow } from './mass.js';

const options = (given: object = {}) => massOptionsSchema.parse(given);
const allMask = { mask: 1, keep: 0, random: 0 };
const example = (ids: number[], number = 0) => ({ ids, draws: createDraws(9, 'mass', 0, number) });
const text = fc.array(fc.integer({ min: tiny.firstOrdinary, max: tiny.vocabSize - 1 }), {
  minLength: 1,
  maxLength: 50,
});

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('fragments', () => {
  test('begin at the start, at the end or anywhere, as the rule says', () => {
    const counts = { start: 0, end: 0, inside: 0 };
    for (let number = 0; number < 5000; number++) {
      const [fragment] = chooseFragments(20, options(), createDraws(1, 'fragments', 0, number));
      expect(fragment.end - fragment.start).toBe(10);
      counts[fragment.start === 0 ? 'start' : fragment.end === 20 ? 'end' : 'inside']++;
    }
    // Anywhere is one of 11 places, the first and the last among them: 0.2 + 0.6 / 11 at each end.
    expect(Math.abs(counts.start / 5000 - (0.2 + 0.6 / 11))).toBeLessThan(0.03);
    expect(Math.abs(counts.end / 5000 - (0.2 + 0.6 / 11))).toBeLessThan(0.03);
  });

  test('of a document: one in each block', () => {
    const fragments = chooseFragments(150, options({ blockSize: 64 }), createDraws(1, 'blocks', 0, 0));
    expect(fragments.map(({ start }) => Math.floor(start / 64))).toEqual([0, 1, 2]);
    expect(fragments.map(({ start, end }) => end - start)).toEqual([32, 32, 11]);
    for (const { start, end } of fragments) expect(Math.floor((end - 1) / 64)).toBe(Math.floor(start / 64));
  });

  test('of a fixed length need a text as long', () => {
    expect(fitsMass(4, options({ fragmentLength: 5 }))).toBe(false);
    expect(fitsMass(5, options({ fragmentLength: 5 }))).toBe(true);
    expect(fitsMass(50, options({ fragmentLength: 5, blockSize: 4 }))).toBe(false);
  });

  test('a rule whose shares do not add up is refused', () => {
    expect(() => options({ startRule: { start: 0.5, end: 0.5, random: 0.5 } })).toThrow(/add up to 1/);
    expect(() => options({ replacement: { mask: 0.5 } })).toThrow(/add up to 1/);
  });
});

test('the decoder reads the true tokens before those of the fragment, at the positions they have in the text', () => {
  fc.assert(
    fc.property(text, fc.nat(1e6), fc.boolean(), (ids, number, blocks) => {
      const row = massRow(example(ids, number), tinyFacts, options(blocks ? { blockSize: 8 } : {}));
      const whole = [...ids, tiny.eos];
      const positions = Array.from(row.positions!);
      expect(Array.from(row.labels)).toEqual(positions.map((at) => whole[at]));
      expect(Array.from(row.decoderInput)).toEqual(
        positions.map((at) => (at === 0 ? tiny.pad : whole[at - 1])),
      );
      expect(row.source).toHaveLength(whole.length);
      whole.forEach((id, at) => {
        if (!positions.includes(at)) expect(row.source[at]).toBe(id);
        expect(row.visible![at]).toBe(row.source[at] === tiny.mask ? 0 : 1);
      });
    }),
  );
});

test('a text that begins with [CLS] keeps it, and fragments count from behind it', () => {
  const facts = { ...tinyFacts, prefix: [2], decoderStartTokenId: 2 };
  const row = massRow(example([5, 6, 7]), facts, options({ fragmentShare: 1, replacement: allMask }));
  expect(row).toMatchObject({
    source: [2, 3, 3, 3, 3],
    decoderInput: [2, 5, 6, 7],
    positions: [0, 1, 2, 3],
    labels: [5, 6, 7, tiny.eos],
    visible: [1, 0, 0, 0, 0],
  });
});

describe('special cases of the paper (section 3.2)', () => {
  test('k = 1 is masked language modelling: one token, predicted from the text around it', () => {
    const model = tinyTransformer();
    const objective = mass(model, tinyFacts, options({ fragmentLength: 1, replacement: allMask }));
    const weights = randomWeights(objective.loss);
    const ids = [5, 9, 14, 22, 7];
    for (let number = 0; number < 6; number++) {
      const batch = objective.batch([example(ids, number)], 1);
      expect(batch.targetTokens).toBe(1);
      const at = batch.feeds.decoderPositions.data[0];
      // By hand: -log p(token at | text with [MASK] there), the decoder at that place reading the token before.
      const byHand = tf.tidy(() => {
        const p = parametersOf(weights);
        const whole = [...ids, tiny.eos];
        const masked = whole.map((id, place) => (place === at ? tiny.mask : id));
        const source = tf.tensor2d([masked], [1, masked.length], 'int32');
        const memory = model.encode(p, source, tf.onesLike(source));
        const seen = tf.tensor2d(
          [masked.map((id) => (id === tiny.mask ? 0 : 1))],
          [1, masked.length],
          'int32',
        );
        const { hidden } = model.decode(p, {
          inputIds: tf.tensor2d([[at === 0 ? tiny.pad : whole[at - 1]]], [1, 1], 'int32'),
          positions: tf.tensor1d([at], 'int32'),
          memory: model.readMemory(p, memory),
          memoryMask: seen,
          self: { kind: 'sequence', visibility: { causal: true } },
        });
        const logits = model.logits(p, tf.reshape(hidden, [1, -1]));
        return -tf.logSoftmax(logits).dataSync()[whole[at]];
      });
      expect(eagerLoss(objective.loss, batch, weights)).toBeCloseTo(byHand, 4);
    }
  });

  test('k = m is standard language modelling: every token from those before it, whatever the source', () => {
    const model = tinyTransformer();
    const objective = mass(model, tinyFacts, options({ fragmentShare: 1, replacement: allMask }));
    const weights = randomWeights(objective.loss);
    // Nothing of the source may be seen; what cross-attention makes of nothing is silenced, to compare with no source at all.
    for (const [name, values] of weights) if (name.includes('encoder_attn.out_proj')) values.fill(0);
    const ids = [5, 9, 14, 22, 7];
    const batch = objective.batch([example(ids)], 1);
    expect(Array.from(batch.feeds.memoryMask.data)).toEqual([0, 0, 0, 0, 0, 0]);
    const whole = [...ids, tiny.eos];
    const byHand = tf.tidy(() => {
      const p = parametersOf(weights);
      let sum = 0;
      // One prefix at a time: no token after the predicted one is anywhere in the computation.
      for (let length = 1; length <= whole.length; length++) {
        const inputs = [tiny.pad, ...whole.slice(0, length - 1)];
        const source = tf.tensor2d([[tiny.unk]], [1, 1], 'int32');
        const { hidden } = model.decode(p, {
          inputIds: tf.tensor2d([inputs], [1, length], 'int32'),
          positions: rangeTo(length),
          memory: model.readMemory(p, model.encode(p, source, tf.onesLike(source))),
          memoryMask: tf.onesLike(source),
          self: { kind: 'sequence', visibility: { causal: true } },
        });
        const last = tf.reshape(tf.slice(hidden, [0, length - 1, 0], [1, 1, hidden.shape[2]!]), [1, -1]);
        sum -= tf.logSoftmax(model.logits(p, last)).dataSync()[whole[length - 1]];
      }
      return sum;
    });
    expect(eagerLoss(objective.loss, batch, weights)).toBeCloseTo(byHand, 3);
  });
});

test('what cross-attention may not see changes nothing', () => {
  const objective = mass(tinyTransformer(), tinyFacts, options({ replacement: allMask }));
  const weights = randomWeights(objective.loss);
  const examples = [example([5, 9, 14, 22, 7, 30, 31], 1), example([8, 9], 2)];
  const batch = objective.batch(examples, 4);
  const loss = eagerLoss(objective.loss, batch, weights);
  // Decoding row by row without padding gives the same sum.
  const alone = [1, 2].map((number, at) =>
    eagerLoss(objective.loss, objective.batch([example(Array.from(examples[at].ids), number)], 1), weights),
  );
  expect(loss).toBeCloseTo(alone[0] + alone[1], 3);
});
