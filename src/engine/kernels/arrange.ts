import * as tf from '@tensorflow/tfjs-core';
import { PolybeamError } from '../../errors.js';
import type { Trace, Traced } from '../trace.js';
import { castTo, mapByOperations } from './elementwise.js';
import { mapKernel } from './register.js';

mapKernel<{ shape: number[] }>('Reshape', ({ trace, input, attributes }) => {
  const x = input('x');
  const size = tf.util.sizeFromShape(x.shape);
  const given = attributes.shape
    .filter((length) => length >= 0)
    .reduce((product, length) => product * length, 1);
  const fits = attributes.shape.includes(-1) ? size % given === 0 : size === given;
  if (!fits) {
    // tfjs's message would contain the primes of named dimensions.
    const names = (shape: readonly number[]) =>
      shape.map((length) => (length < 0 ? '-1' : trace.dimensions.describe(length))).join(', ');
    throw new PolybeamError(
      'TRACE_SHAPE',
      `A tensor [${names(x.shape)}] cannot be reshaped to [${names(attributes.shape)}], which has another number of elements; take sizes from the shapes of tensors.`,
    );
  }
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
  const parts = inputs.map((value) => value.shape[axis]);
  shape[axis] = parts.reduce((sum, size) => sum + size, 0);
  trace.dimensions.defineSum(shape[axis], parts);
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
  const starts = axes.map((axis) => begin[axis]);
  const end = sliceEnd(trace, x, begin, size, axes);
  return trace.emit('Slice', [x, trace.shape(starts), end, trace.ints(axes)], { type: x.type, shape: size });
});

/** ONNX clips an end to the size of the axis. */
const toTheEnd = 2 ** 31;

/** The end of a slice; the graph adds two named sizes. */
function sliceEnd(
  trace: Trace,
  x: Traced,
  begin: readonly number[],
  size: readonly number[],
  axes: readonly number[],
): string {
  const isNamed = (value: number) => trace.dimensions.isSymbolic(value);
  const last = (axis: number) => begin[axis] + size[axis] === x.shape[axis];
  if (axes.every((axis) => last(axis) || !(isNamed(begin[axis]) || isNamed(size[axis])))) {
    return trace.ints(axes.map((axis) => (last(axis) ? toTheEnd : begin[axis] + size[axis]))).name;
  }
  const starts = trace.shape(axes.map((axis) => begin[axis]));
  const sizes = trace.shape(axes.map((axis) => size[axis]));
  return trace.emit('Add', [starts, sizes], { type: 'int64', shape: [axes.length] }).name;
}

/** A gradient padded with zeros to the shape from which it was sliced. */
mapKernel<{ begin: number[] }>('PolybeamSliceGradient', ({ trace, input, attributes: { begin } }) => {
  const [dy, x] = [input('dy'), input('x')];
  const list = { type: 'int64', shape: [begin.length] } as const;
  const before = trace.shape(begin);
  const used = trace.emit('Add', [before, trace.shape(dy.shape)], list);
  const after = trace.emit('Sub', [trace.shape(x.shape), used], list);
  const pads = trace.emit(
    'Concat',
    [before, after],
    { type: 'int64', shape: [2 * begin.length] },
    { axis: 0 },
  );
  return trace.emit('Pad', [dy, pads, trace.constant(dy.type, [], [0])], { type: dy.type, shape: x.shape });
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
  const whole = (axis: number) =>
    info.begin[axis] === 0 && info.end[axis] === x.shape[axis] && info.strides[axis] === 1;
  const axes = [...x.shape.keys()].filter((axis) => !whole(axis));
  if (axes.length === 0) return trace.reshape(x, info.finalShape);
  // Backwards from elsewhere than the end: cut off what is behind first, then go back from the last (ORT's WebGPU
  // provider starts at the last in any case).
  const behind = axes.filter((axis) => info.strides[axis] < 0 && info.begin[axis] !== x.shape[axis] - 1);
  const cut = sliceAxes(trace, x, behind, {
    begin: behind.map(() => 0),
    end: behind.map((axis) => info.begin[axis] + 1),
    strides: behind.map(() => 1),
  });
  const sliced = sliceAxes(trace, cut, axes, {
    begin: axes.map((axis) => info.begin[axis]),
    // ONNX counts a negative end from the back: "before the first" needs a very negative number.
    end: axes.map((axis) => (info.strides[axis] < 0 && info.end[axis] < 0 ? -(2 ** 31) : info.end[axis])),
    strides: axes.map((axis) => info.strides[axis]),
  });
  return trace.reshape(sliced, info.finalShape);
});

function sliceAxes(
  trace: Trace,
  x: Traced,
  axes: readonly number[],
  { begin, end, strides }: Record<'begin' | 'end' | 'strides', readonly number[]>,
): Traced {
  if (axes.length === 0) return x;
  const shape = [...x.shape];
  axes.forEach((axis, index) => {
    const last = Math.max(end[index], -1);
    shape[axis] = Math.max(0, Math.ceil((last - begin[index]) / strides[index]));
  });
  const inputs = [x, trace.shape(begin), trace.shape(end), trace.ints(axes), trace.ints(strides)];
  return trace.emit('Slice', inputs, { type: x.type, shape });
}

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
  // tf.broadcastTo is a Tile of axes of size 1.
  const broadcasts = reps.every((count, axis) => count === 1 || aligned[axis] === 1);
  if (broadcasts) return trace.emit('Expand', [from, trace.shape(shape)], { type: x.type, shape });
  return trace.emit('Tile', [from, trace.shape(reps)], { type: x.type, shape });
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

mapByOperations<{ paddings: [number, number][]; mode: 'reflect' | 'symmetric' }>(
  'MirrorPad',
  ({ x }, { paddings, mode }) => {
    const skip = mode === 'reflect' ? 1 : 0;
    return paddings.reduce((padded, [before, after], axis) => {
      const size = padded.shape[axis];
      const mirrored = (begin: number, length: number) => {
        const starts = padded.shape.map((_, other) => (other === axis ? begin : 0));
        const sizes = padded.shape.map((whole, other) => (other === axis ? length : whole));
        return tf.reverse(tf.slice(padded, starts, sizes), axis);
      };
      const parts = [padded];
      if (before > 0) parts.unshift(mirrored(skip, before));
      if (after > 0) parts.push(mirrored(size - skip - after, after));
      return parts.length === 1 ? padded : tf.concat(parts, axis);
    }, x);
  },
);

mapKernel<{ dims: number[] }>('Reverse', ({ trace, input, attributes }) => {
  const x = input('x');
  const axes = tf.util.parseAxisParam(attributes.dims, x.shape);
  if (axes.length === 0) return x;
  const all = (value: number) => trace.ints(axes.map(() => value));
  return trace.emit('Slice', [x, all(-1), all(-(2 ** 31)), trace.ints(axes), all(-1)], x);
});

function fill(trace: Trace, type: Traced['type'], shape: readonly number[], value: number): Traced {
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

/** 0 .. size-1 as int64. */
export function countTo(trace: Trace, size: number): Traced {
  const bound = trace.emit('Squeeze', [trace.size(size)], { type: 'int64', shape: [] });
  const [zero, one] = [0, 1].map((value) => trace.constant('int64', [], [value]));
  return trace.emit('Range', [zero, bound, one], { type: 'int64', shape: [size] });
}

/** The kernel of `rangeTo`; `tf.range` cannot separate its size from its values. */
mapKernel<{ size: number }>('PolybeamRange', ({ trace, attributes }) =>
  castTo(trace, countTo(trace, attributes.size), 'int32'),
);
mapKernel<{ start: number; stop: number; step: number; dtype: 'float32' | 'int32' }>(
  'Range',
  ({ trace, attributes: { start, stop, step, dtype } }) => {
    const size = Math.max(0, Math.ceil((stop - start) / step));
    if (!trace.dimensions.isSymbolic(stop)) {
      return trace.constant(
        dtype,
        [size],
        Array.from({ length: size }, (_, index) => start + index * step),
      );
    }
    if (trace.dimensions.isSymbolic(start) || step !== 1) {
      throw new PolybeamError(
        'TRACE_SHAPE',
        `tf.range(${trace.dimensions.describe(start)}, ${trace.dimensions.describe(stop)}, ${step}) cannot be traced; count from a number in steps of 1, as rangeTo(size) does.`,
      );
    }
    const counted = castTo(trace, countTo(trace, size), dtype);
    if (start === 0) return counted;
    return trace.emit('Add', [counted, trace.constant(dtype, [], [start])], counted);
  },
);
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
