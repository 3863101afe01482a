import type * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { computedWeight, type ParameterSpec, scopedParameters } from './parameters.js';

describe('scopedParameters', () => {
  const asked: ParameterSpec[] = [];
  const parameters = scopedParameters({
    get: (spec) => {
      asked.push(spec);
      return {} as tf.Tensor;
    },
    has: (name, byDefault) => name === 'encoder.layer.0.bias' || byDefault,
  });

  it('joins scopes with dots, as checkpoints do', () => {
    const layer = parameters.scope('encoder').scope('layer.0');
    layer.get('weight', [2, 3]);
    layer.scope('norm').get('gain', [3], { kind: 'ones' }, { trainable: false });
    expect(asked).toEqual([
      {
        name: 'encoder.layer.0.weight',
        shape: [2, 3],
        initializer: { kind: 'xavierUniform' },
        trainable: true,
      },
      { name: 'encoder.layer.0.norm.gain', shape: [3], initializer: { kind: 'ones' }, trainable: false },
    ]);
  });

  it('asks for existence by full names, with a default', () => {
    const layer = parameters.scope('encoder.layer.0');
    expect(layer.has('bias')).toBe(true);
    expect(layer.has('scale')).toBe(false);
    expect(layer.has('scale', true)).toBe(true);
  });
});

describe('computedWeight', () => {
  it('computes tables and refuses what must be stored', () => {
    const table: ParameterSpec = {
      name: 'positions',
      shape: [2],
      initializer: { kind: 'values', values: () => new Float32Array([1, 2]) },
      trainable: false,
    };
    expect(computedWeight(table)).toEqual(new Float32Array([1, 2]));
    expect(() => computedWeight({ ...table, initializer: { kind: 'zeros' } })).toThrow(
      expect.objectContaining({ code: 'WEIGHT_MISSING', message: expect.stringContaining('positions') }),
    );
  });
});
