import * as tf from '@tensorflow/tfjs-core';
import type { Dimension } from '../graph.js';
import { rangeTo, sizeOf } from '../ops/sizes.js';
import type { Draw, KernelCase, ScenarioInput } from './scenario.contract.js';

const numeric = ['float32', 'int32'] as const;
const all = ['float32', 'int32', 'bool'] as const;

/** One input `x`, differentiated where it can be. */
function one(
  kernel: string,
  choose: (random: Draw) => {
    shape: Dimension[];
    compute: (x: tf.Tensor) => tf.Tensor | tf.Tensor[];
    note?: unknown;
  },
  options: { types?: readonly ScenarioInput['type'][]; wrongGradient?: string } = {},
): KernelCase {
  return {
    kernel,
    ...(options.wrongGradient ? { wrongGradient: options.wrongGradient } : {}),
    draw: (random) => {
      const type = random.pick(options.types ?? numeric);
      const { shape, compute, note } = choose(random);
      return {
        inputs: { x: { type, shape } },
        compute: ({ x }) => compute(x),
        differentiate: type === 'float32' ? ['x'] : [],
        note,
      };
    },
  };
}

function shuffled(random: Draw, count: number): number[] {
  const rest = Array.from({ length: count }, (_, index) => index);
  return Array.from({ length: count }, () => rest.splice(random.integer(0, rest.length - 1), 1)[0]);
}

function axisOf(random: Draw, rank: number): number {
  return random.integer(-rank, rank - 1);
}

/** Shapes that the same elements can be reshaped to, by merging and splitting named sizes. */
const reshapes: ((t: tf.Tensor) => number[])[] = [
  (x) => [x.shape[0]! * x.shape[1]!, x.shape[2]!, x.shape[3]!],
  (x) => [x.shape[0]!, x.shape[1]! * x.shape[2]! * x.shape[3]!],
  (x) => [x.shape[0]!, x.shape[1]!, 2, x.shape[2]!, x.shape[3]! / 2],
  (x) => [-1, x.shape[3]!],
  (x) => [x.shape[1]!, x.shape[0]!, -1],
  (x) => [x.shape[0]!, 1, x.shape[1]!, x.shape[2]!, 1, x.shape[3]!],
  () => [-1],
  (x) => [x.shape[0]! * 2, x.shape[1]! * x.shape[2]! * (x.shape[3]! / 2)],
];

export const arrangeCases: KernelCase[] = [
  one('Reshape', (random) => {
    const target = random.integer(0, reshapes.length - 1);
    return {
      shape: [random.size(), random.size(), random.size(), 4],
      compute: (x) => tf.reshape(x, reshapes[target](x)),
      note: { target },
    };
  }),
  one(
    'ExpandDims',
    (random) => {
      const shape = random.shape(0, 3);
      const axis = random.integer(-shape.length - 1, shape.length);
      return { shape, compute: (x) => tf.expandDims(x, axis), note: { axis } };
    },
    { types: all },
  ),
  one(
    'Transpose',
    (random) => {
      const shape = random.shape(1, 4);
      const perm = shuffled(random, shape.length);
      return { shape, compute: (x) => tf.transpose(x, perm), note: { perm } };
    },
    { types: all },
  ),
  {
    kernel: 'Concat',
    draw: (random) => {
      const type = random.pick(numeric);
      const shape = random.shape(1, 3);
      const axis = random.integer(0, shape.length - 1);
      const names = Array.from({ length: random.integer(2, 3) }, (_, index) => `x${index}`);
      const inputs = Object.fromEntries(
        names.map((name) => [
          name,
          { type, shape: shape.map((size, i) => (i === axis ? random.size() : size)) },
        ]),
      );
      return {
        inputs,
        // What follows must know the size of the sum.
        compute: (given) => {
          const joined = tf.concat(
            names.map((name) => given[name]),
            axis,
          );
          return [joined, tf.reshape(joined, [-1])];
        },
        differentiate: type === 'float32' ? names : [],
        note: { axis },
      };
    },
  },
  {
    kernel: 'Pack',
    draw: (random) => {
      const type = random.pick(numeric);
      const shape = random.shape(0, 3);
      const axis = random.integer(0, shape.length);
      const names = Array.from({ length: random.integer(1, 3) }, (_, index) => `x${index}`);
      return {
        inputs: Object.fromEntries(names.map((name) => [name, { type, shape }])),
        compute: (given) =>
          tf.stack(
            names.map((name) => given[name]),
            axis,
          ),
        differentiate: type === 'float32' ? names : [],
        note: { axis },
      };
    },
  },
  one('Unpack', (random) => {
    const before = random.shape(0, 2);
    const shape = [...before, random.integer(2, 3), ...random.shape(0, 1)];
    const axis = before.length - (random.flag() ? shape.length : 0);
    return { shape, compute: (x) => tf.unstack(x, axis), note: { axis } };
  }),
  ...([tf.unstack, (x: tf.Tensor, axis: number) => tf.split(x, 1, axis)] as const).map((op, index) =>
    one(
      ['Unpack', 'SplitV'][index],
      (random) => ({ shape: [random.size(), 1, random.size()], compute: (x) => op(x, 1) }),
      { wrongGradient: 'tfjs throws where there is one part only' },
    ),
  ),
  one('SplitV', (random) => {
    const before = random.shape(0, 2);
    const shape = [...before, 6, ...random.shape(0, 1)];
    const axis = before.length - (random.flag() ? shape.length : 0);
    const parts = random.pick<number | number[]>([2, 3, [1, 5], [2, 1, 3], [4, -1]]);
    return { shape, compute: (x) => tf.split(x, parts, axis), note: { axis, parts } };
  }),
  {
    kernel: 'SplitV',
    draw: (random) => {
      const axis = random.pick([2, -1]);
      return {
        inputs: {
          x: { type: 'float32', shape: ['a', 2, 'b'] },
          y: { type: 'float32', shape: ['a', 2, 'c'] },
        },
        // Back to where it came from, at sizes known only as names.
        compute: ({ x, y }) => tf.split(tf.concat([x, y], 2), [x.shape[2]!, y.shape[2]!], axis),
        differentiate: ['x', 'y'],
      };
    },
  },
  one('Slice', (random) => {
    const shape = Array.from({ length: random.integer(1, 3) }, () =>
      random.pick<Dimension>([4, 5, 'a', 'b']),
    );
    const parts = shape.map((size) => {
      if (typeof size === 'string') return { begin: 0, size: random.pick([1, -1]) };
      const begin = random.integer(0, 3);
      return { begin, size: random.pick([-1, random.integer(1, size - begin)]) };
    });
    const begin = parts.map((part) => part.begin);
    const size = parts.map((part) => part.size);
    return { shape, compute: (x) => tf.slice(x, begin, size), note: { begin, size } };
  }),
  one(
    'PolybeamSliceGradient',
    (random) => {
      const begin = [random.integer(0, 2), 0];
      return { shape: [4, random.size()], compute: (x) => tf.slice(x, begin, [2, -1]), note: { begin } };
    },
    { types: ['float32'] },
  ),
  {
    // A table of more rows than are read; all but the first; the last; a window whose place is a named size.
    kernel: 'Slice',
    draw: (random) => {
      const which = random.integer(0, 4);
      return {
        inputs: { x: { type: 'float32', shape: [12, 3] }, y: { type: 'float32', shape: ['a', 'b', 2] } },
        compute: ({ x, y }) => {
          const [a, b] = y.shape as [number, number];
          if (which === 0) return tf.slice(x, [0, 0], [a, 3]);
          if (which === 1) return tf.slice(x, [2, 1], [a, -1]);
          if (which === 2) return tf.slice(x, [a, 0], [b, 3]);
          if (which === 3) return tf.slice(y, [a - 1, b - 1, 0], [1, 1, 2]);
          return tf.slice(
            tf.concat([x, tf.matMul(tf.reshape(y, [-1, 2]), tf.ones([2, 3]))], 0),
            [a, 0],
            [a * b, 3],
          );
        },
        differentiate: which < 3 ? ['x'] : which === 3 ? ['y'] : ['x', 'y'],
        note: { which },
      };
    },
  },
  {
    kernel: 'StridedSlice',
    draw: (random) => {
      const variants: ((x: tf.Tensor) => tf.Tensor)[] = [
        (x) => tf.stridedSlice(x, [0, 1, 0], [4, 5, 6], [1, 2, 3]),
        (x) => tf.stridedSlice(x, [-1, 0, 5], [-5, 5, 0], [-1, 1, -2]),
        (x) => tf.stridedSlice(x, [3, 0, 0], [0, 5, 6], [-1, 1, 1], 0, 1),
        (x) => tf.stridedSlice(x, [2, 3, 4], [0, 0, 1], [-1, -1, -2]),
        (x) => tf.stridedSlice(x, [1, 0, 0], [2, 5, 6], [1, 1, 1], 0, 0, 0, 0, 1),
        (x) => tf.stridedSlice(x, [0, 2], [1, 4], [1, 2], 1, 1, 0, 0, 0),
        (x) => tf.stridedSlice(x, [0, 0, 1], [0, 0, 4], [1, 1, 2], 3, 3, 0, 0, 0),
        (x) => tf.stridedSlice(x, [0, -3], [0, -1], [1, 1], 1, 1, 1, 0, 0),
        (x) => tf.stridedSlice(x, [0, 1, 0], [0, 0, 3], [1, 1, 1], 1, 1, 0, 2, 0),
      ];
      const which = random.integer(0, variants.length - 1);
      return {
        inputs: { x: { type: random.pick(numeric), shape: [4, 5, 6] } },
        compute: ({ x }) => variants[which](x),
        note: { which },
      };
    },
  },
  {
    kernel: 'StridedSlice',
    draw: (random) => {
      const variants: ((x: tf.Tensor) => tf.Tensor)[] = [
        (x) => tf.stridedSlice(x, [0, 1, 0], [x.shape[0]!, 5, x.shape[2]!], [1, 2, 1]),
        (x) => tf.stridedSlice(x, [0, 1, 0], [0, 5, 0], [1, 1, 1], 5, 5),
        (x) => tf.stridedSlice(x, [-1, 0, 0], [0, 2, 0], [1, 1, 1], 4, 5, 0, 0, 1),
        (x) => tf.stridedSlice(x, [-1, 3, 0], [0, 0, 0], [-1, -1, 1], 5, 5),
      ];
      const which = random.integer(0, variants.length - 1);
      return {
        inputs: { x: { type: 'float32', shape: ['a', 5, 'b'] } },
        compute: ({ x }) => variants[which](x),
        note: { which },
      };
    },
  },
  one(
    'Tile',
    (random) => {
      const shape = random.shape(1, 3);
      const reps = shape.map(() => random.integer(1, 3));
      return { shape, compute: (x) => tf.tile(x, reps), note: { reps } };
    },
    { types: all },
  ),
  {
    // Broadcasting to a named size is a Tile in tfjs, whose gradient adds one slice for each repetition.
    kernel: 'Tile',
    draw: (random) => {
      const type = random.pick(numeric);
      return {
        inputs: {
          x: { type, shape: random.pick<Dimension[]>([[3], [1, 3], ['b', 1], [1, 1, 1]]) },
          y: { type: 'float32', shape: ['a', 'b', 3] },
        },
        compute: ({ x, y }) => tf.broadcastTo(x, y.shape),
        differentiate: type === 'float32' ? ['x'] : [],
      };
    },
    wrongGradient: 'the reference would add a slice for each repetition, at any rank but the first four',
  },
  one('PadV2', (random) => {
    const shape = random.shape(1, 4);
    const paddings = shape.map(() => [random.integer(0, 2), random.integer(0, 2)] as [number, number]);
    const value = random.pick([0, -1, 7]);
    return { shape, compute: (x) => tf.pad(x, paddings, value), note: { paddings, value } };
  }),
  one(
    'MirrorPad',
    (random) => {
      const shape = [random.size(), 4, random.integer(3, 5)];
      const mode = random.pick(['reflect', 'symmetric'] as const);
      const paddings = [0, random.integer(0, 3), random.integer(0, 2)].map(
        (before) => [before, before && random.integer(0, 2)] as [number, number],
      );
      return { shape, compute: (x) => tf.mirrorPad(x, paddings, mode), note: { paddings, mode } };
    },
    { wrongGradient: 'tfjs leaves out what the mirrored elements add' },
  ),
  one('Reverse', (random) => {
    const shape = random.shape(1, 4);
    const axes = shuffled(random, shape.length).slice(0, random.integer(1, shape.length));
    const signed = axes.map((axis) => (random.flag() ? axis : axis - shape.length));
    return { shape, compute: (x) => tf.reverse(x, signed), note: { axes: signed } };
  }),
  {
    kernel: 'Fill',
    draw: (random) => {
      const shape = random.shape(0, 3);
      const [value, type] = random.pick<[number, 'float32' | 'int32' | 'bool']>([
        [1.5, 'float32'],
        [-3, 'int32'],
        [1, 'bool'],
      ]);
      return {
        inputs: { x: { type: 'float32', shape } },
        compute: ({ x }) => tf.fill(x.shape, value, type as 'int32'),
        note: { value, type },
      };
    },
  },
  {
    kernel: 'Range',
    draw: (random) => {
      const which = random.integer(0, 3);
      const type = random.pick(numeric);
      return {
        inputs: { x: { type: 'float32', shape: ['a'] } },
        compute: ({ x }) => {
          const size = x.shape[0]!;
          if (which === 0) return tf.range(0, size, 1, type);
          if (which === 1) return tf.range(2, size + 2, 1, type);
          if (which === 2) return tf.range(2, 9, 3, type);
          return tf.range(5, -4, -2, type);
        },
        note: { which, type },
      };
    },
  },
  {
    kernel: 'PolybeamRange',
    draw: (random) => ({
      inputs: { x: { type: 'float32', shape: random.shape(1, 3) } },
      compute: ({ x }) => [rangeTo(x.size), rangeTo(x.shape[0]!)],
    }),
  },
  {
    kernel: 'PolybeamSize',
    draw: (random) => {
      const shape = random.shape(1, 3);
      const axis = axisOf(random, shape.length);
      return {
        inputs: { x: { type: 'float32', shape } },
        compute: ({ x }) => sizeOf(x, axis),
        note: { axis },
      };
    },
  },
];
