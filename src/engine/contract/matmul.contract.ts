import * as tf from '@tensorflow/tfjs-core';
import type { Dimension } from '../graph.js';
import type { Draw, KernelCase, Scenario } from './scenario.contract.js';

/** Leading axes of two operands; other broadcasts, [1, d] with [2, 1], are computed wrongly by tfjs. */
const batches: [Dimension[], Dimension[]][] = [
  [[], []],
  [['d'], ['d']],
  [
    ['d', 2],
    ['d', 2],
  ],
  [['d'], []],
  [['d', 2], [2]],
  [[1], ['d']],
];

function product(random: Draw): Scenario {
  const [transposeA, transposeB] = [random.flag(), random.flag()];
  const [rows, inner, columns] = [random.size(), random.size(), random.size()];
  const [first, second] = random.pick(batches);
  const matrix = (x: Dimension, y: Dimension, swap: boolean) => (swap ? [y, x] : [x, y]);
  return {
    inputs: {
      a: { type: 'float32', shape: [...first, ...matrix(rows, inner, transposeA)] },
      b: { type: 'float32', shape: [...second, ...matrix(inner, columns, transposeB)] },
    },
    compute: ({ a, b }) => tf.matMul(a, b, transposeA, transposeB),
    differentiate: ['a', 'b'],
    note: { transposeA, transposeB },
  };
}

function integerProduct(random: Draw): Scenario {
  return {
    inputs: { a: { type: 'int32', shape: [random.size(), 'd'] }, b: { type: 'int32', shape: ['d', 2] } },
    compute: ({ a, b }) => tf.matMul(a, b),
  };
}

const equations: { equation: string; shapes: Dimension[][] }[] = [
  {
    equation: 'ij,jk->ik',
    shapes: [
      ['a', 'b'],
      ['b', 3],
    ],
  },
  {
    equation: 'bhtd,bhsd->bhts',
    shapes: [
      ['a', 2, 'b', 3],
      ['a', 2, 'c', 3],
    ],
  },
  {
    equation: 'bhts,hsd->bthd',
    shapes: [
      ['a', 2, 'b', 'c'],
      [2, 'c', 3],
    ],
  },
  { equation: 'i,j->ij', shapes: [['a'], ['b']] },
  {
    equation: 'bi,bi->b',
    shapes: [
      ['a', 4],
      ['a', 4],
    ],
  },
  { equation: 'ij->ji', shapes: [['a', 'b']] },
  { equation: 'ij->j', shapes: [['a', 'b']] },
  {
    equation: 'bij,bjk->ik',
    shapes: [
      ['a', 'b', 2],
      ['a', 2, 'c'],
    ],
  },
  {
    equation: 'ij,kj->i',
    shapes: [
      ['a', 3],
      ['b', 3],
    ],
  },
];

function einsum(random: Draw): Scenario {
  const { equation, shapes } = random.pick(equations);
  const names = shapes.map((_, index) => `x${index}`);
  return {
    inputs: Object.fromEntries(names.map((name, index) => [name, { type: 'float32', shape: shapes[index] }])),
    compute: (inputs) => tf.einsum(equation, ...names.map((name) => inputs[name])),
    differentiate: names,
    note: { equation },
  };
}

const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const;

function fusedProduct(random: Draw): Scenario {
  const activation = random.pick(activations);
  const [transposeA, transposeB, biased] = [random.flag(), random.flag(), random.flag()];
  return {
    inputs: {
      a: { type: 'float32', shape: transposeA ? [3, 'a'] : ['a', 3] },
      b: { type: 'float32', shape: transposeB ? ['b', 3] : [3, 'b'] },
      bias: { type: 'float32', shape: ['b'] },
      alpha: { type: 'float32', shape: ['b'] },
    },
    compute: ({ a, b, bias, alpha }) =>
      tf.fused.matMul({
        a,
        b,
        transposeA,
        transposeB,
        activation,
        ...(biased ? { bias } : {}),
        ...(activation === 'prelu' ? { preluActivationWeights: alpha } : {}),
        ...(activation === 'leakyrelu' ? { leakyreluAlpha: 0.3 } : {}),
      }),
    note: { activation, transposeA, transposeB, biased },
  };
}

export const matmulCases: KernelCase[] = [
  {
    kernel: 'BatchMatMul',
    draw: product,
    wrongGradient: 'tfjs does not sum the gradient over broadcast batch axes and throws',
  },
  { kernel: 'BatchMatMul', draw: integerProduct },
  { kernel: 'Einsum', draw: einsum, wrongGradient: 'tfjs has none' },
  { kernel: '_FusedMatMul', draw: fusedProduct },
];
