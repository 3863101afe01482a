import * as tf from '@tensorflow/tfjs';
import { PolybeamError } from '../../errors.js';
import type { Traced } from '../trace.js';
import { castTo } from './elementwise.js';
import { mapKernel } from './register.js';

mapKernel<{ shape: number[] }>('Reshape', ({ trace, input, attributes }) => {
  const x = input('x');
  const size = tf.util.sizeFromShape(x.shape);
  return trace.reshape(x, tf.util.inferFromImplicitShape(attributes.shape, size));
});

mapKernel<{ dim: number }>('ExpandDims', ({ trace, inputs, attributes }) => {
  const [x] = inputs;
  const axis = attributes.dim < 0 ? x.shape.length + attributes.dim + 1 : attributes.dim;
  const shape = [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)];
  return trace.emit('Unsqueeze', [x, trace.ints([axis])], { type: x.type, shape });
});

mapKernel<{ perm: number[] }>('Transpose', ({ trace, input, attributes }) => {
  const x = input('x');
  const shape = attributes.perm.map((axis) => x.shape[axis]);
  return trace.emit('Transpose', [x], { type: x.type, shape }, { perm: attributes.perm });
});

mapKernel<{ axis: number }>('Concat', ({ trace, inputs, attributes }) => {
  const [axis] = tf.util.parseAxisParam(attributes.axis, inputs[0].shape);
  const shape = [...inputs[0].shape];
  shape[axis] = inputs.reduce((sum, value) => sum + value.shape[axis], 0);
  return trace.emit('Concat', inputs, { type: inputs[0].type, shape }, { axis });
});

mapKernel<{ axis: number }>('Pack', ({ trace, inputs, attributes }) => {
  const axis = attributes.axis < 0 ? inputs[0].shape.length + attributes.axis + 1 : attributes.axis;
  const one = inputs[0].shape;
  const expanded = inputs.map((value) =>
    trace.emit('Unsqueeze', [value, trace.ints([axis])], {
      type: value.type,
      shape: [...one.slice(0, axis), 1, ...one.slice(axis)],
    }),
  );
  const shape = [...one.slice(0, axis), inputs.length, ...one.slice(axis)];
  return trace.emit('Concat', expanded, { type: inputs[0].type, shape }, { axis });
});

mapKernel<{ axis: number }>('Unpack', ({ trace, input, attributes }) => {
  const value = input('value');
  const [axis] = tf.util.parseAxisParam(attributes.axis, value.shape);
  const shape = value.shape.filter((_, index) => index !== axis);
  return Array.from({ length: value.shape[axis] }, (_, index) =>
    trace.emit(
      'Gather',
      [value, trace.constant('int64', [], [index])],
      { type: value.type, shape },
      { axis },
    ),
  );
});

mapKernel<{ begin: number | number[]; size: number | number[] }>('Slice', ({ trace, input, attributes }) => {
  const x = input('x');
  const [begin, size] = tf.slice_util.parseSliceParams(
    { shape: x.shape, rank: x.shape.length } as unknown as tf.TensorInfo,
    attributes.begin,
    attributes.size,
  );
  const axes = x.shape
    .map((_, axis) => axis)
    .filter((axis) => begin[axis] !== 0 || size[axis] !== x.shape[axis]);
  if (axes.length === 0) return x;
  const ends = axes.map((axis) => begin[axis] + size[axis]);
  const starts = axes.map((axis) => begin[axis]);
  return trace.emit('Slice', [x, trace.shape(starts), trace.shape(ends), trace.ints(axes)], {
    type: x.type,
    shape: size,
  });
});

interface StridedSliceAttributes {
  begin: number[];
  end: number[];
  strides: number[];
  beginMask: number;
  endMask: number;
  ellipsisMask: number;
  newAxisMask: number;
  shrinkAxisMask: number;
}

mapKernel<StridedSliceAttributes>('StridedSlice', ({ trace, input, attributes: a }) => {
  const x = input('x');
  const info = tf.slice_util.sliceInfo(
    x.shape,
    a.begin,
    a.end,
    a.strides,
    a.beginMask,
    a.endMask,
    a.ellipsisMask,
    a.newAxisMask,
    a.shrinkAxisMask,
  );
  const axes = x.shape.map((_, axis) => axis);
  // ONNX counts a negative end from the back: "before the first" needs a very negative number.
  const ends = info.end.map((end, axis) => (info.strides[axis] < 0 && end < 0 ? -(2 ** 31) : end));
  const sliced = trace.emit(
    'Slice',
    [x, trace.shape(info.begin), trace.shape(ends), trace.ints(axes), trace.ints(info.strides)],
    {
      type: x.type,
      shape: info.finalShapeSparse.length === x.shape.length ? info.finalShapeSparse : info.finalShape,
    },
  );
  return trace.reshape(sliced, info.finalShape);
});

mapKernel<{ numOrSizeSplits: number | number[]; axis: number }>('SplitV', ({ trace, input, attributes }) => {
  const x = input('x');
  const [axis] = tf.util.parseAxisParam(attributes.axis, x.shape);
  const splits = tf.backend_util.prepareSplitSize(
    { shape: x.shape } as unknown as tf.Tensor,
    attributes.numOrSizeSplits,
    axis,
  );
  const outputs = splits.map((size) => ({
    type: x.type,
    shape: x.shape.map((whole, index) => (index === axis ? size : whole)),
  }));
  return trace.emitMany('Split', [x, trace.shape(splits)], outputs, { axis });
});

mapKernel<{ reps: number[] }>('Tile', ({ trace, input, attributes }) => {
  const x = input('x');
  const reps = attributes.reps;
  const aligned = [...Array(reps.length - x.shape.length).fill(1), ...x.shape] as number[];
  const from = trace.reshape(x, aligned);
  const shape = aligned.map((size, axis) => size * reps[axis]);
  return trace.emit('Tile', [from, trace.shape(reps)], { type: x.type, shape });
});

mapKernel<{ shape: number[] }>('BroadcastTo', ({ trace, input, attributes }) => {
  const x = input('x');
  return trace.emit('Expand', [x, trace.shape(attributes.shape)], { type: x.type, shape: attributes.shape });
});

mapKernel<{ paddings: [number, number][]; constantValue: number }>(
  'PadV2',
  ({ trace, input, attributes }) => {
    const x = input('x');
    const { paddings, constantValue } = attributes;
    const shape = x.shape.map((size, axis) => paddings[axis][0] + size + paddings[axis][1]);
    const pads = [...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)];
    const fill = trace.constant(x.type, [], [constantValue]);
    return trace.emit('Pad', [x, trace.shape(pads), fill], { type: x.type, shape }, { mode: 'constant' });
  },
);

mapKernel<{ dims: number[] }>('Reverse', ({ trace, input, attributes }) => {
  const x = input('x');
  const axes = tf.util.parseAxisParam(attributes.dims, x.shape);
  if (axes.length === 0) return x;
  const all = (value: number) => trace.ints(axes.map(() => value));
  return trace.emit('Slice', [x, all(-1), all(-(2 ** 31)), trace.ints(axes), all(-1)], x);
});

function fill(
  trace: import('../trace.js').Trace,
  type: Traced['type'],
  shape: readonly number[],
  value: number,
): Traced {
  const scalar = trace.constant(type, [], [value]);
  if (shape.length === 0) return scalar;
  return trace.emit('Expand', [scalar, trace.shape(shape)], { type, shape });
}

mapKernel<{ shape: number[]; value: number; dtype: 'float32' | 'int32' | 'bool' }>(
  'Fill',
  ({ trace, attributes }) => {
    const { shape, value, dtype } = attributes;
    return fill(trace, dtype ?? 'float32', shape, Number(value));
  },
);
mapKernel('ZerosLike', ({ trace, input }) => {
  const x = input('x');
  return fill(trace, x.type, x.shape, 0);
});
mapKernel('OnesLike', ({ trace, input }) => {
  const x = input('x');
  return fill(trace, x.type, x.shape, 1);
});

/** `tf.range` writes its values when they are plain numbers; this one is for named sizes, see `rangeTo`. */
mapKernel<{ size: number }>('PolybeamRange', ({ trace, attributes }) => {
  const bound = trace.emit('Squeeze', [trace.size(attributes.size)], { type: 'int64', shape: [] });
  const zero = trace.constant('int64', [], [0]);
  const one = trace.constant('int64', [], [1]);
  const range = trace.emit('Range', [zero, bound, one], { type: 'int64', shape: [attributes.size] });
  return castTo(trace, range, 'int32');
});
mapKernel<{ size: number }>('PolybeamSize', ({ trace, attributes }) => {
  const scalar = trace.emit('Squeeze', [trace.size(attributes.size)], { type: 'int64', shape: [] });
  return castTo(trace, scalar, 'int32');
});

mapKernel<{ equation: string }>('Einsum', ({ trace, inputs, attributes }) => {
  const { allDims, idDims } = tf.backend_util.decodeEinsumEquation(attributes.equation, inputs.length);
  const sizes = new Map<number, number>();
  inputs.forEach((value, index) => {
    idDims[index].forEach((dim: number, axis: number) => {
      sizes.set(dim, value.shape[axis]);
    });
  });
  const result = attributes.equation.replace(/\s/g, '').split('->')[1];
  const shape = [...result].map((letter) => sizes.get(allDims.indexOf(letter))!);
  if (shape.includes(undefined as never)) {
    throw new PolybeamError(
      'TRACE_SHAPE',
      `The einsum equation ${attributes.equation} has an unknown index.`,
    );
  }
  return trace.emit('Einsum', inputs, { type: inputs[0].type, shape }, { equation: attributes.equation });
});
