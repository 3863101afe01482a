import * as tf from '@tensorflow/tfjs-core';
import type { ElementType } from '../graph.js';
import { onnxType } from '../onnxModel.js';
import type { Trace, Traced } from '../trace.js';
import { mapKernel } from './register.js';

/** Casts a value of another type; tfjs passes booleans to arithmetic, which ONNX does not accept. */
export function castTo(trace: Trace, value: Traced, type: ElementType): Traced {
  if (value.type === type) return value;
  return trace.emit('Cast', [value], { type, shape: value.shape }, { to: onnxType(type) });
}

/** The shape two operands broadcast to. */
export function broadcastShape(a: Traced, b: Traced): number[] {
  return tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
}

function scalarLike(trace: Trace, value: Traced, number: number): Traced {
  return trace.constant(value.type, [], [number]);
}

/** The kernel in other tfjs operations, for operators that ONNX lacks; `call` gets the tensors, and tfjs records them. */
export function mapByOperations<A = Record<string, never>>(
  kernelName: string,
  compute: (inputs: Record<string, tf.Tensor>, attributes: A) => tf.Tensor,
): void {
  mapKernel<A>(kernelName, ({ trace, input, names, attributes }) => {
    const inputs = Object.fromEntries(names.map((name) => [name, trace.tensor(input(name))]));
    return trace.valueOf(compute(inputs, attributes));
  });
}

/**
 * @param integers how int32 is handled: 'same' uses the ONNX operator, 'unchanged' returns the input, 'float'
 * computes and returns float32
 */
function mapUnary(kernel: string, op = kernel, integers: 'same' | 'unchanged' | 'float' = 'float'): void {
  mapKernel(kernel, ({ trace, input }) => {
    const x = input('x');
    if (x.type !== 'float32' && integers === 'unchanged') return x;
    const from = integers === 'float' ? castTo(trace, x, 'float32') : x;
    return trace.emit(op, [from], from);
  });
}

for (const name of [
  'Acos',
  'Acosh',
  'Asin',
  'Asinh',
  'Atan',
  'Atanh',
  'Cos',
  'Cosh',
  'Elu',
  'Erf',
  'Exp',
  'Log',
  'Reciprocal',
  'Selu',
  'Sigmoid',
  'Sin',
  'Sinh',
  'Softplus',
  'Sqrt',
  'Tan',
  'Tanh',
]) {
  mapUnary(name);
}
for (const name of ['Abs', 'Neg', 'Relu', 'Sign']) mapUnary(name, name, 'same');
// tfjs and ONNX both round halves to even.
for (const name of ['Ceil', 'Floor', 'Round']) mapUnary(name, name, 'unchanged');

mapKernel('Identity', ({ input }) => input('x'));
mapKernel('Relu6', ({ trace, input }) => {
  const x = input('x');
  return trace.emit('Clip', [x, scalarLike(trace, x, 0), scalarLike(trace, x, 6)], x);
});
mapKernel<{ clipValueMin: number; clipValueMax: number }>('ClipByValue', ({ trace, input, attributes }) => {
  const x = input('x');
  const low = scalarLike(trace, x, attributes.clipValueMin);
  const high = scalarLike(trace, x, attributes.clipValueMax);
  return trace.emit('Clip', [x, low, high], x);
});
mapKernel<{ alpha: number }>('LeakyRelu', ({ trace, input, attributes }) => {
  const x = input('x');
  return trace.emit('LeakyRelu', [x], x, { alpha: { float: attributes.alpha } });
});
mapKernel('EluGrad', ({ trace, input }) => {
  const [dy, y] = [input('dy'), input('y')];
  // Below zero the slope exp(x) is y + 1.
  const slope = trace.emit(
    'Min',
    [trace.emit('Add', [y, scalarLike(trace, y, 1)], y), scalarLike(trace, y, 1)],
    y,
  );
  return trace.emit('Mul', [dy, slope], dy);
});
mapKernel('Prelu', ({ trace, input }) => {
  const [x, alpha] = [input('x'), input('alpha')];
  const positive = trace.emit('Greater', [x, scalarLike(trace, x, 0)], { type: 'bool', shape: x.shape });
  const shape = broadcastShape(x, alpha);
  const scaled = trace.emit('Mul', [x, alpha], { type: x.type, shape });
  return trace.emit('Where', [positive, x, scaled], { type: x.type, shape });
});
mapKernel('Expm1', ({ trace, input }) => {
  const x = input('x');
  return trace.emit('Sub', [trace.emit('Exp', [x], x), scalarLike(trace, x, 1)], x);
});
mapKernel('Log1p', ({ trace, input }) => {
  const x = input('x');
  return trace.emit('Log', [trace.emit('Add', [x, scalarLike(trace, x, 1)], x)], x);
});
mapKernel('Rsqrt', ({ trace, input }) => {
  const x = input('x');
  return trace.emit('Reciprocal', [trace.emit('Sqrt', [x], x)], x);
});
mapKernel('Square', ({ trace, input }) => {
  const x = input('x');
  return trace.emit('Mul', [x, x], x);
});
mapKernel<{ alpha: number }>('Step', ({ trace, input, attributes }) => {
  const x = input('x');
  const positive = trace.emit('Greater', [x, scalarLike(trace, x, 0)], { type: 'bool', shape: x.shape });
  const one = scalarLike(trace, x, 1);
  return trace.emit('Where', [positive, one, scalarLike(trace, x, attributes.alpha)], x);
});

for (const [kernel, op] of [
  ['IsNan', 'IsNaN'],
  ['IsInf', 'IsInf'],
] as const) {
  mapKernel(kernel, ({ trace, input }) => {
    const x = castTo(trace, input('x'), 'float32');
    return trace.emit(op, [x], { type: 'bool', shape: x.shape });
  });
}

mapKernel('IsFinite', ({ trace, input }) => {
  const x = castTo(trace, input('x'), 'float32');
  const infinity = trace.constant('float32', [], [Infinity]);
  return trace.emit('Less', [trace.emit('Abs', [x], x), infinity], { type: 'bool', shape: x.shape });
});

/** The angle of the point (b, a): the arc tangent of a / b, half a turn further where b is negative. */
mapByOperations('Atan2', ({ a, b }) => {
  const halfTurn = tf.where(tf.less(a, 0), tf.scalar(-Math.PI), tf.scalar(Math.PI));
  const turned = tf.where(tf.less(b, 0), halfTurn, tf.scalar(0));
  return tf.add(tf.atan(tf.div(a, b)), turned);
});

function mapBinary(kernel: string, op = kernel): void {
  mapKernel(kernel, ({ trace, input }) => {
    const [a, b] = [input('a'), input('b')];
    return trace.emit(op, [a, b], { type: a.type, shape: broadcastShape(a, b) });
  });
}

for (const [kernel, op] of [
  ['Add', 'Add'],
  ['Sub', 'Sub'],
  ['Multiply', 'Mul'],
  ['RealDiv', 'Div'],
  ['Maximum', 'Max'],
  ['Minimum', 'Min'],
  ['Pow', 'Pow'],
] as const) {
  mapBinary(kernel, op);
}

mapKernel('AddN', ({ trace, inputs }) => {
  if (inputs[0].type === 'float32') return trace.emit('Sum', inputs, inputs[0]);
  return inputs.reduce((sum, value) => trace.emit('Add', [sum, value], sum));
});

mapKernel('SquaredDifference', ({ trace, input }) => {
  const [a, b] = [input('a'), input('b')];
  const output = { type: a.type, shape: broadcastShape(a, b) };
  const difference = trace.emit('Sub', [a, b], output);
  return trace.emit('Mul', [difference, difference], output);
});

mapKernel('FloorDiv', ({ trace, input }) => {
  const [a, b] = [input('a'), input('b')];
  const shape = broadcastShape(a, b);
  // Through float64 every int32 quotient is exact before it is rounded down.
  const double = (value: Traced) =>
    trace.emit('Cast', [value], { type: 'float32', shape: value.shape }, { to: 11 });
  const quotient = trace.emit('Div', [double(a), double(b)], { type: 'float32', shape });
  const floor = trace.emit('Floor', [quotient], { type: 'float32', shape });
  return trace.emit('Cast', [floor], { type: 'int32', shape }, { to: onnxType('int32') });
});

mapKernel('Mod', ({ trace, input }) => {
  const [a, b] = [input('a'), input('b')];
  const output = { type: a.type, shape: broadcastShape(a, b) };
  if (a.type === 'int32') return trace.emit('Mod', [a, b], output);
  // ONNX float Mod takes the sign of the dividend, tfjs that of the divisor: a - b * floor(a / b).
  const floor = trace.emit('Floor', [trace.emit('Div', [a, b], output)], output);
  return trace.emit('Sub', [a, trace.emit('Mul', [b, floor], output)], output);
});

for (const [kernel, op] of [
  ['Equal', 'Equal'],
  ['Greater', 'Greater'],
  ['GreaterEqual', 'GreaterOrEqual'],
  ['Less', 'Less'],
  ['LessEqual', 'LessOrEqual'],
] as const) {
  mapKernel(kernel, ({ trace, input }) => {
    const [a, b] = [input('a'), input('b')];
    const shape = broadcastShape(a, b);
    // Order of booleans is defined in tfjs (false < true) but not in ONNX.
    const comparable = (value: Traced) => (value.type === 'bool' ? castTo(trace, value, 'int32') : value);
    return trace.emit(op, [comparable(a), comparable(b)], { type: 'bool', shape });
  });
}
mapKernel('NotEqual', ({ trace, input }) => {
  const [a, b] = [input('a'), input('b')];
  const output = { type: 'bool', shape: broadcastShape(a, b) } as const;
  return trace.emit('Not', [trace.emit('Equal', [a, b], output)], output);
});

for (const [kernel, op] of [
  ['LogicalAnd', 'And'],
  ['LogicalOr', 'Or'],
] as const) {
  mapKernel(kernel, ({ trace, input }) => {
    const [a, b] = [castTo(trace, input('a'), 'bool'), castTo(trace, input('b'), 'bool')];
    return trace.emit(op, [a, b], { type: 'bool', shape: broadcastShape(a, b) });
  });
}
mapKernel('LogicalNot', ({ trace, input }) => {
  const x = castTo(trace, input('x'), 'bool');
  return trace.emit('Not', [x], x);
});

mapKernel('Select', ({ trace, input }) => {
  const [condition, t, e] = [input('condition'), input('t'), input('e')];
  const shape = tf.broadcast_util.assertAndGetBroadcastShape(condition.shape, broadcastShape(t, e));
  return trace.emit('Where', [castTo(trace, condition, 'bool'), t, e], { type: t.type, shape });
});

mapKernel<{ dtype: 'float32' | 'int32' | 'bool' }>('Cast', ({ trace, input, attributes }) =>
  castTo(trace, input('x'), attributes.dtype),
);
