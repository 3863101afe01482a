import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, it } from 'vitest';
import '../../test/support/engine/runtime.js';
import { memoryWeights } from '../../test/support/engine/weights.js';
import type { ErrorCode, PolybeamError } from '../errors.js';
import { setFileAccess } from '../files.js';
import { nodeFiles } from '../node/files.js';
import { compile } from './compile.js';
import { rangeTo, sizeOf } from './ops/sizes.js';
import type { Device, Signature, TracedFunction } from './program.js';
import { traceFunction } from './traceFunction.js';
import { floats, integers, type Value } from './values.js';
import type { WeightStore } from './weights.js';

const devices: Device[] = ['cpu', 'tfjs:cpu'];

const affine: TracedFunction = ({ x }, parameters) => {
  const layer = parameters.scope('layer');
  return { y: tf.add(tf.matMul(x, layer.get('weight', [2, 3])), layer.get('bias', [3])) };
};
const affineSignature: Signature = { x: { type: 'float32', shape: ['rows', 2] } };
const affineWeights = memoryWeights({
  'layer.weight': { shape: [2, 3], values: [1, 2, 3, 4, 5, 6] },
  'layer.bias': { shape: [3], values: [10, 20, 30] },
});

async function refusal(promise: Promise<unknown>): Promise<{ code: ErrorCode; message: string }> {
  const error = (await promise.then(
    () => undefined,
    (reason) => reason,
  )) as PolybeamError | undefined;
  if (error?.name !== 'PolybeamError') throw new Error('was not refused', { cause: error });
  return { code: error.code, message: error.message };
}

describe.each(devices)('weights of a program on %s', (device) => {
  it('are constants, by their checkpoint names', async () => {
    const program = await compile(affine, affineSignature, { device, weights: affineWeights });
    expect(program.parameters.map(({ name, shape }) => [name, shape])).toEqual([
      ['layer.weight', [2, 3]],
      ['layer.bias', [3]],
    ]);
    expect(program.inputs.map((port) => port.name)).toEqual(['x']);
    expect(program.outputs).toEqual([{ name: 'y', type: 'float32', shape: ['rows', 3] }]);
    for (const rows of [1, 3]) {
      const { y } = await program.run({ x: floats([rows, 2], new Float32Array(2 * rows).fill(1)) });
      expect(Array.from(y.data)).toEqual(Array.from({ length: rows }, () => [15, 27, 39]).flat());
    }
    await program.dispose();
  });

  it('are asked for at each run where a function gives them', async () => {
    const values: Record<string, Value> = {
      'layer.weight': floats([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)),
      'layer.bias': floats([3], Float32Array.of(10, 20, 30)),
    };
    const program = await compile(affine, affineSignature, { device, weightValue: (name) => values[name] });
    expect(program.inputs.map((port) => port.name)).toEqual(['x']);
    const run = async () =>
      Array.from((await program.run({ x: floats([1, 2], Float32Array.of(1, 1)) })).y.data);
    expect(await run()).toEqual([15, 27, 39]);
    values['layer.bias'] = floats([3]);
    values['layer.weight'].data[0] = 2;
    expect(await run()).toEqual([6, 7, 9]);
    await program.dispose();
  });

  it('are inputs where they shall be', async () => {
    const program = await compile(affine, affineSignature, { device, weightsAs: 'inputs' });
    expect(program.inputs.map((port) => port.name)).toEqual([
      'x',
      'weights/layer.weight',
      'weights/layer.bias',
    ]);
    const { y } = await program.run({
      x: floats([1, 2], new Float32Array([1, 1])),
      'weights/layer.weight': floats([2, 3], new Float32Array([1, 0, 0, 0, 1, 0])),
      'weights/layer.bias': floats([3], new Float32Array([0, 0, 7])),
    });
    expect(Array.from(y.data)).toEqual([1, 1, 7]);
    await program.dispose();
  });

  it('are refused where they are missing or of another shape', async () => {
    const none = memoryWeights({ 'layer.weight': { shape: [2, 3], values: [1, 2, 3, 4, 5, 6] } });
    expect(await refusal(compile(affine, affineSignature, { device, weights: none }))).toEqual({
      code: 'WEIGHT_MISSING',
      message: expect.stringContaining('layer.bias [3]'),
    });
    const other = memoryWeights({ 'layer.weight': { shape: [3, 2], values: [1, 2, 3, 4, 5, 6] } });
    expect(await refusal(compile(affine, affineSignature, { device, weights: other }))).toEqual({
      code: 'WEIGHT_SHAPE',
      message: expect.stringMatching(/layer\.weight is \[3, 2\] .* wants \[2, 3\]/),
    });
  });

  it('depend on what the checkpoint has', async () => {
    const optional: TracedFunction = ({ x }, parameters) => ({
      y: parameters.has('bias', true) ? tf.add(x, parameters.get('bias', [2])) : x,
    });
    const without = await compile(optional, affineSignature, { device, weights: affineWeights });
    expect(without.parameters).toEqual([]);
    const fresh = await compile(optional, affineSignature, { device, weightsAs: 'inputs' });
    expect(fresh.parameters.map(({ name }) => name)).toEqual(['bias']);
  });
});

describe('weights in files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'polybeam-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('are read from where they lie, beside weights from memory', async () => {
    setFileAccess(nodeFiles);
    const path = join(folder, 'weights.bin');
    // The first eight bytes belong to something else.
    writeFileSync(path, new Uint8Array(new Float32Array([9, 9, 1, 2, 3, 4, 5, 6]).buffer));
    const store: WeightStore = {
      ...affineWeights,
      get: (name) =>
        name === 'layer.weight'
          ? { format: 'F32', shape: [2, 3], data: { kind: 'file', path, offset: 8, length: 24 } }
          : affineWeights.get(name),
      read: (name) =>
        name === 'layer.weight' ? Promise.reject(new Error('was read')) : affineWeights.read(name),
    };
    const program = await compile(affine, affineSignature, { weights: store });
    const { y } = await program.run({ x: floats([1, 2], new Float32Array([1, 1])) });
    expect(Array.from(y.data)).toEqual([15, 27, 39]);
    await program.dispose();
  });
});

describe.each(devices)('outputs of a program on %s', (device) => {
  const step: TracedFunction = ({ cache, position, value }) => {
    const here = tf.reshape(tf.equal(rangeTo(cache.shape[0]!), position), [cache.shape[0]!, 1]);
    const next = tf.where(here, value, cache);
    return { nextCache: next, total: tf.sum(next) };
  };
  const signature: Signature = {
    cache: { type: 'float32', shape: ['capacity', 2] },
    position: { type: 'int32', shape: [1] },
    value: { type: 'float32', shape: [1, 2] },
  };

  it('are written into the array that was read', async () => {
    const program = await compile(step, signature, { device });
    const cache = floats([4, 2]);
    const memory = cache.data;
    for (let position = 0; position < 4; position++) {
      const value = floats([1, 2], new Float32Array([position + 1, 1]));
      const result = await program.run(
        { cache, position: integers([1], new Int32Array([position])), value },
        { nextCache: cache },
      );
      expect(result.nextCache).toBe(cache);
      expect(result.total.data[0]).toBe(((position + 1) * (position + 4)) / 2);
    }
    expect(cache.data).toBe(memory);
    expect(Array.from(memory)).toEqual([1, 1, 2, 1, 3, 1, 4, 1]);
    await program.dispose();
  });

  it('alternate between two buffers, as updates of weights do', async () => {
    // Every weight reads the other's old value: written in place, the second would read the first's new one.
    const update: TracedFunction = ({ a, b }) => ({ nextA: tf.add(a, b), nextB: tf.sub(b, a) });
    const pair: Signature = { a: { type: 'float32', shape: [2] }, b: { type: 'float32', shape: [2] } };
    const program = await compile(update, pair, { device });
    let now = { a: floats([2], new Float32Array([1, 2])), b: floats([2], new Float32Array([10, 20])) };
    let next = { a: floats([2]), b: floats([2]) };
    for (let i = 0; i < 2; i++) {
      await program.run(now, { nextA: next.a, nextB: next.b });
      [now, next] = [next, now];
    }
    expect([...now.a.data, ...now.b.data]).toEqual([20, 40, -2, -4]);
    await program.dispose();
  });

  it('are refused into arrays of another size', async () => {
    const program = await compile(step, signature, { device });
    const feeds = { cache: floats([4, 2]), position: integers([1]), value: floats([1, 2]) };
    expect(await refusal(program.run(feeds, { total: floats([2]) }))).toMatchObject({ code: 'FEED_INVALID' });
    expect(await refusal(program.run(feeds, { totals: floats([]) }))).toMatchObject({ code: 'FEED_INVALID' });
    await program.dispose();
  });
});

describe('options', () => {
  it('run with any number of threads, with the same result', async () => {
    const results: number[][] = [];
    for (const threads of [1, 2]) {
      const program = await compile(affine, affineSignature, { weights: affineWeights, threads });
      const { y } = await program.run({ x: floats([2, 2], new Float32Array([1, 2, 3, 4])) });
      results.push(Array.from(y.data));
      await program.dispose();
    }
    expect(results[0]).toEqual(results[1]);
  });

  it('refuse devices that do not exist or are not here', async () => {
    const on = (device: string) => refusal(compile(affine, affineSignature, { device: device as Device }));
    expect(await on('gpu')).toMatchObject({
      code: 'DEVICE_UNKNOWN',
      message: expect.stringContaining('"gpu"'),
    });
    expect(await on('tfjs:abacus')).toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
    expect(await on('tfjs:polybeam-trace')).toMatchObject({ code: 'DEVICE_UNKNOWN' });
  });
});

describe('what cannot be traced', () => {
  it('is an output with the name of an input', async () => {
    expect(await refusal(compile(({ x: t }) => ({ x: tf.neg(t) }), affineSignature))).toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining('"x"'),
    });
  });

  const x: Signature = { x: { type: 'float32', shape: ['rows', 4] } };
  const traced = (fn: TracedFunction, signature = x) => refusal(compile(fn, signature));

  it('is an operation without a mapping, refused by name', async () => {
    expect(
      await traced(({ x: t }) => ({ y: tf.avgPool(tf.reshape(t, [-1, 2, 2, 1]) as never, 2, 1, 'valid') })),
    ).toEqual({
      code: 'KERNEL_UNMAPPED',
      message: expect.stringContaining('operation AvgPool has no ONNX mapping'),
    });
  });

  it('is a value read while tracing', async () => {
    const fn: TracedFunction = ({ x: t }) => ({ y: tf.mul(t, tf.max(tf.exp(t)).dataSync()[0]) });
    const error = await traced(fn);
    expect(error).toEqual({
      code: 'TRACE_VALUE_READ',
      message: expect.stringMatching(/last recorded: ReduceMax/),
    });
  });

  it('is a tensor from outside', async () => {
    await tf.setBackend('cpu');
    const outside = tf.tensor([1, 2, 3, 4]);
    expect(await traced(({ x: t }) => ({ y: tf.add(t, outside) }))).toMatchObject({
      code: 'TRACE_VALUE_READ',
    });
  });

  it('is a compilation inside another', async () => {
    expect(await traced(() => traceFunction(affine, affineSignature) as never)).toMatchObject({
      code: 'TRACE_VALUE_READ',
      message: expect.stringContaining('cannot be nested'),
    });
  });

  it('is the size of a named dimension as a value', async () => {
    const scaled = await traced(({ x: t }) => ({ y: tf.mul(t, t.shape[0]!) }));
    expect(scaled).toEqual({
      code: 'TRACE_SHAPE',
      message: expect.stringMatching(/size of a named dimension \(rows\) was used as a value/),
    });
    // Not a multiple of the stand-in any more: two traces differ.
    const root = await traced(({ x: t }) => ({ y: tf.mul(t, 1 / Math.sqrt(t.shape[0]!)) }));
    expect(root).toEqual({ code: 'TRACE_SHAPE', message: expect.stringContaining('used as a value in Mul') });
    const table = await traced(({ x: t }) => ({ y: tf.add(tf.reshape(t, [-1]), tf.ones([t.size])) }));
    expect(table).toEqual({ code: 'TRACE_SHAPE', message: expect.stringContaining('[4*rows]') });
  });

  it('is a shape of another size, told by names', async () => {
    for (const shape of [
      [5, 4],
      [-1, 7],
    ]) {
      const reshaped = await traced(({ x: t }) => ({ y: tf.reshape(t, shape) }));
      expect(reshaped).toEqual({
        code: 'TRACE_SHAPE',
        message: expect.stringContaining(`[rows, 4] cannot be reshaped to [${shape.join(', ')}]`),
      });
    }
  });

  it('is a size that no expression of names was found for', async () => {
    const two: Signature = { ...x, z: { type: 'float32', shape: ['others', 4] } };
    const fn: TracedFunction = ({ x: t, z }) => ({ y: tf.fill([t.shape[0]! - z.shape[0]! + 700], 1) });
    expect(await traced(fn, two)).toMatchObject({ code: 'TRACE_SHAPE' });
  });

  it('is a size of which no input has an axis', async () => {
    const product: Signature = { x: { type: 'float32', shape: ['a*b', 'a'] } };
    const fn: TracedFunction = ({ x: t }) => ({ y: tf.fill([t.shape[0]! / t.shape[1]!], 1) });
    expect(await traced(fn, product)).toEqual({
      code: 'TRACE_SHAPE',
      message: expect.stringContaining('size "b" alone'),
    });
  });

  it('leaves sizes usable as tensors, and numbers that equal a stand-in as they are', async () => {
    // 24247 stands for the first name in the first trace.
    const fn: TracedFunction = ({ x: t }) => ({
      mean: tf.div(tf.sum(t), tf.cast(tf.mul(sizeOf(t, 0), sizeOf(t, 1)), 'float32')),
      number: tf.add(tf.fill([2], 24247), tf.sum(t)),
    });
    const program = await compile(fn, x);
    const { mean, number } = await program.run({ x: floats([3, 4], new Float32Array(12).fill(2)) });
    expect(mean.data[0]).toBe(2);
    expect(Array.from(number.data)).toEqual([24271, 24271]);
    await program.dispose();
  });
});
