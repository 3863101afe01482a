import * as tf from '@tensorflow/tfjs-core';
import type { Dimension } from '../graph.js';
import { attention, splitHeads } from '../ops/attention.js';
import { cachedAttention } from '../ops/cachedAttention.js';
import { crossEntropy } from '../ops/crossEntropy.js';
import { gelu } from '../ops/gelu.js';
import { layerNorm } from '../ops/layerNorm.js';
import { linear } from '../ops/linear.js';
import { logSoftmax } from '../ops/logSoftmax.js';
import { logSumExp } from '../ops/logSumExp.js';
import { rangeTo } from '../ops/sizes.js';
import type { Draw, KernelCase, Scenario, ScenarioInput } from './scenario.contract.js';

const byHand = 'it is written here, so finite differences are what is independent of it';

function tensor(...shape: Dimension[]): ScenarioInput {
  return { type: 'float32', shape };
}

function layerNorms(random: Draw): Scenario {
  const leading: Dimension[] = random.pick<Dimension[]>([['a', 'b'], ['a'], ['a', 1, 'b'], [2, 3]]);
  const residual = random.flag();
  return {
    inputs: { x: tensor(...leading, 6), y: tensor(...leading, 6), gain: tensor(6), bias: tensor(6) },
    compute: ({ x, y, gain, bias }) => {
      const sum = residual ? tf.add(x, y) : x;
      const normal = layerNorm(sum, gain, bias, 1e-2);
      // As in a pre-norm layer, the sum is read again.
      return residual ? tf.add(normal, sum) : normal;
    },
    differentiate: residual ? ['x', 'y', 'gain', 'bias'] : ['x', 'gain', 'bias'],
    note: { residual },
  };
}

function gelus(random: Draw): Scenario {
  const approximate = random.flag();
  return {
    inputs: { x: tensor(...random.shape(1, 3)) },
    compute: ({ x }) => gelu(x, approximate),
    differentiate: ['x'],
    note: { approximate },
  };
}

function linears(random: Draw): Scenario {
  const biased = random.flag();
  const leading = random.pick<Dimension[]>([['a', 'b'], ['a'], ['a', 2, 'b']]);
  return {
    inputs: { x: tensor(...leading, 3), weight: tensor(4, 3), bias: tensor(4) },
    compute: ({ x, weight, bias }) => linear(x, weight, biased ? bias : undefined),
    differentiate: biased ? ['x', 'weight', 'bias'] : ['x', 'weight'],
    note: { biased },
  };
}

function logSoftmaxes(random: Draw): Scenario {
  return { inputs: { x: tensor(random.size(), 'b') }, compute: ({ x }) => logSoftmax(x) };
}

function logSumExps(random: Draw): Scenario {
  return { inputs: { x: tensor(random.size(), 'b') }, compute: ({ x }) => logSumExp(x) };
}

function crossEntropies(random: Draw): Scenario {
  const smoothing = random.pick([0, 0.1]);
  return {
    inputs: { logits: tensor('a', 5), labels: { type: 'int32', shape: ['a'], fill: { from: 0, below: 5 } } },
    compute: ({ logits, labels }) => {
      const { loss, negativeLogLikelihood } = crossEntropy(logits, labels, smoothing);
      return [loss, negativeLogLikelihood];
    },
    differentiate: ['logits'],
    note: { smoothing },
  };
}

function attentions(random: Draw): Scenario {
  const heads = 2;
  const [masked, biased, split] = [random.flag(), random.flag(), random.flag()];
  const causal = !split && random.flag();
  const source: Dimension = causal ? 'b' : 'c';
  const bias: Dimension[] = [random.pick<Dimension>([1, 'a']), random.pick([1, heads]), 'b', source];
  return {
    inputs: {
      query: tensor('a', 'b', 8),
      key: tensor('a', source, 8),
      value: tensor('a', source, 8),
      mask: { type: 'int32', shape: ['a', source], fill: { from: 0, below: 2 } },
      bias: tensor(...bias),
    },
    compute: ({ query, key, value, mask, bias: scores }) => {
      // A decoder keeps the memory of its source in heads.
      const [k, v] = split ? [splitHeads(key, heads), splitHeads(value, heads)] : [key, value];
      return attention(query, k, v, heads, {
        causal,
        // What nobody may read at all has no gradient to speak of: the first position is always open.
        ...(masked
          ? { keyMask: tf.maximum(mask, tf.cast(tf.equal(rangeTo(mask.shape[1]!), 0), 'int32')) }
          : {}),
        ...(biased ? { bias: scores } : {}),
      });
    },
    differentiate: random.flag() ? ['query', 'key', 'value', ...(biased ? ['bias'] : [])] : [],
    note: { masked, biased, causal, split },
  };
}

function cachedAttentions(): Scenario {
  const heads = 2;
  const rows = 'a*b';
  return {
    inputs: {
      query: tensor(rows, 1, 8),
      key: tensor(rows, 1, 8),
      value: tensor(rows, 1, 8),
      pastKey: tensor(rows, heads, 'c', 4),
      pastValue: tensor(rows, heads, 'c', 4),
      // A step that exists at any capacity.
      position: { type: 'int32', shape: [1], fill: { from: 0, below: 'c' } },
      ancestry: { type: 'int32', shape: ['a', 'b', 'c'], fill: { from: 0, below: 'b' } },
    },
    compute: ({ query, key, value, pastKey, pastValue, position, ancestry }) => {
      // A row reads its own token of this step.
      const [, beams, capacity] = ancestry.shape as [number, number, number];
      const now = tf.reshape(tf.equal(rangeTo(capacity), position), [1, 1, capacity]);
      const table = tf.where(now, tf.reshape(rangeTo(beams), [1, beams, 1]), ancestry);
      const { context, cache } = cachedAttention(
        query,
        key,
        value,
        heads,
        { key: pastKey, value: pastValue },
        { position, ancestry: table },
      );
      return [context, cache.key, cache.value];
    },
  };
}

/** Operations that passes fuse and that have gradients of their own, held to eager tfjs as kernels are. */
export const operationCases: KernelCase[] = [
  { kernel: 'layerNorm', draw: layerNorms, wrongGradient: byHand },
  { kernel: 'gelu', draw: gelus, wrongGradient: byHand },
  { kernel: 'linear', draw: linears, wrongGradient: byHand },
  { kernel: 'logSoftmax', draw: logSoftmaxes },
  { kernel: 'logSumExp', draw: logSumExps },
  { kernel: 'crossEntropy', draw: crossEntropies, wrongGradient: byHand },
  { kernel: 'attention', draw: attentions, wrongGradient: byHand },
  { kernel: 'cachedAttention', draw: cachedAttentions },
];
