import '../../../test/support/engine/eager.js';
import '../../../test/support/engine/runtime.js';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { attention } from './attention.js';
import { cachedAttention } from './cachedAttention.js';
import { crossEntropy } from './crossEntropy.js';
import { gelu } from './gelu.js';
import { layerNorm } from './layerNorm.js';
import { linear } from './linear.js';
import { rmsNorm } from './rmsNorm.js';

// The contract suite holds graphs to eager tfjs, and gradients to differences; here the eager functions themselves
// equal what their papers say, written as plain loops in double precision.
beforeAll(() => tf.setBackend('cpu'));

/** Numbers without a pattern, [-1, 1]. */
function numbers(count: number, phase: number): number[] {
  return Array.from({ length: count }, (_, index) => Math.sin(index * 2.3 + phase));
}

function expectClose(found: tf.Tensor, wanted: readonly number[]): void {
  const values = found.dataSync();
  expect(values).toHaveLength(wanted.length);
  wanted.forEach((value, index) => {
    expect(values[index]).toBeCloseTo(value, 5);
  });
}

const sum = (list: readonly number[]): number => list.reduce((total, value) => total + value, 0);

function softmax(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - largest));
  return powers.map((power) => power / sum(powers));
}

describe('layerNorm', () => {
  it('has mean 0 and variance 1 before gain and bias', () => {
    const [x, gain, bias] = [numbers(12, 0), numbers(4, 1), numbers(4, 2)];
    const wanted = [0, 1, 2].flatMap((row) => {
      const values = x.slice(row * 4, row * 4 + 4);
      const mean = sum(values) / 4;
      const variance = sum(values.map((value) => (value - mean) ** 2)) / 4;
      return values.map((value, i) => ((value - mean) / Math.sqrt(variance + 0.01)) * gain[i] + bias[i]);
    });
    expectClose(layerNorm(tf.tensor(x, [3, 4]), tf.tensor(gain), tf.tensor(bias), 0.01), wanted);
  });
});

describe('rmsNorm', () => {
  it('has mean square 1 before the gain, and keeps the mean', () => {
    const [x, gain] = [numbers(12, 0), numbers(4, 1)];
    const wanted = [0, 1, 2].flatMap((row) => {
      const values = x.slice(row * 4, row * 4 + 4);
      const square = sum(values.map((value) => value ** 2)) / 4;
      return values.map((value, i) => (value / Math.sqrt(square + 0.01)) * gain[i]);
    });
    expectClose(rmsNorm(tf.tensor(x, [3, 4]), tf.tensor(gain), 0.01), wanted);
  });
});

describe('gelu', () => {
  it('weighs x by the normal distribution', () => {
    // x Phi(x) to ten digits, from tables of the normal distribution.
    const [x, wanted] = [
      [-3, -1, 0, 0.5, 1, 2],
      [-0.0040496941, -0.1586552539, 0, 0.3457312306, 0.8413447461, 1.9544997361],
    ];
    expectClose(gelu(tf.tensor(x)), wanted);
    const tanhForm = x.map(
      (v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))),
    );
    expectClose(gelu(tf.tensor(x), true), tanhForm);
  });
});

describe('linear', () => {
  it('multiplies by rows of the weight', () => {
    const [x, weight, bias] = [numbers(6, 0), numbers(8, 1), numbers(4, 2)];
    const wanted = [0, 1, 2].flatMap((row) =>
      [0, 1, 2, 3].map(
        (out) => x[row * 2] * weight[out * 2] + x[row * 2 + 1] * weight[out * 2 + 1] + bias[out],
      ),
    );
    expectClose(linear(tf.tensor(x, [3, 1, 2]), tf.tensor(weight, [4, 2]), tf.tensor(bias)), wanted);
  });
});

describe('crossEntropy', () => {
  it.each([0, 0.2])('is the expectation of -log p under the smoothed label, smoothing %s', (smoothing) => {
    const [logits, labels] = [numbers(15, 0).map((value) => 5 * value), [3, 0, 4]];
    const logs = labels.map((_, row) => softmax(logits.slice(row * 5, row * 5 + 5)).map(Math.log));
    const { loss, negativeLogLikelihood } = crossEntropy(
      tf.tensor(logits, [3, 5]),
      tf.tensor(labels, [3], 'int32'),
      smoothing,
    );
    const losses = labels.map((label, row) =>
      sum(logs[row].map((log, i) => -log * ((i === label ? 1 - smoothing : 0) + smoothing / 5))),
    );
    expectClose(loss, losses);
    expectClose(
      negativeLogLikelihood,
      labels.map((label, row) => -logs[row][label]),
    );
  });
});

/** Attention of one head over explicit lists: what a position reads of the positions it sees. */
function attend(
  query: number[],
  keys: number[][],
  values: number[][],
  extra: (index: number) => number,
  scale = 1 / Math.sqrt(query.length),
): number[] {
  const scores = keys.map((key, index) => {
    const product = sum(key.map((value, i) => value * query[i]));
    return product * scale + extra(index);
  });
  const weights = softmax(scores);
  return values[0].map((_, i) => sum(values.map((value, index) => weights[index] * value[i])));
}

describe('attention', () => {
  it('reads what mask and causality leave, per head', () => {
    const [q, k, v] = [0, 1, 2].map((phase) => numbers(2 * 3 * 4, phase).map((value) => 2 * value));
    const mask = [1, 1, 0, 1, 1, 1];
    const found = attention(tf.tensor(q, [2, 3, 4]), tf.tensor(k, [2, 3, 4]), tf.tensor(v, [2, 3, 4]), 2, {
      keyMask: tf.tensor(mask, [2, 3], 'int32'),
      causal: true,
    });
    const slice = (list: number[], batch: number, position: number, head: number) =>
      list.slice((batch * 3 + position) * 4 + head * 2, (batch * 3 + position) * 4 + head * 2 + 2);
    const wanted = [0, 1].flatMap((batch) =>
      [0, 1, 2].flatMap((target) =>
        [0, 1].flatMap((head) => {
          const seen = [0, 1, 2].filter((source) => source <= target && mask[batch * 3 + source] === 1);
          const keys = seen.map((source) => slice(k, batch, source, head));
          const values = seen.map((source) => slice(v, batch, source, head));
          return attend(slice(q, batch, target, head), keys, values, () => 0);
        }),
      ),
    );
    expectClose(found, wanted);
  });

  it('adds a bias to the scores', () => {
    const [q, k, v] = [0, 1, 2].map((phase) => numbers(2, phase));
    const bias = [0.5, -1, 2, 0];
    const found = attention(tf.tensor(q, [1, 2, 1]), tf.tensor(k, [1, 2, 1]), tf.tensor(v, [1, 2, 1]), 1, {
      bias: tf.tensor(bias, [1, 1, 2, 2]),
    });
    const rows = [0, 1].flatMap((target) =>
      attend([q[target]], [[k[0]], [k[1]]], [[v[0]], [v[1]]], (source) => bias[target * 2 + source]),
    );
    expectClose(found, rows);
  });
});

describe('attention with a scale', () => {
  it('multiplies the scores by it, and then adds the bias', () => {
    const [q, k, v] = [0, 1, 2].map((phase) => numbers(4, phase));
    const bias = [0.5, -1, 2, 0];
    const [query, key, value] = [q, k, v].map((list) => tf.tensor(list, [1, 2, 2]));
    const rows = (list: number[]) => [list.slice(0, 2), list.slice(2)];
    for (const scale of [1, 3]) {
      const found = attention(query, key, value, 1, { bias: tf.tensor(bias, [1, 1, 2, 2]) }, { scale });
      const wanted = [0, 1].flatMap((target) =>
        attend(rows(q)[target], rows(k), rows(v), (source) => bias[target * 2 + source], scale),
      );
      expectClose(found, wanted);
    }
  });
});

describe('cachedAttention', () => {
  it.each([
    ['', undefined, undefined],
    [', with a scale', 3, undefined],
    [', with a bias and no scale', 1, [0.5, -2, 1, 9]],
  ])('reads each position from the beam that the table names, and writes this step%s', (_, scale, bias) => {
    // One sentence, two beams, capacity 4, now at position 2, one head of size 2.
    const [pastKey, pastValue] = [numbers(16, 0), numbers(16, 1)];
    const [q, k, v] = [2, 3, 4].map((phase) => numbers(4, phase));
    const ancestry = [0, 1, 0, 0, 0, 0, 1, 0];
    const { context, cache } = cachedAttention(
      tf.tensor(q, [2, 1, 2]),
      tf.tensor(k, [2, 1, 2]),
      tf.tensor(v, [2, 1, 2]),
      1,
      { key: tf.tensor(pastKey, [2, 1, 4, 2]), value: tf.tensor(pastValue, [2, 1, 4, 2]) },
      { position: tf.tensor([2], [1], 'int32'), ancestry: tf.tensor(ancestry, [1, 2, 4], 'int32') },
      { scale, bias: bias && tf.tensor(bias, [1, 1, 1, 4]) },
    );
    const at = (list: number[], row: number, position: number) =>
      list.slice((row * 4 + position) * 2, (row * 4 + position) * 2 + 2);
    const now = (list: number[], row: number) => list.slice(row * 2, row * 2 + 2);
    const wanted = [0, 1].flatMap((row) => {
      const rows = [0, 1].map((position) => ancestry[row * 4 + position]);
      const keys = [...rows.map((from, position) => at(pastKey, from, position)), now(k, row)];
      const values = [...rows.map((from, position) => at(pastValue, from, position)), now(v, row)];
      return attend(now(q, row), keys, values, (position) => bias?.[position] ?? 0, scale);
    });
    expectClose(context, wanted);
    const written = (past: number[], step: number[]) =>
      past.map((value, i) => (Math.floor(i / 2) % 4 === 2 ? step[Math.floor(i / 8) * 2 + (i % 2)] : value));
    expectClose(cache.key, written(pastKey, k));
    expectClose(cache.value, written(pastValue, v));
  });
});
