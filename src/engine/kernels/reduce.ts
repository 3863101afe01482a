import * as tf from '@tensorflow/tfjs-core';
import type { Trace, Traced } from '../trace.js';
import { castTo } from './elementwise.js';
import { mapKernel } from './register.js';

interface ReduceAttributes {
  axis: number | number[];
  keepDims?: boolean;
}

function axesOf(x: Traced, axis: number | number[] | undefined | null): number[] {
  return tf.util.parseAxisParam(axis as number[], x.shape);
}

/** Reduces over axes; `keepDims` leaves them with size 1. */
function reduce(trace: Trace, op: string, x: Traced, axes: readonly number[], keepDims: boolean): Traced {
  const shape = keepDims
    ? x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
    : x.shape.filter((_, axis) => !axes.includes(axis));
  // Without axes ONNX reduces everything; tfjs reduces nothing.
  if (axes.length === 0) return x;
  return trace.emit(op, [x, trace.ints(axes)], { type: x.type, shape }, { keepdims: keepDims ? 1 : 0 });
}

for (const [kernel, op] of [
  ['Sum', 'ReduceSum'],
  ['Mean', 'ReduceMean'],
  ['Prod', 'ReduceProd'],
] as const) {
  mapKernel<ReduceAttributes>(kernel, ({ trace, input, attributes }) => {
    const x = input('x');
    const value =
      x.type === 'bool' || kernel === 'Mean' ? castTo(trace, x, kernel === 'Mean' ? 'float32' : 'int32') : x;
    return reduce(trace, op, value, axesOf(value, attributes.axis), attributes.keepDims ?? false);
  });
}

// tfjs names the axes of Max and Min differently.
mapKernel<{ reductionIndices: number | number[]; keepDims?: boolean }>(
  'Max',
  ({ trace, input, attributes }) => {
    const x = input('x');
    return reduce(
      trace,
      'ReduceMax',
      x,
      axesOf(x, attributes.reductionIndices),
      attributes.keepDims ?? false,
    );
  },
);
mapKernel<ReduceAttributes>('Min', ({ trace, input, attributes }) => {
  const x = input('x');
  return reduce(trace, 'ReduceMin', x, axesOf(x, attributes.axis), attributes.keepDims ?? false);
});

for (const [kernel, op] of [
  ['All', 'ReduceMin'],
  ['Any', 'ReduceMax'],
] as const) {
  mapKernel<ReduceAttributes>(kernel, ({ trace, input, attributes }) => {
    const x = castTo(trace, input('x'), 'int32');
    const result = reduce(trace, op, x, axesOf(x, attributes.axis), attributes.keepDims ?? false);
    return castTo(trace, result, 'bool');
  });
}

for (const kernel of ['ArgMax', 'ArgMin'] as const) {
  mapKernel<{ axis: number }>(kernel, ({ trace, input, attributes }) => {
    const x = input('x');
    const [axis] = axesOf(x, attributes.axis);
    const shape = x.shape.filter((_, index) => index !== axis);
    const index = trace.emit(kernel, [x], { type: 'int64', shape }, { axis, keepdims: 0 });
    return castTo(trace, index, 'int32');
  });
}

mapKernel<{ dim: number }>('Softmax', ({ trace, input, attributes }) => {
  const logits = input('logits');
  return trace.emit('Softmax', [logits], logits, { axis: axesOf(logits, attributes.dim)[0] });
});

mapKernel<{ axis: number; exclusive: boolean; reverse: boolean }>(
  'Cumsum',
  ({ trace, input, attributes }) => {
    const x = input('x');
    const [axis] = axesOf(x, attributes.axis);
    return trace.emit('CumSum', [x, trace.constant('int64', [], [axis])], x, {
      exclusive: attributes.exclusive ? 1 : 0,
      reverse: attributes.reverse ? 1 : 0,
    });
  },
);

mapKernel<{ k: number; sorted: boolean }>('TopK', ({ trace, input, attributes }) => {
  const x = input('x');
  const shape = [...x.shape.slice(0, -1), attributes.k];
  const [values, indices] = trace.emitMany(
    'TopK',
    [x, trace.size(attributes.k)],
    [
      { type: x.type, shape },
      { type: 'int64', shape },
    ],
    { axis: -1, sorted: attributes.sorted ? 1 : 0 },
  );
  return [values, castTo(trace, indices, 'int32')];
});
