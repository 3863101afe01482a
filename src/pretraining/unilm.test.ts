import '../../test/support/engine/eager.js';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import '../node/install.js';
import { eagerLoss, parametersOf, randomWeights } from '../../test/support/pretraining/losses.js';
import { tiny } from '../../test/support/pretraining/tinyModel.js';
import { stackFacts, tinyStack } from '../../test/support/pretraining/tinyStack.js';
import { prefixLm } from '../decoder/prefixLm.js';
import { compile } from '../engine/compile.js';
import { rangeTo } from '../engine/ops/sizes.js';
import { weightStore } from '../pretrained/openWeights.js';
import { trainableParameters } from '../training/step.js';
import { createDraws } from './draws.js';
import { type StackRow, stackBatch, stackLoss } from './stackLoss.js';
import { maskRow, type UnilmKind, unilm, unilmOptionsSchema, unilmRow, visibleRow } from './unilm.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const options = (given: object = {}) => unilmOptionsSchema.parse(given);
const only = (kind: UnilmKind) => ({
  bidirectional: 0,
  sequenceToSequence: 0,
  leftToRight: 0,
  rightToLeft: 0,
  [kind]: 1,
});
const segments = {
  bidirectional: [0, 1] as [number, number],
  sequenceToSequence: [4, 5] as const,
  leftToRight: 2,
  rightToLeft: 3,
};
const ids = [5, 9, 14, 22, 7, 30, 31, 12];
const draws = (number: number) => createDraws(3, 'unilm', 0, number);
const rowOf = (kind: UnilmKind, number: number, given: object = {}) =>
  unilmRow({ ids, draws: draws(number) }, stackFacts, options({ mixture: only(kind), ...given }), segments);

/** Which positions see which, by the definition of each kind. */
const sees: Record<UnilmKind, (at: number, other: number, cut: number) => boolean> = {
  bidirectional: () => true,
  leftToRight: (at, other) => other <= at,
  rightToLeft: (at, other) => other >= at,
  sequenceToSequence: (at, other, cut) => other < cut || (at >= cut && other <= at),
};

describe.each(Object.keys(sees) as UnilmKind[])('a row %s', (kind) => {
  test('sees what its kind sees, in its segments', () => {
    for (let number = 0; number < 20; number++) {
      const row = rowOf(kind, number);
      const cut = row.tokenTypeIds.lastIndexOf(row.tokenTypeIds[0]) + 1;
      const length = row.inputIds.length;
      for (let at = 0; at < length; at++) {
        for (let other = 0; other < length; other++) {
          const seen = row.from[at] <= other && other < row.until[at];
          expect(seen).toBe(sees[kind](at, other, cut));
        }
      }
      const wanted = segments[kind];
      expect([...new Set(row.tokenTypeIds)]).toEqual(Array.isArray(wanted) ? wanted : [wanted]);
    }
  });

  test('predicts tokens of the text it was made of, and changes no others', () => {
    for (let number = 0; number < 20; number++) {
      const row = rowOf(kind, number, { rate: 0.4 });
      const restored = [...row.inputIds];
      row.labelPositions.forEach((at, index) => {
        restored[at] = row.labels[index];
      });
      expect(restored.filter((id) => id !== tiny.unk && id !== tiny.eos)).toEqual(ids);
      expect(restored[0]).toBe(tiny.unk);
      expect(restored.at(-1)).toBe(tiny.eos);
      expect(row.labelPositions.length).toBeGreaterThan(0);
    }
  });
});

test('kinds come as often as the mixture says', () => {
  const counts = new Map<number, number>();
  for (let number = 0; number < 6000; number++) {
    const [first] = unilmRow({ ids, draws: draws(number) }, stackFacts, options(), segments).tokenTypeIds;
    counts.set(first, (counts.get(first) ?? 0) + 1);
  }
  for (const [segment, share] of [
    [0, 1 / 3],
    [4, 1 / 3],
    [2, 1 / 6],
    [3, 1 / 6],
  ]) {
    expect(Math.abs(counts.get(segment)! / 6000 - share)).toBeLessThan(0.02);
  }
});

test('is a function of seed, epoch and example', () => {
  const row = (seed: number, epoch: number, number: number) =>
    unilmRow({ ids, draws: createDraws(seed, 'unilm', epoch, number) }, stackFacts, options(), segments);
  expect(row(1, 2, 3)).toEqual(row(1, 2, 3));
  const others = [row(2, 2, 3), row(1, 3, 3), row(1, 2, 4)];
  for (const other of others) expect(other).not.toEqual(row(1, 2, 3));
});

const kinds = Object.keys(sees) as UnilmKind[];
const mixed = () => kinds.map((kind, number) => rowOf(kind, number, { rate: 0.4 }));

/** The loss of one row under a mask written out place by place. */
function plainLoss(row: StackRow, weights: ReadonlyMap<string, Float32Array>): number {
  return tf.tidy(() => {
    const { stack } = tinyStack();
    const p = parametersOf(weights);
    const length = row.inputIds.length;
    const places = row.inputIds.map((_, at) => at);
    const bias = places.map((at) =>
      places.map((other) => (row.from[at] <= other && other < row.until[at] ? 0 : -1e9)),
    );
    const matrix = (values: number[]) => tf.tensor2d([values], [1, length], 'int32');
    const { hidden } = stack.run(p, {
      inputIds: matrix(row.inputIds),
      tokenTypeIds: matrix(row.tokenTypeIds),
      self: { kind: 'sequence', visibility: { bias: tf.tensor4d([[bias]]) } },
    });
    const logits = tf.logSoftmax(stack.logits(p, hidden)).arraySync() as number[][][];
    return row.labels.reduce((sum, label, at) => sum - logits[0][row.labelPositions[at]][label], 0);
  });
}

describe('the loss', () => {
  test('of a batch of all kinds is the sum of what each row gives alone', () => {
    const loss = stackLoss(tinyStack().stack, 0);
    const weights = randomWeights(loss);
    const rows = mixed();
    const found = eagerLoss(loss, stackBatch(rows, stackFacts, 8), weights);
    expect(found).toBeCloseTo(
      rows.reduce((sum, row) => sum + plainLoss(row, weights), 0),
      3,
    );
  });

  test('is one program for all kinds', async () => {
    const loss = stackLoss(tinyStack().stack, 0);
    const weights = randomWeights(loss);
    const shapes = new Map(trainableParameters(loss).map(({ name, shape }) => [name, shape]));
    const stored = [...weights].map(([name, data]) => {
      const bytes = new Uint8Array(data.buffer);
      return [
        name,
        { format: 'F32', shape: shapes.get(name)!, data: { kind: 'memory', data: bytes } },
      ] as const;
    });
    const program = await compile((inputs, p) => loss.loss(p, inputs), loss.signature, {
      weights: weightStore(new Map(stored)),
    });
    for (const rows of [mixed(), mixed().slice(0, 1), mixed().slice(2)]) {
      const batch = stackBatch(rows, stackFacts, 4);
      const feeds = Object.entries(batch.feeds).map(
        ([name, { dtype, shape, data }]) => [name, { type: dtype, shape, data }] as const,
      );
      const { nllSum } = await program.run(Object.fromEntries(feeds));
      expect(nllSum.data[0]).toBeCloseTo(eagerLoss(loss, batch, weights), 3);
    }
    await program.dispose();
  });

  test('of one masked target token is what decoding gives that token', () => {
    const { stack, config } = tinyStack();
    const loss = stackLoss(stack, 0);
    const weights = randomWeights(loss);
    const source = [tiny.unk, 5, 9, 14, tiny.eos];
    const target = [22, 7, 30, tiny.eos];
    const model = prefixLm(stack, config);
    const byDecoding = tf.tidy(() => {
      const p = parametersOf(weights);
      const input = tf.tensor2d([source], [1, source.length], 'int32');
      const memoryMask = tf.onesLike(input);
      const { hidden } = model.decode(p, {
        inputIds: tf.tensor2d([[tiny.eos, ...target.slice(0, -1)]], [1, target.length], 'int32'),
        positions: rangeTo(target.length),
        memory: model.readMemory(p, model.encode(p, input, memoryMask)),
        memoryMask,
        self: { kind: 'sequence', visibility: { causal: true } },
      });
      return tf.logSoftmax(model.logits(p, hidden)).arraySync() as number[][][];
    });
    const whole = [...source, ...target];
    const row = visibleRow(whole, source.length, 4, 5, 'sequenceToSequence');
    const choice = options({ replacement: { mask: 1, keep: 0, random: 0 } });
    target.forEach((token, at) => {
      const place = source.length + at;
      const masked = maskRow(row, [[place, place + 1]], stackFacts, choice, draws(at));
      expect(masked.labels).toEqual([token]);
      const found = eagerLoss(loss, stackBatch([masked], stackFacts, 1), weights);
      expect(found).toBeCloseTo(-byDecoding[0][at][token], 3);
    });
  });
});

describe('options', () => {
  test('refuse a mixture of nothing, and segments that the model lacks', () => {
    expect(() => options({ mixture: { ...only('leftToRight'), leftToRight: 0 } })).toThrow(/above 0/);
    const given = options({ segments: { bidirectional: [0, 1], leftToRight: 6, rightToLeft: 3 } });
    expect(() => unilm(tinyStack(), stackFacts, given)).toThrow(/segments has 6, and the model knows 6/);
  });

  test('refuse models that read the next token elsewhere', () => {
    expect(() => unilm(tinyStack('last'), stackFacts, options())).toThrow(/next_token is last/);
  });
});
