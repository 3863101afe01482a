import '../../test/support/engine/eager.js';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { sinusoidalPositions } from './positions.js';
import { rotate, rotationAt } from './rotary.js';

beforeAll(() => tf.setBackend('cpu'));

const size = 6;
const table = () => tf.tensor2d(sinusoidalPositions(50, size), [50, size]);

test('turns each pair of features of each head by the angle of its position', () => {
  const x = Array.from({ length: 2 * 3 * 2 * size }, (_, i) => Math.sin(i * 1.7));
  const positions = [0, 7, 31];
  const rotation = rotationAt(table(), tf.tensor1d(positions, 'int32'));
  const found = rotate(tf.tensor3d(x, [2, 3, 2 * size]), rotation, 2).dataSync();
  for (let at = 0; at < x.length; at += 2) {
    const angle = positions[Math.floor(at / (2 * size)) % 3] / 10000 ** ((at % size) / size);
    const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
    expect(found[at]).toBeCloseTo(x[at] * cos - x[at + 1] * sin, 5);
    expect(found[at + 1]).toBeCloseTo(x[at + 1] * cos + x[at] * sin, 5);
  }
});

test('makes products depend on distances alone, also where each row has its own positions', () => {
  const row = (seed: number) => Array.from({ length: size }, (_, i) => Math.cos(i * seed));
  const product = (query: number, key: number) => {
    const at = (position: number, seed: number) => {
      const rotation = rotationAt(table(), tf.tensor2d([[position]], [1, 1], 'int32'));
      return rotate(tf.tensor3d(row(seed), [1, 1, size]), rotation, 1);
    };
    return tf.sum(tf.mul(at(query, 1.3), at(key, 2.1))).dataSync()[0];
  };
  expect(product(12, 5)).toBeCloseTo(product(40, 33), 4);
  expect(Math.abs(product(12, 5) - product(12, 6))).toBeGreaterThan(1e-2);
});
