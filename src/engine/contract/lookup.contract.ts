import * as tf from '@tensorflow/tfjs-core';
import type { Dimension } from '../graph.js';
import { dropout } from '../ops/dropout.js';
import type { Draw, KernelCase, Scenario } from './scenario.contract.js';

const both = ['float32', 'int32'] as const;

function gather(random: Draw, countedFromTheBack = false): Scenario {
  const type = random.pick(both);
  const shape: Dimension[] = [...random.shape(1, 2), ...(random.flag() ? [3] : [])];
  const axis = random.integer(0, shape.length - 1);
  const indices = random.pick<Dimension[]>([[], ['c'], [2, 'c'], [3]]);
  const given = countedFromTheBack ? axis - shape.length : axis;
  return {
    inputs: {
      x: { type, shape },
      indices: { type: 'int32', shape: indices, fill: { from: 0, below: shape[axis] } },
    },
    compute: (t) => tf.gather(t.x, t.indices, given),
    differentiate: type === 'float32' ? ['x'] : [],
    note: { axis: given },
  };
}

function gatherInBatch(random: Draw): Scenario {
  const batchDims = random.integer(1, 2);
  const batch = Array.from({ length: batchDims }, (_, index) => (index === 0 ? random.size() : 2));
  const shape = [...batch, ...[random.pick<Dimension>([2, 3]), random.size()].slice(random.integer(0, 1))];
  const axis = random.integer(batchDims, shape.length - 1);
  return {
    inputs: {
      x: { type: 'float32', shape },
      indices: { type: 'int32', shape: [...batch, random.size()], fill: { from: 0, below: shape[axis] } },
    },
    compute: ({ x, indices }) => tf.gather(x, indices, axis, batchDims),
    differentiate: ['x'],
    note: { axis, batchDims },
  };
}

function gatherNd(random: Draw): Scenario {
  const type = random.pick(both);
  const shape = [4, 4, ...random.shape(0, 2)];
  return {
    inputs: {
      x: { type, shape },
      indices: {
        type: 'int32',
        shape: [...random.shape(0, 2), random.integer(1, 2)],
        fill: { from: 0, below: 4 },
      },
    },
    compute: ({ x, indices }) => tf.gatherND(x, indices),
    differentiate: type === 'float32' ? ['x'] : [],
  };
}

function scatterNd(random: Draw): Scenario {
  const type = random.pick(both);
  const rest = random.shape(0, 2);
  const count = random.size();
  const named = random.flag();
  return {
    inputs: {
      indices: { type: 'int32', shape: [count, 1], fill: { from: 0, below: named ? 'd' : 3 } },
      updates: { type, shape: [count, ...rest] },
      like: { type, shape: ['d', ...rest] },
    },
    compute: ({ indices, updates, like }) =>
      tf.scatterND(indices, updates, named ? like.shape : [3, ...updates.shape.slice(1)]),
    differentiate: type === 'float32' ? ['updates'] : [],
    note: { named },
  };
}

function scatterUpdate(random: Draw): Scenario {
  const type = random.pick(both);
  const rest = random.shape(0, 2);
  return {
    inputs: {
      tensor: { type, shape: ['d', ...rest] },
      updates: { type, shape: [1, ...rest] },
      // One row: which of two equal indices wins is defined nowhere.
      indices: { type: 'int32', shape: [1, 1], fill: { from: 0, below: 'd' } },
    },
    compute: ({ tensor, indices, updates }) => tf.tensorScatterUpdate(tensor, indices, updates),
  };
}

function segmentSum(random: Draw): Scenario {
  const type = random.pick(['float32'] as const);
  const count = random.size();
  const segments = random.integer(1, 4);
  return {
    inputs: {
      x: { type, shape: [count, ...random.shape(0, 2)] },
      // Negative and too large segments are dropped.
      ids: { type: 'int32', shape: [count], fill: { from: -1, below: 5 } },
    },
    compute: ({ x, ids }) => tf.unsortedSegmentSum(x, ids as tf.Tensor1D, segments),
    differentiate: [],
    note: { segments },
  };
}

function segmentSumGradient(random: Draw): Scenario {
  const scenario = segmentSum(random);
  const ids = { ...scenario.inputs.ids, fill: { from: -1, below: 3 } };
  return {
    inputs: { ...scenario.inputs, ids },
    compute: (inputs) => tf.unsortedSegmentSum(inputs.x, inputs.ids as tf.Tensor1D, 3),
    differentiate: ['x'],
  };
}

function oneHot(random: Draw): Scenario {
  const type = random.pick(['float32', 'int32', 'bool'] as const);
  const depth = random.integer(2, 5);
  const named = random.flag();
  const [on, off] = random.pick([
    [1, 0],
    [5, -2],
  ]);
  return {
    inputs: {
      indices: { type: 'int32', shape: random.shape(0, 2) },
      like: { type: 'float32', shape: ['d', 2] },
    },
    compute: ({ indices, like }) =>
      tf.oneHot(
        indices as tf.Tensor1D,
        named ? like.size : depth,
        type === 'bool' ? 1 : on,
        type === 'bool' ? 0 : off,
        type,
      ),
    note: { type, depth, named, on, off },
  };
}

export const lookupCases: KernelCase[] = [
  { kernel: 'GatherV2', draw: (random) => gather(random) },
  { kernel: 'GatherV2', draw: (random) => gather(random, true) },
  {
    kernel: 'GatherV2',
    draw: gatherInBatch,
    wrongGradient: 'tfjs splits by a batch of any size, and ignores a second batch axis',
  },
  { kernel: 'GatherNd', draw: gatherNd, wrongGradient: 'tfjs has none' },
  { kernel: 'ScatterNd', draw: scatterNd, wrongGradient: 'tfjs has none' },
  { kernel: 'TensorScatterUpdate', draw: scatterUpdate },
  { kernel: 'UnsortedSegmentSum', draw: segmentSum },
  { kernel: 'UnsortedSegmentSum', draw: segmentSumGradient },
  { kernel: 'OneHot', draw: oneHot },
  {
    kernel: 'PolybeamKeepMask',
    draw: (random) => {
      const rate = random.pick([0.1, 0.5, 0.9]);
      const stream = random.integer(0, 1000);
      return {
        inputs: {
          x: { type: 'float32', shape: random.shape(0, 4) },
          seed: { type: 'int32', shape: [] },
        },
        compute: ({ x, seed }) => dropout(x, rate, { seed, next: { stream } }),
        // Eagerly the mask is read, which a gradient tape allows too.
        differentiate: ['x'],
        note: { rate, stream },
      };
    },
  },
];
