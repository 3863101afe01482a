import * as tf from '@tensorflow/tfjs-core';
import type { Dimension } from '../graph.js';
import type { Draw, Fill, KernelCase, Scenario } from './scenario.contract.js';

const both = ['float32', 'int32'] as const;

type Axes = number | number[] | undefined;

/** One axis, several, or all of them. */
function axesOf(random: Draw, rank: number): Axes {
  if (rank === 0 || random.integer(0, 4) === 0) return undefined;
  const axes = Array.from({ length: rank }, (_, axis) => axis).filter(() => random.flag());
  if (axes.length === 0) return random.integer(-rank, rank - 1);
  return random.flag() ? axes : axes.map((axis) => axis - rank);
}

function reduction(
  kernel: string,
  op: (x: tf.Tensor, axis?: number | number[], keepDims?: boolean) => tf.Tensor,
  options: {
    types?: readonly ('float32' | 'int32' | 'bool')[];
    fill?: Fill;
    gradient?: boolean;
    wrong?: string;
    shape?: (random: Draw) => Dimension[];
  } = {},
): KernelCase {
  const { types = both, fill = 'normal', gradient = true } = options;
  return {
    kernel,
    ...(options.wrong ? { wrongGradient: options.wrong } : {}),
    draw: (random) => {
      const type = random.pick(types);
      const shape = options.shape?.(random) ?? random.shape(0, 4);
      const axis = axesOf(random, shape.length);
      const keepDims = random.flag();
      return {
        inputs: { x: { type, shape, fill } },
        compute: ({ x }) => op(x, axis, keepDims),
        differentiate: gradient && type === 'float32' ? ['x'] : [],
        note: { axis, keepDims },
      };
    },
  };
}

function alongAxis(
  kernel: string,
  op: (x: tf.Tensor, axis: number) => tf.Tensor,
  options: { types?: readonly ('float32' | 'int32')[]; fill?: Fill; gradient?: boolean; last?: boolean } = {},
): KernelCase {
  return {
    kernel,
    draw: (random) => {
      const type = random.pick(options.types ?? both);
      const shape = random.shape(1, 3);
      const any = random.integer(-shape.length, shape.length - 1);
      const axis = options.last ? random.pick([-1, shape.length - 1]) : any;
      return {
        inputs: { x: { type, shape, fill: options.fill ?? 'normal' } },
        compute: ({ x }) => op(x, axis),
        differentiate: type === 'float32' && options.gradient !== false ? ['x'] : [],
        note: { axis },
      };
    },
  };
}

function cumsum(random: Draw): Scenario {
  const type = random.pick(both);
  const shape = random.shape(1, 3);
  const axis = random.integer(0, shape.length - 1);
  const [exclusive, reverse] = [random.flag(), random.flag()];
  return {
    inputs: { x: { type, shape } },
    compute: ({ x }) => tf.cumsum(x, axis, exclusive, reverse),
    differentiate: type === 'float32' ? ['x'] : [],
    note: { axis, exclusive, reverse },
  };
}

function topK(random: Draw): Scenario {
  const type = random.pick(both);
  const shape = [...random.shape(0, 2), random.integer(3, 6)];
  const k = random.integer(1, 3);
  return {
    inputs: { x: { type, shape, fill: 'coarse' } },
    compute: ({ x }) => {
      const { values, indices } = tf.topk(x, k, true);
      return [values, indices];
    },
    note: { k },
  };
}

const floatsOnly = { types: ['float32'] as const };

export const reduceCases: KernelCase[] = [
  reduction('Sum', tf.sum, { types: ['float32', 'int32', 'bool'] }),
  reduction('Mean', tf.mean, { types: ['float32', 'int32', 'bool'] }),
  reduction('Prod', tf.prod, {
    types: ['float32', 'int32'],
    fill: 'coarse',
    // The gradient is quadratic in what is reduced, so one size can be a name.
    shape: (random) => [2, random.size(), 3].slice(random.integer(0, 2)),
    wrong: 'tfjs takes the axes as given, negative ones and several at once included',
  }),
  reduction('Max', tf.max, { fill: 'coarse' }),
  reduction('Min', tf.min, { fill: 'coarse' }),
  reduction('All', tf.all, { types: ['bool'], gradient: false }),
  reduction('Any', tf.any, { types: ['bool'], gradient: false }),
  alongAxis('ArgMax', tf.argMax, { fill: 'coarse', gradient: false }),
  alongAxis('ArgMin', tf.argMin, { fill: 'coarse', gradient: false }),
  alongAxis('Softmax', tf.softmax, { ...floatsOnly, last: true }),
  {
    kernel: 'Cumsum',
    draw: cumsum,
    wrongGradient: 'tfjs transposes the gradient of an axis that is not the last',
  },
  { kernel: 'TopK', draw: topK },
];
