import '../../test/support/engine/eager.js';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { bucketOf, relativeBias } from './relativePositions.js';

beforeAll(() => tf.setBackend('cpu'));

const distances = [
  -200, -128, -127, -91, -64, -45, -32, -31, -17, -16, -15, -12, -11, -9, -8, -7, -5, -4, -3, -2, -1, 0, 1, 2,
  3, 4, 5, 7, 8, 9, 11, 12, 16, 23, 32, 64, 90, 127, 128, 300,
];

/** Buckets, largest distance, both ways, and T5Attention._relative_position_bucket of transformers 5.23. */
const cases: [number, number, boolean, number[]][] = [
  [
    32,
    128,
    true,
    [
      15, 15, 15, 15, 14, 12, 12, 11, 10, 10, 9, 9, 8, 8, 8, 7, 5, 4, 3, 2, 1, 0, 17, 18, 19, 20, 21, 23, 24,
      24, 24, 25, 26, 27, 28, 30, 30, 31, 31, 31,
    ],
  ],
  [
    32,
    128,
    false,
    [
      31, 31, 31, 29, 26, 23, 21, 21, 16, 16, 15, 12, 11, 9, 8, 7, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ],
  ],
  [
    10,
    12,
    true,
    [
      4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 2, 2, 1, 0, 6, 7, 7, 8, 8, 9, 9, 9, 9, 9, 9, 9, 9,
      9, 9, 9, 9, 9,
    ],
  ],
  [
    10,
    12,
    false,
    [
      9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0,
    ],
  ],
  // 8 and 16 lie exactly between two buckets.
  [
    8,
    32,
    false,
    [
      7, 7, 7, 7, 7, 7, 7, 7, 6, 6, 6, 6, 5, 5, 5, 5, 4, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0,
    ],
  ],
];

describe('bucketOf', () => {
  test.each(cases)(
    '%s buckets up to %s, both ways: %s, as in transformers',
    (buckets, maxDistance, bidirectional, wanted) => {
      const found = distances.map((relative) => bucketOf(relative, { buckets, maxDistance, bidirectional }));
      expect(found).toEqual(wanted);
    },
  );
});

describe('relativeBias', () => {
  test('is the row of each distance, per head', async () => {
    const options = { buckets: 8, maxDistance: 5, bidirectional: true };
    const table = Array.from({ length: 16 }, (_, index) => Math.sin(index * 2.3));
    const [queries, keys] = [
      [0, 7, 30],
      [0, 1, 7, 40],
    ];
    const bias = relativeBias(
      tf.tensor2d(table, [8, 2]),
      options,
      tf.tensor1d(queries, 'int32'),
      tf.tensor1d(keys, 'int32'),
    );
    expect(bias.shape).toEqual([1, 2, 3, 4]);
    const wanted = [0, 1].flatMap((head) =>
      queries.flatMap((query) => keys.map((key) => table[bucketOf(key - query, options) * 2 + head])),
    );
    (await bias.data()).forEach((value, index) => {
      expect(value).toBeCloseTo(wanted[index], 6);
    });
  });

  test('takes positions of their own for each row', async () => {
    const options = { buckets: 8, maxDistance: 5, bidirectional: false };
    const table = tf.tensor2d(
      Array.from({ length: 16 }, (_, index) => Math.sin(index * 1.7)),
      [8, 2],
    );
    const rows = [
      [0, 1, 2],
      [4, 5, 9],
    ];
    const positions = tf.tensor2d(rows, [2, 3], 'int32');
    const bias = relativeBias(table, options, positions, positions);
    expect(bias.shape).toEqual([2, 2, 3, 3]);
    const alone = rows.map((row) => {
      const own = tf.tensor1d(row, 'int32');
      return Array.from(relativeBias(table, options, own, own).dataSync());
    });
    expect(Array.from(await bias.data())).toEqual(alone.flat());
  });
});
