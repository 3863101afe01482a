import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { encodeModel } from '../engine/onnxModel.js';
import type { Signature, Tensors, TracedFunction } from '../engine/program.js';
import { traceFunction } from '../engine/traceFunction.js';
import { loadOnnxApi } from './onnxApi.js';
import { binding as plain } from './onnxLibrary.js';
import { directRuntime } from './onnxSession.js';

const direct = directRuntime(plain);
const { Tensor } = plain;

const signature: Signature = {
  x: { type: 'float32', shape: ['rows', 2] },
  n: { type: 'int32', shape: ['rows'] },
};
const fn: TracedFunction = ({ x, n }): Tensors => ({
  product: tf.matMul(x, x, false, true),
  sum: tf.add(n, n),
  positive: tf.greater(x, 0),
});

function model(of: TracedFunction = fn, inputs: Signature = signature): Uint8Array {
  return encodeModel(traceFunction(of, inputs).graph, new Map());
}

const feeds = (rows: number) => ({
  x: new Tensor(
    'float32',
    Float32Array.from({ length: rows * 2 }, (_, i) => i - 2),
    [rows, 2],
  ),
  n: new Tensor(
    'int32',
    Int32Array.from({ length: rows }, (_, i) => i),
    [rows],
  ),
});
const noFetches = { product: null, sum: null, positive: null };

describe('directRuntime', () => {
  it('computes here without the binding', () => {
    expect(loadOnnxApi()).not.toBeInstanceOf(Error);
    expect(direct.describe?.('cpu')).toBe('through its C interface, which writes outputs in place');
  });

  it.each([1, 3, 0])('gives what the binding gives, %i rows', async (rows) => {
    const sessions = await Promise.all(
      [direct, plain].map((runtime) => runtime.InferenceSession.create(model())),
    );
    const [ours, theirs] = await Promise.all(sessions.map((session) => session.run(feeds(rows), noFetches)));
    expect(Object.keys(ours)).toEqual(['product', 'sum', 'positive']);
    for (const [name, tensor] of Object.entries(ours)) {
      const { type, dims, data } = tensor as InstanceType<typeof Tensor>;
      const wanted = theirs[name] as InstanceType<typeof Tensor>;
      expect({ type, dims, data }).toEqual({ type: wanted.type, dims: [...wanted.dims], data: wanted.data });
    }
    expect(sessions[0].inputNames).toEqual(sessions[1].inputNames);
    expect(sessions[0].outputNames).toEqual(sessions[1].outputNames);
    for (const session of sessions) await session.release();
  });

  it('writes into the memory it is given, and returns that very tensor', async () => {
    const session = await direct.InferenceSession.create(model());
    // A part of a larger buffer: what lies beside it stays as it was.
    const memory = new Float32Array(12).fill(7);
    const product = new Tensor('float32', memory.subarray(1, 10), [3, 3]);
    const { product: returned } = await session.run(feeds(3), { ...noFetches, product });
    expect(returned).toBe(product);
    expect([...memory]).toEqual([7, 5, -1, -7, -1, 1, 3, -7, 3, 13, 7, 7]);
    await session.release();
  });

  it('reads what tensors hold at each run, the same ones or others', async () => {
    const session = await direct.InferenceSession.create(model());
    const same = feeds(1);
    const sum = new Tensor('int32', new Int32Array(1), [1]);
    for (const [given, wanted] of [
      [same, 0],
      [same, 14],
      [feeds(1), 0],
      [same, 14],
    ] as const) {
      expect((await session.run(given, { ...noFetches, sum })).sum.data).toEqual(Int32Array.of(wanted));
      (same.n.data as Int32Array)[0] = 7;
    }
    // A place that had memory of its own gets new memory when none is given.
    const { sum: fresh } = await session.run(same, noFetches);
    expect(fresh).not.toBe(sum);
    expect(fresh.data).toEqual(Int32Array.of(14));
    await session.release();
  });

  it('throws what the runtime says, and goes on', async () => {
    const session = await direct.InferenceSession.create(model());
    const wrong = { ...feeds(2), x: new Tensor('float32', new Float32Array(3), [1, 3]) };
    await expect(session.run(wrong, noFetches)).rejects.toThrow(/Got: 3 Expected: 2/);
    const { sum } = await session.run(feeds(2), noFetches);
    expect(sum.data).toEqual(Int32Array.of(0, 2));
    await session.release();
    await session.release();
    await expect(session.run(feeds(2), noFetches)).rejects.toThrow('the session was released');
  });

  it('refuses what is no model', async () => {
    await expect(direct.InferenceSession.create(Uint8Array.of(1, 2, 3))).rejects.toThrow(/./);
  });

  it('serves sessions with and without threads of their own', async () => {
    for (const intraOpNumThreads of [undefined, 1, 2]) {
      const session = await direct.InferenceSession.create(
        model(),
        intraOpNumThreads ? { intraOpNumThreads } : {},
      );
      const { product } = await session.run(feeds(1), noFetches);
      expect(product.data).toEqual(Float32Array.of(5));
      await session.release();
    }
  });

  it('leaves other providers, and places where it cannot be loaded, to the binding', async () => {
    const asked: unknown[] = [];
    const other = {
      ...plain,
      InferenceSession: {
        create: async (_: Uint8Array, options: unknown) => {
          asked.push(options);
          return {} as never;
        },
      },
    };
    await directRuntime(other).InferenceSession.create(model(), { executionProviders: ['coreml'] });
    const without = directRuntime(other, () => new Error('koffi is not installed\nat ...'));
    await without.InferenceSession.create(model(), { executionProviders: ['cpu'] });
    expect(asked).toEqual([{ executionProviders: ['coreml'] }, { executionProviders: ['cpu'] }]);
    expect(without.describe?.('cpu')).toBe(
      'through a binding that copies outputs, which is slower (koffi is not installed)',
    );
    expect(without.describe?.('webgpu')).toBe(
      'through a binding that holds the outputs of its last run (koffi is not installed)',
    );
    const cuda = without.InferenceSession.create(model(), { executionProviders: ['cuda'] });
    await expect(cuda).rejects.toThrow('needs the package koffi');
    expect(asked).toHaveLength(2);
  });
});
