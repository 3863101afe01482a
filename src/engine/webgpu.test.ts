import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { webgpuUnavailable } from '../../test/support/engine/webgpu.js';
import { memoryWeights } from '../../test/support/engine/weights.js';
import { compile } from './compile.js';
import { compareValues } from './contract/check.contract.js';
import { fillInput, randomNumbers, type ScenarioInput } from './contract/scenario.contract.js';
import { attention } from './ops/attention.js';
import { crossEntropy } from './ops/crossEntropy.js';
import { dropout } from './ops/dropout.js';
import { gelu } from './ops/gelu.js';
import { layerNorm } from './ops/layerNorm.js';
import { linear } from './ops/linear.js';
import type { Tensors, TracedFunction } from './program.js';
import { floats, integers } from './values.js';

const reason = await webgpuUnavailable();
if (reason !== undefined) process.stderr.write(`Programs on webgpu are not tested: ${reason}\n`);

const inputs: Record<string, ScenarioInput> = {
  x: { type: 'float32', shape: ['batch', 'length', 8] },
  mask: { type: 'int32', shape: ['batch', 'length'], fill: { from: 1, below: 2 } },
  labels: { type: 'int32', shape: ['batch*length'], fill: { from: 0, below: 8 } },
  seed: { type: 'int32', shape: [] },
  query: { type: 'float32', shape: [8, 8], fill: 'unit' },
  inner: { type: 'float32', shape: [16, 8], fill: 'unit' },
  outer: { type: 'float32', shape: [8, 16], fill: 'unit' },
  gain: { type: 'float32', shape: [8] },
  bias: { type: 'float32', shape: [8] },
};
const weights = ['query', 'inner', 'outer', 'gain', 'bias'];

/** A Transformer layer with everything that passes fuse. */
function layer(t: Tensors, drop: boolean): tf.Tensor {
  const source = drop ? { seed: t.seed, next: { stream: 0 } } : undefined;
  const query = linear(t.x, t.query);
  const attended = attention(query, t.x, t.x, 2, { keyMask: t.mask, causal: true });
  const middle = layerNorm(tf.add(t.x, dropout(attended, 0.25, source)), t.gain, t.bias, 1e-3);
  return tf.add(middle, linear(gelu(linear(middle, t.inner)), t.outer));
}

const forward: TracedFunction = (t) => ({ y: layer(t, false) });

/** Loss, gradients and one step of gradient descent. */
const train: TracedFunction = (t) => {
  const loss = (...given: tf.Tensor[]): tf.Scalar => {
    const all = { ...t, ...Object.fromEntries(weights.map((name, index) => [name, given[index]])) };
    return tf.mean(crossEntropy(tf.reshape(layer(all, true), [-1, 8]), t.labels, 0.1).loss);
  };
  const { value, grads } = tf.valueAndGrads(loss)(weights.map((name) => t[name]));
  const updated = weights.map((name, index) => [`next/${name}`, tf.sub(t[name], tf.mul(grads[index], 0.1))]);
  return { loss: value, ...Object.fromEntries(updated) };
};

describe.skipIf(reason !== undefined)(`programs on webgpu${reason ? `: ${reason}` : ''}`, () => {
  it.each([
    ['a forward pass', forward, [{ batch: 2, length: 3 }]],
    [
      'a training step, at two sizes',
      train,
      [
        { batch: 2, length: 3 },
        { batch: 1, length: 5 },
      ],
    ],
  ])('compute %s as the CPU does', async (_, fn, runs) => {
    const [cpu, webgpu] = [await compile(fn, inputs), await compile(fn, inputs, { device: 'webgpu' })];
    for (const sizes of runs) {
      const random = randomNumbers(sizes.length);
      const feeds = Object.fromEntries(
        Object.entries(inputs).map(([name, input]) => [name, fillInput(input, sizes, random)]),
      );
      const [wanted, found] = [await cpu.run(feeds), await webgpu.run(feeds)];
      for (const [name, value] of Object.entries(wanted)) compareValues(name, value, found[name], 1e-3);
    }
    await cpu.dispose();
    await webgpu.dispose();
  });

  it('make the masks of any number of dropouts, on the CPU', async () => {
    const many: TracedFunction = ({ x, seed }) => {
      const source = { seed, next: { stream: 0 } };
      let y = x;
      for (let i = 0; i < 40; i++) y = dropout(tf.mul(y, 1.01), 0.02, source);
      return { y };
    };
    const signature = {
      x: { type: 'float32', shape: ['rows', 8] },
      seed: { type: 'int32', shape: [] },
    } as const;
    const folder = mkdtempSync(join(tmpdir(), 'polybeam-profile-'));
    const [cpu, webgpu] = [
      await compile(many, signature),
      await compile(many, signature, { device: 'webgpu', profile: join(folder, 'run') }),
    ];
    const feeds = {
      x: floats(
        [5, 8],
        Float32Array.from({ length: 40 }, (_, at) => at + 1),
      ),
      seed: integers([], Int32Array.of(3)),
    };
    const wanted = (await cpu.run(feeds)).y.data;
    compareValues('y', floats([5, 8], wanted as Float32Array), (await webgpu.run(feeds)).y, 1e-5);
    expect([...wanted].filter((value) => value === 0).length).toBeGreaterThan(0);
    expect([...wanted].filter((value) => value > 0).length).toBeGreaterThan(0);
    await cpu.dispose();
    await webgpu.dispose();
    // Masks are made in one part and read in the other; nothing comes back in between.
    const operators = (prefix: string) => {
      const file = readdirSync(folder).find((name) => name.startsWith(prefix))!;
      const events: { args?: { op_name?: string; provider?: string } }[] = JSON.parse(
        readFileSync(join(folder, file), 'utf8'),
      );
      return events.flatMap(({ args }) => (args?.provider ? [`${args.provider} ${args.op_name}`] : []));
    };
    const [device, host] = [operators('run_'), operators('run-host_')];
    rmSync(folder, { recursive: true });
    expect(host.filter((one) => one === 'CPUExecutionProvider BitShift')).toHaveLength(40 * 7);
    expect(host.filter((one) => !one.startsWith('CPU'))).toEqual([]);
    expect(device.filter((one) => one === 'WebGpuExecutionProvider Mul')).toHaveLength(80);
    expect(device.filter((one) => !one.startsWith('WebGpu') || one.endsWith('MemcpyToHost'))).toEqual([]);
  });

  it('take weights from the checkpoint and write into given arrays', async () => {
    const store = memoryWeights({ scale: { shape: [2], values: [10, 100] } });
    const program = await compile(
      ({ x }, parameters) => ({ y: tf.mul(x, parameters.get('scale', [2])) }),
      { x: { type: 'float32', shape: ['rows', 2] } },
      { device: 'webgpu', weights: store },
    );
    const y = floats([2, 2]);
    const memory = y.data;
    await program.run({ x: floats([2, 2], new Float32Array([1, 2, 3, 4])) }, { y });
    expect(y.data).toBe(memory);
    expect(Array.from(memory)).toEqual([10, 200, 30, 400]);
    await program.dispose();
  });
});
