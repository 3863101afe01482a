import * as tf from '@tensorflow/tfjs-core';
import type { Trace, Traced } from '../trace.js';
import { mapByOperations } from './elementwise.js';
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

interface FusedMatMulAttributes extends MatMulAttributes {
  activation: tf.fused.Activation;
  leakyreluAlpha?: number;
}

mapByOperations<FusedMatMulAttributes>(
  '_FusedMatMul',
  ({ a, b, bias, preluActivationWeights }, attributes) => {
    const product = tf.matMul(a, b, attributes.transposeA, attributes.transposeB);
    const sum = bias ? tf.add(product, bias) : product;
    switch (attributes.activation) {
      case 'relu':
        return tf.relu(sum);
      case 'relu6':
        return tf.relu6(sum);
      case 'elu':
        return tf.elu(sum);
      case 'sigmoid':
        return tf.sigmoid(sum);
      case 'leakyrelu':
        return tf.leakyRelu(sum, attributes.leakyreluAlpha);
      case 'prelu':
        return tf.prelu(sum, preluActivationWeights);
      default:
        return sum;
    }
  },
);
