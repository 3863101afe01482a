import * as tf from '@tensorflow/tfjs';

/**
 * Gradients of tfjs that read sizes as values or allocate by them (`tf.ones(shape)`, division by a count), written so
 * that they hold for named dimensions too. The values are the same on every backend.
 */

interface ReduceAttributes {
  axis: number | number[];
  keepDims?: boolean;
}

function spread(dy: tf.Tensor, x: tf.Tensor, axis: number | number[]): tf.Tensor {
  const axes = tf.util.parseAxisParam(axis as number[], x.shape);
  const kept = x.shape.map((size, index) => (axes.includes(index) ? 1 : size));
  return tf.mul(dy.reshape(kept), tf.fill(x.shape, 1));
}

function override(kernelName: string, config: Omit<tf.GradConfig, 'kernelName'>): void {
  tf.unregisterGradient(kernelName);
  tf.registerGradient({ kernelName, ...config });
}

override('Sum', {
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attributes) => {
    const { axis } = attributes as unknown as ReduceAttributes;
    return { x: () => spread(dy as tf.Tensor, x, axis) };
  },
});

override('Mean', {
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attributes) => {
    const { axis } = attributes as unknown as ReduceAttributes;
    const axes = tf.util.parseAxisParam(axis as number[], x.shape);
    // The mean of ones over the axes would be 1; their sum is the count, whatever the sizes turn out to be.
    return {
      x: () => {
        const count = tf.sum(
          tf.fill(
            axes.map((index) => x.shape[index]),
            1,
          ),
        );
        return tf.div(spread(dy as tf.Tensor, x, axis), count);
      },
    };
  },
});
