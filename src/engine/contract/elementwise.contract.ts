import * as tf from '@tensorflow/tfjs-core';
import type { Draw, Fill, KernelCase, Scenario } from './scenario.contract.js';

type Unary = (x: tf.Tensor) => tf.Tensor;

interface UnaryOptions {
  fill?: Fill;
  /** Numbers that its forward is also tried with; 'special' unless the ranges where tfjs is defined are smaller. */
  forward?: Fill;
  types?: readonly ('float32' | 'int32')[];
  gradient?: boolean;
  tolerance?: number;
}

function unary(kernel: string, op: Unary, options: UnaryOptions = {}): KernelCase {
  const { fill = 'normal', forward = 'special', types = ['float32'], gradient = true } = options;
  return {
    kernel,
    tolerance: options.tolerance,
    draw: (random) => {
      const type = random.pick(types);
      const differentiated = gradient && type === 'float32' && random.flag();
      return {
        inputs: {
          x: { type, shape: random.shape(0, 3), fill: differentiated ? fill : forward, finite: fill },
        },
        compute: ({ x }) => op(x),
        differentiate: differentiated ? ['x'] : [],
      };
    },
  };
}

const both = ['float32', 'int32'] as const;

const unaries: KernelCase[] = [
  unary('Abs', tf.abs, { types: both, fill: 'nonzero' }),
  unary('Acos', tf.acos, { fill: 'unit' }),
  unary('Acosh', (x) => tf.acosh(tf.add(tf.abs(x), 1.5)), { forward: 'normal' }),
  unary('Asin', tf.asin, { fill: 'unit' }),
  unary('Asinh', tf.asinh, { forward: 'normal' }),
  unary('Atan', tf.atan),
  unary('Atanh', tf.atanh, { fill: 'unit', forward: 'unit' }),
  unary('Ceil', tf.ceil),
  unary('ClipByValue', (x) => tf.clipByValue(x, -1, 1.5), { types: ['float32'] }),
  unary('Cos', tf.cos, { forward: 'normal' }),
  unary('Cosh', tf.cosh),
  unary('Elu', tf.elu),
  unary('Erf', tf.erf),
  unary('Exp', tf.exp, { types: both }),
  unary('Expm1', tf.expm1),
  unary('Floor', tf.floor),
  unary('Identity', tf.clone, { types: both }),
  unary('IsFinite', tf.isFinite, { types: both, gradient: false }),
  unary('IsInf', tf.isInf, { types: both, gradient: false }),
  unary('IsNan', tf.isNaN, { types: both, gradient: false }),
  unary('LeakyRelu', (x) => tf.leakyRelu(x, 0.3)),
  unary('Log', tf.log, { fill: 'positive' }),
  unary('Log1p', tf.log1p, { fill: 'positive' }),
  unary('Neg', tf.neg, { types: both }),
  unary('Reciprocal', tf.reciprocal, { fill: 'nonzero' }),
  unary('Relu', tf.relu, { types: both }),
  unary('Relu6', (x) => tf.relu6(tf.mul(x, 3)), { types: both }),
  unary('Round', tf.round, { types: both }),
  unary('Rsqrt', tf.rsqrt, { fill: 'positive' }),
  unary('Selu', tf.selu),
  unary('Sigmoid', tf.sigmoid),
  // The sign of NaN is 0 in tfjs; here it stays NaN.
  unary('Sign', tf.sign, { types: both, forward: 'coarse' }),
  unary('Sin', tf.sin, { forward: 'normal' }),
  unary('Sinh', tf.sinh),
  unary('Softplus', tf.softplus),
  unary('Sqrt', tf.sqrt, { fill: 'positive' }),
  unary('Square', tf.square, { types: both }),
  // The step of NaN is NaN in tfjs; here it is that of 0, which saves the backward pass of relu a comparison.
  unary('Step', (x) => tf.step(x, 0.25), { types: both, forward: 'normal' }),
  unary('Tan', tf.tan, { fill: 'unit', forward: 'unit' }),
  unary('Tanh', tf.tanh),
  // Ties and gradients at 0 follow from other kernels; these record what they must and nothing else.
  unary('ZerosLike', tf.zerosLike, { types: both }),
  unary('OnesLike', tf.onesLike, { types: both }),
  unary('EluGrad', (x) => tf.grad((t: tf.Tensor) => tf.elu(t))(x, tf.onesLike(x)), {
    gradient: false,
    forward: 'normal',
  }),
  {
    kernel: 'Cast',
    draw: (random) => {
      const type = random.pick(['float32', 'int32', 'bool'] as const);
      const to = random.pick(['float32', 'int32', 'bool'] as const);
      return {
        inputs: { x: { type, shape: random.shape(0, 3), fill: 'coarse' } },
        compute: ({ x }) => tf.cast(x, to),
        differentiate: type === 'float32' && to === 'float32' ? ['x'] : [],
        note: { to },
      };
    },
  },
];

interface BinaryOptions {
  fills?: readonly [Fill, Fill];
  types?: readonly ('float32' | 'int32' | 'bool')[];
  gradient?: boolean;
  wrongGradient?: string;
  /** NaN and infinities are tried too. */
  special?: boolean;
  /** No broadcasting. */
  sameShape?: boolean;
}

function binary(kernel: string, op: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, options: BinaryOptions = {}) {
  const { fills = ['normal', 'normal'], types = both, gradient = true, special = true } = options;
  const draw = (random: Draw): Scenario => {
    const type = random.pick(types);
    const [a, whole] = random.broadcastable(2, 4);
    const b = options.sameShape ? a : whole;
    const differentiated = gradient && type === 'float32' && random.integer(0, 3) > 0;
    const extreme = special && !differentiated && random.flag();
    return {
      inputs: {
        a: { type, shape: a, fill: extreme ? 'special' : fills[0], finite: fills[0] },
        b: { type, shape: b, fill: extreme && type === 'float32' ? 'special' : fills[1], finite: fills[1] },
      },
      compute: (inputs) => op(inputs.a, inputs.b),
      differentiate: differentiated ? ['a', 'b'] : [],
    };
  };
  return { kernel, draw, ...(options.wrongGradient ? { wrongGradient: options.wrongGradient } : {}) };
}

const noSum = 'tfjs does not sum the gradient over broadcast axes and throws';

const binaries: KernelCase[] = [
  binary('Add', tf.add),
  binary('Atan2', tf.atan2, { types: ['float32'], fills: ['nonzero', 'nonzero'], special: false }),
  binary('Sub', tf.sub),
  binary('Multiply', tf.mul),
  binary('RealDiv', tf.div, { fills: ['normal', 'nonzero'] }),
  binary('FloorDiv', tf.floorDiv, { fills: ['normal', 'nonzero'], special: false, gradient: false }),
  // Ties, where the gradient goes to the first operand; then broadcasting, without ties.
  binary('Maximum', tf.maximum, { fills: ['coarse', 'coarse'], sameShape: true }),
  binary('Minimum', tf.minimum, { fills: ['coarse', 'coarse'], sameShape: true }),
  binary('Maximum', tf.maximum, { fills: ['normal', 'coarse'], wrongGradient: noSum }),
  binary('Minimum', tf.minimum, { fills: ['normal', 'coarse'], wrongGradient: noSum }),
  binary('Mod', tf.mod, { fills: ['normal', 'nonzero'], special: false }),
  binary('Pow', tf.pow, { fills: ['positive', 'normal'], types: ['float32'], special: false }),
  binary('Prelu', tf.prelu, { types: ['float32'], special: false, wrongGradient: noSum }),
  binary('SquaredDifference', tf.squaredDifference, { sameShape: true }),
  binary('SquaredDifference', tf.squaredDifference, { wrongGradient: noSum }),
  ...(
    [
      ['Equal', tf.equal],
      ['NotEqual', tf.notEqual],
      ['Greater', tf.greater],
      ['GreaterEqual', tf.greaterEqual],
      ['Less', tf.less],
      ['LessEqual', tf.lessEqual],
    ] as const
  ).map(([kernel, op]) =>
    binary(kernel, op, { types: ['float32', 'int32', 'bool'], fills: ['coarse', 'coarse'], gradient: false }),
  ),
  binary('LogicalAnd', tf.logicalAnd, { types: ['bool'], gradient: false }),
  binary('LogicalOr', tf.logicalOr, { types: ['bool'], gradient: false }),
  {
    kernel: 'LogicalNot',
    draw: (random) => ({
      inputs: { x: { type: 'bool', shape: random.shape(0, 3) } },
      compute: ({ x }) => tf.logicalNot(x),
    }),
  },
  {
    kernel: 'AddN',
    draw: (random) => {
      const type = random.pick(both);
      const shape = random.shape(0, 3);
      const names = Array.from({ length: random.integer(1, 4) }, (_, index) => `x${index}`);
      return {
        inputs: Object.fromEntries(names.map((name) => [name, { type, shape }])),
        compute: (inputs) => tf.addN(names.map((name) => inputs[name])),
        differentiate: type === 'float32' ? names : [],
      };
    },
  },
  {
    kernel: 'Select',
    draw: (random) => {
      const type = random.pick(both);
      const [t, e, condition] = random.broadcastable(3, 3);
      return {
        inputs: {
          t: { type, shape: t },
          e: { type, shape: e },
          condition: { type: 'bool', shape: condition },
        },
        compute: (inputs) => tf.where(inputs.condition, inputs.t, inputs.e),
        differentiate: type === 'float32' ? ['t', 'e'] : [],
      };
    },
    wrongGradient: 'the Tile of a broadcast operand of rank 5 and above throws in tfjs',
  },
];

export const elementwiseCases: KernelCase[] = [...unaries, ...binaries];
