import * as tf from '@tensorflow/tfjs-core';
import { defineGradient } from './gradientRegistry.js';

/** Gradients of kernels that move elements or choose among them, the formulas of tfjs 4.22. */

/** A list of gradients by the places of the inputs. */
function byPlace(parts: readonly tf.Tensor[]): Record<string, () => tf.Tensor> {
  return Object.fromEntries(parts.map((part, index) => [String(index), () => part]));
}

defineGradient<{ axis: number }>('Concat', { saveAllInputs: true }, (dy, operands, { axis }) => {
  const [along] = tf.util.parseAxisParam(axis, operands[0].shape);
  return byPlace(
    tf.split(
      dy,
      operands.map(({ shape }) => shape[along]),
      along,
    ),
  );
});

defineGradient<{ axis: number }>('Pack', { saveAllInputs: true }, (dy, _, { axis }) =>
  byPlace(tf.unstack(dy, axis)),
);

defineGradient('ExpandDims', { inputsToSave: ['input'] }, (dy, [input]) => ({
  input: () => tf.reshape(dy, input.shape),
}));

defineGradient('Reshape', { inputsToSave: ['x'] }, (dy, [x]) => ({ x: () => tf.reshape(dy, x.shape) }));

defineGradient<{ paddings: [number, number][] }>(
  'PadV2',
  { inputsToSave: ['x'] },
  (dy, [x], { paddings }) => ({
    x: () =>
      tf.slice(
        dy,
        paddings.map(([before]) => before),
        x.shape,
      ),
  }),
);

defineGradient<{ dims: number | number[] }>('Reverse', {}, (dy, _, { dims }) => ({
  x: () => tf.reverse(dy, tf.util.parseAxisParam(dims, dy.shape)),
}));

defineGradient<{ perm: number[] }>('Transpose', {}, (dy, _, { perm }) => ({
  x: () => tf.transpose(dy, tf.backend_util.getUndoAxesPermutation(perm)),
}));

for (const [kernelName, attribute] of [
  ['Max', 'reductionIndices'],
  ['Min', 'axis'],
] as const) {
  defineGradient<Record<string, number | number[]>>(
    kernelName,
    { inputsToSave: ['x'], outputsToSave: [true] },
    (dy, [x, y], attributes) => ({
      x: () => {
        const axes = tf.util.parseAxisParam(attributes[attribute], x.shape);
        const kept = (z: tf.Tensor) =>
          z.rank < x.rank ? tf.reshape(z, tf.backend_util.expandShapeToKeepDim(z.shape, axes)) : z;
        return tf.mul(kept(dy), tf.cast(tf.equal(x, kept(y)), dy.dtype));
      },
    }),
  );
}

for (const kernelName of ['ArgMax', 'ArgMin']) {
  defineGradient(kernelName, { inputsToSave: ['x'] }, (_, [x]) => ({ x: () => tf.zerosLike(x) }));
}

defineGradient<{ dim: number }>('Softmax', { outputsToSave: [true] }, (dy, [y], { dim }) => {
  const weighted = tf.mul(dy, y);
  return { logits: () => tf.sub(weighted, tf.mul(tf.sum(weighted, [dim], true), y)) };
});
