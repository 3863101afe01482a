import '../../test/support/engine/eager.js';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { attention } from '../engine/ops/attention.js';
import { jointAttention } from '../engine/ops/jointAttention.js';
import { stretchBias } from './prefixAttention.js';

beforeAll(() => tf.setBackend('cpu'));

test('stretchBias hides what lies before the first and behind the last position of each stretch', () => {
  const from = tf.tensor2d([[0, 1, 2]], [1, 3], 'int32');
  const until = tf.tensor2d([[2, 2, 4]], [1, 3], 'int32');
  const bias = stretchBias(from, until, 4);
  expect(bias.shape).toEqual([1, 1, 3, 4]);
  const seen = Array.from(bias.dataSync(), (value) => (value === 0 ? 1 : 0));
  expect(seen).toEqual([1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1]);
  expect(Math.min(...bias.dataSync())).toBe(-1e9);
});

test('jointAttention over parts equals attention over their concatenation, several rows to a group', () => {
  const values = (shape: number[], seed: number) =>
    tf.tensor(
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * seed) * 2),
      shape,
    );
  const query = values([4, 2, 6], 1.1);
  const shared = { key: values([2, 3, 5, 2], 0.7), value: values([2, 3, 5, 2], 1.9) };
  const own = { key: values([4, 3, 4, 2], 2.3), value: values([4, 3, 4, 2], 0.3) };
  const sharedBias = tf.tensor([0, 0, -1e9, 0, 0, -1e9, 0, 0, 0, 0], [2, 1, 1, 5]);
  const ownBias = tf.tensor([0, -1e9, 0, 0, -1e9, 0, 0, 0], [1, 1, 2, 4]);
  const found = jointAttention(
    query,
    [
      { ...shared, bias: sharedBias },
      { ...own, bias: ownBias },
    ],
    3,
  );
  // Rows 0 and 1 read the first group, rows 2 and 3 the second.
  const rows = (x: tf.Tensor) => tf.gather(x, tf.tensor1d([0, 0, 1, 1], 'int32'));
  const joined = (part: 'key' | 'value') => tf.concat([rows(shared[part]), own[part]], 2);
  const wide = tf.tile(rows(sharedBias), [1, 1, 2, 1]);
  const bias = tf.concat([wide, tf.tile(ownBias, [4, 1, 1, 1])], 3);
  const wanted = attention(query, joined('key'), joined('value'), 3, { bias });
  expect(tf.max(tf.abs(tf.sub(found, wanted))).dataSync()[0]).toBeLessThan(1e-5);
});
