import '../../test/support/engine/eager.js';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import '../node/install.js';
import { tiny } from '../../test/support/pretraining/tinyModel.js';
import { stackFacts, tinyRoformer } from '../../test/support/pretraining/tinyStack.js';
import { createDraws } from './draws.js';
import { corrupted, distillationLoss, roformerSim, roformerSimOptionsSchema } from './roformerSim.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const options = (given: object = {}) => roformerSimOptionsSchema.parse(given);
// Tokens with even ids begin words: four words of two tokens, one of one.
const text = [6, 7, 10, 11, 14, 15, 20, 21, 24];

describe('sources', () => {
  test('are corrupted half of the time, in whole words, and targets never', () => {
    const all = { replacement: { mask: 1, keep: 0, random: 0 }, rate: 0.3 };
    let touched = 0;
    for (let number = 0; number < 1000; number++) {
      const found = corrupted(text, options(all), stackFacts, createDraws(2, 'sim', 0, number));
      expect(found).toHaveLength(text.length);
      const masked = found.map((id) => id === tiny.mask);
      if (masked.includes(true)) touched++;
      for (let at = 0; at < 8; at += 2) expect(masked[at]).toBe(masked[at + 1]);
      found.forEach((id, at) => {
        if (!masked[at]) expect(id).toBe(text[at]);
      });
    }
    expect(Math.abs(touched / 1000 - 0.5)).toBeLessThan(0.05);
    const objective = roformerSim(tinyRoformer(), stackFacts, options({ ...all, corruptShare: 1 }));
    const draws = createDraws(2, 'sim', 0, 0);
    const { feeds } = objective.batch([{ ids: text, pair: [8, 9], draws }], 1);
    const labels = Array.from(feeds.labels.data);
    expect(labels).toEqual([8, 9, tiny.eos, ...text, tiny.eos]);
    expect(Array.from(feeds.inputIds.data)).toContain(tiny.mask);
  });

  test('are as they were where none is to be corrupted, as with SimBERT', () => {
    const draws = createDraws(2, 'sim', 0, 0);
    expect(corrupted(text, options({ corruptShare: 0 }), stackFacts, draws)).toEqual(text);
  });
});

describe('distillation', () => {
  const vectors = Array.from({ length: 4 }, (_, row) =>
    Array.from({ length: 3 }, (_, at) => Math.cos(row * 3 + at * 1.9) * (row + 1)),
  );
  const length = (v: number[]) => Math.hypot(...v);
  const cosine = (a: number[], b: number[]) =>
    a.reduce((sum, value, at) => sum + value * b[at], 0) / length(a) / length(b);
  const teacher = vectors.map((_, row) => vectors.map((_, other) => Math.sin(row + other)));
  const plain = (given: number[][]) =>
    given
      .flatMap((a, i) => given.map((b, j) => (cosine(a, b) - teacher[i][j]) ** 2))
      .reduce((x, y) => x + y, 0) / 16;

  test("is the mean squared difference of the cosines, 0 for the teacher's own", () => {
    const found = distillationLoss(tf.tensor2d(vectors), tf.tensor2d(teacher)).dataSync()[0];
    expect(found).toBeCloseTo(plain(vectors), 5);
    const own = tf.tensor2d(vectors.map((a) => vectors.map((b) => cosine(a, b))));
    expect(distillationLoss(tf.tensor2d(vectors), own).dataSync()[0]).toBeCloseTo(0, 6);
  });

  test('has the gradient that differences show', () => {
    const gradient = tf
      .grad((x: tf.Tensor) => distillationLoss(x, tf.tensor2d(teacher)) as tf.Scalar)(tf.tensor2d(vectors))
      .arraySync() as number[][];
    vectors.forEach((row, i) => {
      row.forEach((_, j) => {
        const moved = (by: number) =>
          plain(vectors.map((one, at) => (at === i ? one.map((x, k) => (k === j ? x + by : x)) : one)));
        expect(gradient[i][j]).toBeCloseTo((moved(1e-4) - moved(-1e-4)) / 2e-4, 4);
      });
    });
  });
});
