import * as tf from '@tensorflow/tfjs-core';
import { defineGradient, sumTo } from './gradientRegistry.js';

/** Gradients of kernels that compute element by element, the formulas of tfjs 4.22. */

const float = (x: tf.Tensor) => tf.cast(x, 'float32');
const oneLess = (x: tf.Tensor) => tf.sub(tf.scalar(1), x);

/** dy and the input -> the gradient. */
const ofInput: Record<string, (dy: tf.Tensor, x: tf.Tensor) => tf.Tensor> = {
  Abs: (dy, x) => tf.mul(dy, tf.step(float(x), -1)),
  Acos: (dy, x) => tf.neg(tf.div(dy, tf.sqrt(oneLess(tf.square(float(x)))))),
  Acosh: (dy, x) => tf.div(dy, tf.sqrt(tf.sub(tf.square(float(x)), 1))),
  Asin: (dy, x) => tf.div(dy, tf.sqrt(oneLess(tf.square(float(x))))),
  Asinh: (dy, x) => tf.div(dy, tf.sqrt(tf.add(tf.scalar(1), tf.square(float(x))))),
  Atan: (dy, x) => tf.div(dy, tf.add(tf.square(float(x)), 1)),
  Atanh: (dy, x) => tf.div(dy, oneLess(tf.square(float(x)))),
  Cos: (dy, x) => tf.mul(tf.neg(tf.sin(float(x))), dy),
  Cosh: (dy, x) => tf.mul(tf.sinh(float(x)), dy),
  Erf: (dy, x) => tf.mul(dy, tf.mul(tf.exp(tf.neg(tf.square(x))), 2 / Math.sqrt(Math.PI))),
  Expm1: (dy, x) => tf.mul(dy, tf.exp(x)),
  Log: (dy, x) => tf.div(dy, float(x)),
  Log1p: (dy, x) => tf.div(dy, tf.add(x, 1)),
  Reciprocal: (dy, x) => tf.div(dy, tf.neg(tf.square(x))),
  Relu: (dy, x) => tf.mul(dy, float(tf.step(x))),
  Relu6: (dy, x) => tf.mul(dy, float(tf.mul(tf.lessEqual(x, 6), tf.step(x)))),
  Rsqrt: (dy, x) => tf.neg(tf.div(dy, tf.mul(tf.pow(x, 1.5), 2))),
  Selu: (dy, x) => {
    const { SELU_SCALE, SELU_SCALEALPHA } = tf.backend_util;
    const below = tf.mul(tf.mul(dy, tf.scalar(SELU_SCALEALPHA)), tf.exp(float(x)));
    return tf.where(tf.greater(x, tf.scalar(0)), tf.mul(dy, tf.scalar(SELU_SCALE)), below);
  },
  Sin: (dy, x) => tf.mul(tf.cos(float(x)), dy),
  Sinh: (dy, x) => tf.mul(tf.cosh(float(x)), dy),
  Softplus: (dy, x) => tf.mul(dy, tf.sigmoid(x)),
  Sqrt: (dy, x) => tf.div(dy, tf.mul(tf.sqrt(float(x)), 2)),
  Square: (dy, x) => tf.mul(dy, tf.mul(float(x), 2)),
  Tan: (dy, x) => tf.div(dy, tf.square(tf.cos(x))),
};

/** dy and the output -> the gradient. */
const ofOutput: Record<string, (dy: tf.Tensor, y: tf.Tensor) => tf.Tensor> = {
  Elu: (dy, y) => tf.engine().runKernel('EluGrad', { dy, y } as unknown as tf.NamedTensorMap) as tf.Tensor,
  Exp: (dy, y) => tf.mul(dy, y),
  Sigmoid: (dy, y) => tf.mul(dy, tf.mul(y, oneLess(y))),
  Tanh: (dy, y) => tf.mul(oneLess(tf.square(y)), dy),
};

/** dy -> the gradient. */
const ofNothing: Record<string, (dy: tf.Tensor) => tf.Tensor> = {
  Cast: tf.clone,
  Identity: float,
  Neg: tf.neg,
  ...Object.fromEntries(
    ['Ceil', 'Floor', 'IsFinite', 'IsInf', 'IsNan', 'OnesLike', 'Round', 'Sign', 'Step', 'ZerosLike'].map(
      (kernel) => [kernel, tf.zerosLike],
    ),
  ),
};

for (const [kernel, gradient] of Object.entries(ofInput)) {
  defineGradient(kernel, { inputsToSave: ['x'] }, (dy, [x]) => ({ x: () => gradient(dy, x) }));
}
for (const [kernel, gradient] of Object.entries(ofOutput)) {
  defineGradient(kernel, { outputsToSave: [true] }, (dy, [y]) => ({ x: () => gradient(dy, y) }));
}
for (const [kernel, gradient] of Object.entries(ofNothing)) {
  defineGradient(kernel, {}, (dy) => ({ x: () => gradient(dy) }));
}

defineGradient<{ clipValueMin: number; clipValueMax: number }>(
  'ClipByValue',
  { inputsToSave: ['x'] },
  (dy, [x], { clipValueMin: least, clipValueMax: most }) => ({
    x: () => tf.where(tf.logicalAnd(tf.greaterEqual(x, least), tf.lessEqual(x, most)), dy, tf.zerosLike(dy)),
  }),
);

defineGradient<{ alpha: number }>('LeakyRelu', { inputsToSave: ['x'] }, (dy, [x], { alpha }) => ({
  x: () => tf.where(tf.greater(x, 0), dy, tf.mul(dy, alpha)),
}));

type Binary = (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

/** The gradients of both operands, before the sums over what was broadcast. */
const ofOperands: Record<string, [Binary, Binary]> = {
  Add: [(dy) => dy, (dy) => dy],
  Sub: [(dy) => dy, tf.neg],
  Multiply: [(dy, _, b) => tf.mul(dy, float(b)), (dy, a) => tf.mul(dy, float(a))],
  Atan2: [
    (dy, a, b) => tf.mul(dy, tf.div(b, tf.add(tf.square(a), tf.square(b)))),
    (dy, a, b) => tf.neg(tf.mul(dy, tf.div(a, tf.add(tf.square(a), tf.square(b))))),
  ],
  Mod: [(dy) => dy, (dy, a, b) => tf.mul(dy, tf.neg(tf.floor(tf.div(a, b))))],
};

for (const [kernel, [ofA, ofB]] of Object.entries(ofOperands)) {
  defineGradient(kernel, { inputsToSave: ['a', 'b'] }, (dy, [a, b]) => ({
    a: () => sumTo(ofA(dy, a, b), a.shape),
    b: () => sumTo(ofB(dy, a, b), b.shape),
  }));
}

for (const kernel of ['RealDiv', 'FloorDiv']) {
  defineGradient(kernel, { inputsToSave: ['a', 'b'] }, (dy, [a, b]) => ({
    a: () => sumTo(tf.div(dy, float(b)), a.shape),
    // What is broadcast is summed before it is divided.
    b: () => tf.neg(tf.div(sumTo(tf.mul(dy, float(a)), b.shape), float(tf.square(b)))),
  }));
}

defineGradient('Pow', { inputsToSave: ['a', 'b'], outputsToSave: [true] }, (dy, [a, b, y]) => ({
  a: () => {
    const exponent = float(b);
    return sumTo(tf.mul(dy, tf.mul(exponent, tf.pow(a, tf.sub(exponent, tf.scalar(1))))), a.shape);
  },
  b: () => {
    const logarithm = tf.where(tf.greater(a, 0), tf.log(a), tf.zerosLike(a));
    return sumTo(tf.mul(dy, tf.mul(y, logarithm)), b.shape);
  },
}));

defineGradient('GreaterEqual', { inputsToSave: ['a', 'b'] }, (_, [a, b]) => ({
  a: () => tf.zerosLike(a),
  b: () => tf.zerosLike(b),
}));

defineGradient('AddN', { saveAllInputs: true }, (dy, operands) =>
  Object.fromEntries(operands.map((_, index) => [String(index), () => tf.clone(dy)])),
);

defineGradient('Select', { inputsToSave: ['condition'] }, (dy, [condition]) => ({
  condition: () => float(tf.zerosLike(condition)),
  t: () => tf.mul(dy, tf.cast(condition, dy.dtype)),
  e: () => tf.mul(dy, tf.cast(tf.logicalNot(condition), dy.dtype)),
}));
