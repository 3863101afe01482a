import * as tf from '@tensorflow/tfjs';
import type { Trace, Traced } from '../trace.js';
import { mapKernel } from './register.js';

interface MatMulAttributes {
  transposeA?: boolean;
  transposeB?: boolean;
}

function swapped(trace: Trace, x: Traced): Traced {
  const rank = x.shape.length;
  const perm = [...Array(rank - 2).keys(), rank - 1, rank - 2];
  const shape = perm.map((axis) => x.shape[axis]);
  return trace.emit('Transpose', [x], { type: x.type, shape }, { perm });
}

function matMul(trace: Trace, a: Traced, b: Traced, attributes: MatMulAttributes): Traced {
  const left = attributes.transposeA ? swapped(trace, a) : a;
  const right = attributes.transposeB ? swapped(trace, b) : b;
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(
    left.shape.slice(0, -2),
    right.shape.slice(0, -2),
  );
  const shape = [...batch, left.shape[left.shape.length - 2], right.shape[right.shape.length - 1]];
  return trace.emit('MatMul', [left, right], { type: left.type, shape });
}

mapKernel<MatMulAttributes>('BatchMatMul', ({ trace, input, attributes }) =>
  matMul(trace, input('a'), input('b'), attributes),
);
