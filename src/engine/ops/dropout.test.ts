import '../../../test/support/engine/runtime.js';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { compile } from '../compile.js';
import type { Device, TracedFunction } from '../program.js';
import { floats, integers } from '../values.js';
import { dropout } from './dropout.js';

/** Dropout of ones: the mask itself. */
async function mask(options: {
  shape: number[];
  rate: number;
  seed: number;
  stream?: number;
  device?: Device;
}): Promise<Float32Array> {
  const { shape, rate, seed, stream = 0, device = 'cpu' } = options;
  const fn: TracedFunction = ({ x, key }) => ({ y: dropout(x, rate, { seed: key, next: { stream } }) });
  const program = await compile(
    fn,
    {
      x: { type: 'float32', shape: shape.map((_, axis) => `size${axis}`) },
      key: { type: 'int32', shape: [] },
    },
    { device, threads: 1 },
  );
  const ones = floats(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1));
  const { y } = await program.run({ x: ones, key: integers([], new Int32Array([seed])) });
  await program.dispose();
  return y.data as Float32Array;
}

const share = (values: Float32Array, wanted: (value: number, index: number) => boolean): number =>
  values.filter(wanted).length / values.length;

describe('dropout', () => {
  it('has the same bits in a graph and eagerly, for odd and even sizes', async () => {
    for (const shape of [[1], [7], [3, 5, 3], [64, 128]]) {
      for (const seed of [0, -1, 123456789]) {
        const traced = await mask({ shape, rate: 0.3, seed, stream: 4 });
        expect(traced).toEqual(await mask({ shape, rate: 0.3, seed, stream: 4, device: 'tfjs:cpu' }));
      }
    }
  });

  it('keeps 1 - rate of the elements and their mean', async () => {
    for (const rate of [0.1, 0.5, 0.9]) {
      const values = await mask({ shape: [400, 500], rate, seed: 11 });
      // Five standard deviations of a binomial share.
      const margin = 5 * Math.sqrt((rate * (1 - rate)) / values.length);
      expect(Math.abs(share(values, (value) => value === 0) - rate)).toBeLessThan(margin);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      expect(Math.abs(mean - 1)).toBeLessThan(margin / (1 - rate));
      const kept = [...new Set(values)].filter((value) => value !== 0);
      expect(kept).toEqual([expect.closeTo(1 / (1 - rate), 2)]);
    }
  });

  it('is independent between streams, seeds and neighbours', async () => {
    const rate = 0.5;
    const shape = [200_000];
    const base = await mask({ shape, rate, seed: 5 });
    const margin = 5 * Math.sqrt(0.25 / shape[0]);
    const agreement = (other: Float32Array) => share(base, (value, index) => value === other[index]);
    const others = [
      await mask({ shape, rate, seed: 5, stream: 1 }),
      await mask({ shape, rate, seed: 6 }),
      // The two halves share words; the next element and the next row have others.
      Float32Array.from([...base.subarray(shape[0] / 2), ...base.subarray(0, shape[0] / 2)]),
      Float32Array.from([...base.subarray(1), base[0]]),
      Float32Array.from([...base.subarray(512), ...base.subarray(0, 512)]),
    ];
    for (const other of others) expect(Math.abs(agreement(other) - 0.5)).toBeLessThan(margin);
  });

  it('drops nothing without a source or a rate, and everything at rate 1', async () => {
    const x = tf.tensor([1, 2]);
    expect(dropout(x, 0.5, undefined)).toBe(x);
    expect(await mask({ shape: [9], rate: 0, seed: 1 })).toEqual(new Float32Array(9).fill(1));
    expect(await mask({ shape: [9], rate: 1, seed: 1 })).toEqual(new Float32Array(9));
  });

  it('gives each place a stream of its own', async () => {
    const fn: TracedFunction = ({ x, key }) => {
      const source = { seed: key, next: { stream: 0 } };
      return { first: dropout(x, 0.5, source), second: dropout(x, 0.5, source) };
    };
    const program = await compile(fn, {
      x: { type: 'float32', shape: ['n'] },
      key: { type: 'int32', shape: [] },
    });
    const x = floats([64], new Float32Array(64).fill(1));
    const { first, second } = await program.run({ x, key: integers([], new Int32Array([3])) });
    expect(first.data).not.toEqual(second.data);
    await program.dispose();
  });
});
