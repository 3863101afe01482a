import * as tf from '@tensorflow/tfjs-core';
import { defineGradient, sumTo } from './gradientRegistry.js';
import { rangeTo, sizeScalar } from './ops/sizes.js';
import { isTracing } from './traceBackend.js';

/**
 * Gradients that tfjs has otherwise or not at all. Its own read sizes as values, allocate or loop by them (`tf.ones(shape)`, a
 * slice for each repetition), or are wrong (no sum over broadcast axes); these hold on every backend and for named dimensions.
 */

interface ReduceAttributes {
  axis: number | number[];
  keepDims?: boolean;
}

function axesOf(x: tf.Tensor, axis: number | number[]): number[] {
  return tf.util.parseAxisParam(axis as number[], x.shape);
}

/** The gradient of a reduction, repeated along the axes that were reduced. */
function spread(dy: tf.Tensor, x: tf.Tensor, axes: readonly number[]): tf.Tensor {
  const kept = x.shape.map((size, index) => (axes.includes(index) ? 1 : size));
  return tf.broadcastTo(tf.reshape(dy, kept), x.shape);
}

defineGradient<ReduceAttributes>('Sum', { inputsToSave: ['x'] }, (dy, [x], { axis }) => ({
  x: () => spread(dy, x, axesOf(x, axis)),
}));

defineGradient<ReduceAttributes>('Mean', { inputsToSave: ['x'] }, (dy, [x], { axis }) => {
  const axes = axesOf(x, axis);
  const count = axes.reduce((product, index) => product * x.shape[index], 1);
  return { x: () => spread(tf.div(dy, tf.cast(sizeScalar(count), 'float32')), x, axes) };
});

/** Each element's factor is the product of the others; quadratic in the elements reduced, and right where some are 0. */
defineGradient<ReduceAttributes>('Prod', { inputsToSave: ['x'] }, (dy, [x], { axis }) => ({
  x: () => {
    const reduced = axesOf(x, axis);
    const others = x.shape.map((_, index) => index).filter((index) => !reduced.includes(index));
    const perm = [...others, ...reduced];
    const moved = tf.transpose(x, perm);
    const count = reduced.reduce((product, index) => product * x.shape[index], 1);
    const outer = others.map((index) => x.shape[index]);
    const itself = tf.equal(tf.reshape(rangeTo(count), [count, 1]), tf.reshape(rangeTo(count), [1, count]));
    const factors = tf.where(itself, tf.scalar(1), tf.reshape(moved, [...outer, 1, count]));
    const slopes = tf.mul(tf.prod(factors, -1), tf.reshape(dy, [...outer, 1]));
    return tf.transpose(tf.reshape(slopes, moved.shape), tf.backend_util.getUndoAxesPermutation(perm));
  },
}));

defineGradient<{ axis: number; exclusive: boolean; reverse: boolean }>(
  'Cumsum',
  {},
  (dy, _, { axis, exclusive, reverse }) => ({ x: () => tf.cumsum(dy, axis, exclusive, !reverse) }),
);

for (const [kernelName, first] of [
  ['Maximum', tf.greaterEqual],
  ['Minimum', tf.lessEqual],
] as const) {
  defineGradient(kernelName, { inputsToSave: ['a', 'b'] }, (dy, [a, b]) => {
    const mask = first(a, b);
    return {
      a: () => sumTo(tf.mul(dy, tf.cast(mask, 'float32')), a.shape),
      b: () => sumTo(tf.mul(dy, tf.cast(tf.logicalNot(mask), 'float32')), b.shape),
    };
  });
}

defineGradient('SquaredDifference', { inputsToSave: ['a', 'b'] }, (dy, [a, b]) => {
  const slope = tf.mul(dy, tf.mul(tf.sub(a, b), 2));
  return { a: () => sumTo(slope, a.shape), b: () => sumTo(tf.neg(slope), b.shape) };
});

defineGradient('Prelu', { inputsToSave: ['x', 'alpha'] }, (dy, [x, alpha]) => {
  const positive = tf.greater(x, 0);
  return {
    x: () => sumTo(tf.where(positive, dy, tf.mul(dy, alpha)), x.shape),
    alpha: () => sumTo(tf.where(positive, tf.zerosLike(dy), tf.mul(dy, x)), alpha.shape),
  };
});

defineGradient<{ transposeA: boolean; transposeB: boolean }>(
  'BatchMatMul',
  { inputsToSave: ['a', 'b'] },
  (dy, [a, b], { transposeA, transposeB }) => ({
    a: () =>
      sumTo(transposeA ? tf.matMul(b, dy, transposeB, true) : tf.matMul(dy, b, false, !transposeB), a.shape),
    b: () =>
      sumTo(transposeB ? tf.matMul(dy, a, true, transposeA) : tf.matMul(a, dy, !transposeA, false), b.shape),
  }),
);

defineGradient<{ equation: string }>('Einsum', { saveAllInputs: true }, (dy, operands, { equation }) => {
  const [left, result] = equation.replace(/\s/g, '').split('->');
  const letters = left.split(',');
  const gradientOf = (index: number): tf.Tensor => {
    const others = letters.flatMap((_, other) => (other === index ? [] : [other]));
    const given = result + others.map((other) => letters[other]).join('');
    // An index that only this operand has was summed over: its gradient is the same everywhere along it.
    const kept = [...letters[index]].filter((letter) => given.includes(letter));
    const terms = [result, ...others.map((other) => letters[other])].join(',');
    const inputs = [dy, ...others.map((other) => operands[other])];
    const slope = tf.einsum(`${terms}->${kept.join('')}`, ...inputs);
    const { shape } = operands[index];
    const open = shape.map((size, axis) => (kept.includes(letters[index][axis]) ? size : 1));
    return tf.broadcastTo(tf.reshape(slope, open), shape);
  };
  return Object.fromEntries(operands.map((_, index) => [String(index), () => gradientOf(index)]));
});

defineGradient<{ reps: number[] }>('Tile', { inputsToSave: ['x'] }, (dy, [x], { reps }) => ({
  x: () => {
    const split: number[] = [];
    const repeated: number[] = [];
    x.shape.forEach((size, axis) => {
      if (reps[axis] !== 1) repeated.push(split.push(reps[axis]) - 1);
      if (reps[axis] === 1 || size !== 1) split.push(size);
    });
    return tf.reshape(repeated.length > 0 ? tf.sum(tf.reshape(dy, split), repeated) : dy, x.shape);
  },
}));

interface SliceAttributes {
  begin: number | number[];
  size: number | number[];
}

defineGradient<SliceAttributes>('Slice', { inputsToSave: ['x'] }, (dy, [x], attributes) => ({
  x: () => {
    const [begin, size] = tf.slice_util.parseSliceParams(x, attributes.begin, attributes.size);
    // Of named sizes the padding behind is a difference, which only the graph can compute.
    if (isTracing()) {
      const inputs = { dy, x } as unknown as tf.NamedTensorMap;
      return tf.engine().runKernel('PolybeamSliceGradient', inputs, { begin }) as tf.Tensor;
    }
    return tf.pad(
      dy,
      begin.map((before, axis) => [before, x.shape[axis] - before - size[axis]]),
    );
  },
}));

interface MirrorPadAttributes {
  paddings: [number, number][];
  mode: 'reflect' | 'symmetric';
}

/** What was mirrored adds to where it was mirrored from. */
defineGradient<MirrorPadAttributes>('MirrorPad', { inputsToSave: ['x'] }, (dy, [x], { paddings, mode }) => ({
  x: () => {
    const skip = mode === 'reflect' ? 1 : 0;
    return paddings.reduce((gradient, [before, after], axis) => {
      if (before === 0 && after === 0) return gradient;
      const size = x.shape[axis];
      const part = (begin: number, length: number) =>
        tf.slice(
          gradient,
          gradient.shape.map((_, other) => (other === axis ? begin : 0)),
          gradient.shape.map((whole, other) => (other === axis ? length : whole)),
        );
      const placed = (piece: tf.Tensor, start: number, length: number) =>
        tf.pad(
          tf.reverse(piece, axis),
          piece.shape.map((_, other) => (other === axis ? [start, size - start - length] : [0, 0])),
        );
      let sum = part(before, size);
      if (before > 0) sum = tf.add(sum, placed(part(0, before), skip, before));
      if (after > 0) sum = tf.add(sum, placed(part(before + size, after), size - skip - after, after));
      return sum;
    }, dy);
  },
}));

function moveAxes(x: tf.Tensor, perm: readonly number[]): tf.Tensor {
  return perm.every((from, to) => from === to) ? x : tf.transpose(x, [...perm]);
}

/** Rows that were read are added up where they came from; with batch axes each batch has segments of its own. */
defineGradient<{ axis: number; batchDims: number }>(
  'GatherV2',
  { inputsToSave: ['x', 'indices'] },
  (dy, [x, indices], attributes) => ({
    indices: () => tf.cast(tf.zerosLike(indices), 'float32'),
    x: () => {
      const batchDims = attributes.batchDims ?? 0;
      const [axis] = tf.util.parseAxisParam(attributes.axis, x.shape);
      const product = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1);
      const rows = x.shape[axis];
      const batch = product(x.shape.slice(0, batchDims));
      const outer = x.shape.slice(batchDims, axis);
      const inner = x.shape.slice(axis + 1);
      // [batch, outer, indices, inner] -> [batch * indices, outer, inner]
      const order = [...dy.shape.keys()];
      const read = indices.rank - batchDims;
      const [batchAxes, outerAxes] = [order.slice(0, batchDims), order.slice(batchDims, axis)];
      const front = [
        ...batchAxes,
        ...order.slice(axis, axis + read),
        ...outerAxes,
        ...order.slice(axis + read),
      ];
      const values = tf.reshape(moveAxes(dy, front), [indices.size, ...outer, ...inner]);
      const perBatch = indices.size / batch;
      const first = tf.reshape(tf.mul(rangeTo(batch), sizeScalar(rows)), [batch, 1]);
      const segments =
        batchDims === 0
          ? tf.reshape(indices, [-1])
          : tf.reshape(tf.add(tf.reshape(indices, [batch, perBatch]), first), [-1]);
      const sums = tf.unsortedSegmentSum(values, segments as tf.Tensor1D, batch * rows);
      const wide = tf.reshape(sums, [...x.shape.slice(0, batchDims), rows, ...outer, ...inner]);
      const back = [...wide.shape.keys()];
      const rowAxis = back.splice(batchDims, 1);
      back.splice(axis, 0, ...rowAxis);
      return moveAxes(wide, back);
    },
  }),
);

defineGradient('GatherNd', { inputsToSave: ['params', 'indices'] }, (dy, [params, indices]) => ({
  params: () => {
    const depth = indices.shape[indices.rank - 1];
    const count = indices.size / depth;
    const rows = tf.reshape(dy, [count, ...params.shape.slice(depth)]);
    return tf.scatterND(tf.reshape(indices, [count, depth]), rows, params.shape);
  },
  indices: () => tf.cast(tf.zerosLike(indices), 'float32'),
}));

defineGradient('ScatterNd', { inputsToSave: ['indices'] }, (dy, [indices]) => ({
  updates: () => tf.gatherND(dy, indices),
  indices: () => tf.cast(tf.zerosLike(indices), 'float32'),
}));

/** Rows of dropped segments get 0. */
defineGradient<{ numSegments: number }>(
  'UnsortedSegmentSum',
  { inputsToSave: ['segmentIds'] },
  (dy, [ids], { numSegments }) => ({
    x: () => {
      const last = tf.sub(sizeScalar(numSegments), tf.scalar(1, 'int32'));
      const inside = tf.maximum(tf.minimum(ids, last), tf.scalar(0, 'int32'));
      const read = tf.gather(dy, inside as tf.Tensor1D);
      const kept = tf.reshape(tf.equal(inside, ids), [...ids.shape, ...dy.shape.slice(1).map(() => 1)]);
      return tf.mul(read, tf.cast(kept, 'float32'));
    },
  }),
);

/** Where there is one part only, tfjs passes its gradient as a tensor, not as a list. */
function listOf(dy: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
  return Array.isArray(dy) ? dy : [dy];
}

defineGradient<{ axis: number }>('Unpack', {}, (dy, _, { axis }) => ({
  value: () => tf.stack(listOf(dy), axis),
}));

defineGradient<{ axis: number }>('SplitV', {}, (dy, _, { axis }) => ({
  x: () => tf.concat(listOf(dy), axis),
}));

defineGradient('OneHot', { inputsToSave: ['indices'] }, (_, [indices]) => ({
  indices: () => tf.cast(tf.zerosLike(indices), 'float32'),
}));
