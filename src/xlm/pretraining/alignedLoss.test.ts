import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import '../../node/install.js';
import { compile } from '../../engine/compile.js';
import type { Device, Signature } from '../../engine/program.js';
import { floats, integers } from '../../engine/values.js';
import { alignedNegativeLogLikelihood, noCell } from './alignedLoss.js';

/** Of one n-gram: masked positions are rows of the logits, and every target token may be aligned to each. */
interface Case {
  logits: number[][];
  labels: number[];
  /** a(i|j): [targets][positions] */
  weights: number[][];
}

const numbers = (count: number, phase: number) =>
  Array.from({ length: count }, (_, index) => 1.7 * Math.sin(index * 2.3 + phase));

function makeCase(positions: number, labels: number[], vocabSize: number, uniform: boolean): Case {
  const flat = numbers(positions * vocabSize, positions);
  return {
    logits: Array.from({ length: positions }, (_, i) => flat.slice(i * vocabSize, (i + 1) * vocabSize)),
    labels,
    weights: labels.map((_, j) => {
      const raw = Array.from({ length: positions }, (_, i) =>
        uniform ? 1 : 0.2 + Math.abs(Math.sin(3 * i + j)),
      );
      const sum = raw.reduce((total, one) => total + one, 0);
      return raw.map((one) => one / sum);
    }),
  };
}

const softmax = (row: readonly number[]) => {
  const powers = row.map(Math.exp);
  const sum = powers.reduce((total, one) => total + one, 0);
  return powers.map((one) => one / sum);
};

/** All functions from targets to positions. */
function alignments(targets: number, positions: number): number[][] {
  if (targets === 0) return [[]];
  return alignments(targets - 1, positions).flatMap((rest) =>
    Array.from({ length: positions }, (_, position) => [...rest, position]),
  );
}

/** -log P(y) as the sum over every alignment, and its gradient by the alignments' posteriors; in double precision. */
function enumerated({ logits, labels, weights }: Case): { loss: number; gradient: number[][] } {
  const p = logits.map(softmax);
  const all = alignments(labels.length, logits.length).map((alignment) => ({
    alignment,
    probability: alignment.reduce((product, i, j) => product * weights[j][i] * p[i][labels[j]], 1),
  }));
  const total = all.reduce((sum, { probability }) => sum + probability, 0);
  const gradient = logits.map((row) => row.map(() => 0));
  for (const { alignment, probability } of all) {
    alignment.forEach((i, j) => {
      p[i].forEach((share, v) => {
        gradient[i][v] += (probability / total) * (share - (v === labels[j] ? 1 : 0));
      });
    });
  }
  return { loss: -Math.log(total), gradient };
}

/** Central differences of the enumerated loss. */
function differences(given: Case): number[][] {
  const step = 1e-5;
  const at = (i: number, v: number, by: number) => {
    const logits = given.logits.map((row, r) =>
      row.map((value, c) => (r === i && c === v ? value + by : value)),
    );
    return enumerated({ ...given, logits }).loss;
  };
  return given.logits.map((row, i) => row.map((_, v) => (at(i, v, step) - at(i, v, -step)) / (2 * step)));
}

const signature: Signature = {
  logits: { type: 'float32', shape: ['masked', 'vocabulary'] },
  labels: { type: 'int32', shape: ['targets'] },
  rows: { type: 'int32', shape: ['targets', 'width'] },
  logWeights: { type: 'float32', shape: ['targets', 'width'] },
  scale: { type: 'float32', shape: ['targets'] },
};

/** Several n-grams of different sizes in one batch: losses of targets, and the gradient of their scaled sum. */
async function run(device: Device, cases: readonly Case[], scales?: readonly number[]) {
  const program = await compile(
    ({ logits, labels, rows, logWeights, scale }) => {
      const loss = (x: tf.Tensor) => alignedNegativeLogLikelihood(x, { labels, rows, logWeights });
      const weighted = (x: tf.Tensor) => tf.sum(tf.mul(loss(x), scale)) as tf.Scalar;
      return { losses: loss(logits), gradient: tf.grad(weighted)(logits) };
    },
    signature,
    { device },
  );
  const logits = cases.flatMap((one) => one.logits);
  const labels = cases.flatMap((one) => one.labels);
  const width = Math.max(...cases.map((one) => one.logits.length));
  const rows: number[] = [];
  const logWeights: number[] = [];
  let first = 0;
  for (const { logits: own, weights } of cases) {
    for (const perPosition of weights) {
      for (let i = 0; i < width; i++) {
        rows.push(i < own.length ? first + i : 0);
        logWeights.push(i < own.length ? Math.log(perPosition[i]) : noCell);
      }
    }
    first += own.length;
  }
  const size = [labels.length, width];
  const found = await program.run({
    logits: floats([logits.length, logits[0].length], Float32Array.from(logits.flat())),
    labels: integers([labels.length], Int32Array.from(labels)),
    rows: integers(size, Int32Array.from(rows)),
    logWeights: floats(size, Float32Array.from(logWeights)),
    scale: floats([labels.length], Float32Array.from(scales ?? labels.map(() => 1))),
  });
  await program.dispose();
  return { losses: Array.from(found.losses.data), gradient: Array.from(found.gradient.data) };
}

const cases = [
  makeCase(3, [4, 1], 7, false),
  makeCase(1, [2, 2, 6], 7, false),
  // The same token twice, and more targets than positions.
  makeCase(2, [5, 5, 0, 3], 7, true),
  makeCase(1, [3], 7, true),
];

describe.each(['cpu', 'tfjs:cpu'] as Device[])('the loss of aligned targets on %s', (device) => {
  test('is what enumerating all alignments gives, and so is its gradient', async () => {
    const found = await run(device, cases);
    let target = 0;
    let row = 0;
    for (const one of cases) {
      const wanted = enumerated(one);
      const loss = found.losses
        .slice(target, target + one.labels.length)
        .reduce((sum, each) => sum + each, 0);
      expect(loss).toBeCloseTo(wanted.loss, 4);
      one.logits.forEach((_, i) => {
        wanted.gradient[i].forEach((value, v) => {
          expect(found.gradient[(row + i) * 7 + v]).toBeCloseTo(value, 5);
        });
      });
      target += one.labels.length;
      row += one.logits.length;
    }
  });

  test('has the gradient that differences of the loss show', async () => {
    for (const one of cases.slice(0, 3)) {
      const { gradient } = await run(device, [one]);
      differences(one)
        .flat()
        .forEach((value, at) => {
          expect(gradient[at]).toBeCloseTo(value, 4);
        });
    }
  });

  test('targets can count more or less, and one cell of weight 1 is plain cross entropy', async () => {
    const one = cases[3];
    const plain = -Math.log(softmax(one.logits[0])[3]);
    const { losses, gradient } = await run(device, [one], [2.5]);
    expect(losses[0]).toBeCloseTo(plain, 5);
    softmax(one.logits[0]).forEach((share, v) => {
      expect(gradient[v]).toBeCloseTo(2.5 * (share - (v === 3 ? 1 : 0)), 5);
    });
  });

  test('probabilities that vanish in float32 leave a loss and a gradient', async () => {
    const logits = [
      [0, 300, 0, 0, 0, 0, 0],
      [0, 0, 250, 0, 0, 0, 0],
    ];
    const far = { logits, labels: [4], weights: [[0.5, 0.5]] };
    const { losses, gradient } = await run(device, [far]);
    expect(losses[0]).toBeCloseTo(250 - Math.log(0.5), 2);
    // All of it is the second position's.
    expect(gradient[7 + 4]).toBeCloseTo(-1, 5);
    expect(gradient[4]).toBeCloseTo(0, 5);
  });
});
