import '../../test/support/engine/runtime.js';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryWeights } from '../../test/support/engine/weights.js';
import { compile } from './compile.js';
import { linear } from './ops/linear.js';
import type { TracedFunction } from './program.js';
import { int4BlockSize, quantizeInt4, quantizeInt8, type WeightPrecision, weightFeeds } from './quantize.js';
import { floats, integers } from './values.js';

const matrices = fc
  .record({
    outputs: fc.integer({ min: 1, max: 130 }),
    blocks: fc.integer({ min: 1, max: 3 }),
    seed: fc.nat(),
  })
  .map(({ outputs, blocks, seed }) => {
    const inputs = blocks * int4BlockSize;
    const weight = Float32Array.from({ length: outputs * inputs }, (_, i) => Math.sin(i * 7.3 + seed) ** 3);
    return { outputs, inputs, weight };
  });

describe('quantizeInt8', () => {
  it('is within half a step of every weight, transposed', () => {
    fc.assert(
      fc.property(matrices, ({ outputs, inputs, weight }) => {
        const { values, scales } = quantizeInt8(weight, outputs);
        const signed = new Int8Array(values.buffer);
        for (let output = 0; output < outputs; output++) {
          for (let input = 0; input < inputs; input++) {
            const found = signed[input * outputs + output] * scales[output];
            expect(Math.abs(found - weight[output * inputs + input])).toBeLessThanOrEqual(
              scales[output] * 0.5001,
            );
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it('keeps zeros, and uses the whole range', () => {
    const { values, scales } = quantizeInt8(Float32Array.of(0, 0, -2, 1), 2);
    expect([...new Int8Array(values.buffer)]).toEqual([0, -64, 0, 32]);
    expect([...scales]).toEqual([0, 2 / 64]);
  });
});

describe('quantizeInt4', () => {
  it('is within a step of every weight', () => {
    fc.assert(
      fc.property(matrices, ({ weight }) => {
        const { values, scales } = quantizeInt4(weight);
        weight.forEach((wanted, i) => {
          const code = (values[i >> 1] >> (i % 2 === 0 ? 0 : 4)) & 15;
          const scale = scales[Math.floor(i / int4BlockSize)];
          // The largest number of the other sign may lie at +8, which is cut to +7.
          expect(Math.abs((code - 8) * scale - wanted)).toBeLessThanOrEqual(Math.abs(scale) * 1.001);
        });
      }),
      { numRuns: 20 },
    );
  });
});

describe('weightPrecision', () => {
  const [outputs, inputs] = [3, 32];
  // Whole numbers whose largest is the largest integer of the format: rounding changes nothing.
  const weight = (largest: number) =>
    Float32Array.from({ length: outputs * inputs }, (_, i) => (i % inputs === 5 ? -largest : (i * 5) % 8));
  const bias = Float32Array.of(0.5, -1, 2);
  const x = Float32Array.from({ length: 2 * inputs }, (_, i) => (i === 3 ? 255 : i === 40 ? 127 : i % 3));
  const signature = {
    x: { type: 'float32', shape: ['rows', inputs] },
    ids: { type: 'int32', shape: ['n'] },
  } as const;
  const feeds = { x: floats([2, inputs], x), ids: integers([1], Int32Array.of(1)) };
  const fn: TracedFunction = ({ x: input, ids }, p) => {
    const table = p.get('weight', [outputs, inputs]);
    return {
      withBias: linear(input, table, p.get('bias', [outputs])),
      alone: linear(input, table),
      row: tf.gather(table, ids as tf.Tensor1D),
    };
  };

  async function run(weightPrecision: WeightPrecision, largest: number) {
    const weights = memoryWeights({
      weight: { shape: [outputs, inputs], values: [...weight(largest)] },
      bias: { shape: [outputs], values: [...bias] },
    });
    const program = await compile(fn, signature, { weights, weightPrecision });
    const result = await program.run(feeds);
    await program.dispose();
    return result;
  }

  it.each([
    ['int8', 64],
    ['int4', 8],
  ] as const)(
    '%s is exact where rounding changes nothing, with and without a bias',
    async (precision, largest) => {
      const [wanted, found] = [await run('float32', largest), await run(precision, largest)];
      // The second row of int4 has a step of its own: 127 is the largest of its block.
      const rows = precision === 'int8' ? [0, 1] : [1];
      for (const name of ['withBias', 'alone'] as const) {
        for (const row of rows) {
          const part = (data: ArrayLike<number>) =>
            Array.from(data).slice(row * outputs, (row + 1) * outputs);
          part(wanted[name].data).forEach((value, i) => {
            expect(part(found[name].data)[i]).toBeCloseTo(value, 2);
          });
        }
      }
      expect(found.row.data).toEqual(wanted.row.data);
    },
  );

  it.each(['int8', 'int4'] as const)('takes a matrix that is fed as int8, for %s', async (precision) => {
    const size = { type: 'float32', shape: ['outputs', inputs], asWeight: true } as const;
    const fed: TracedFunction = ({ x: input, matrix, shift }) => ({
      withBias: tf.add(linear(input, matrix), shift),
      alone: linear(input, matrix),
    });
    const program = await compile(
      fed,
      { x: signature.x, shift: { type: 'float32', shape: ['outputs'] }, matrix: size },
      { weightPrecision: precision },
    );
    expect(program.inputs.map(({ name, type, shape }) => [name, type, shape])).toEqual([
      ['x', 'float32', ['rows', inputs]],
      ['shift', 'float32', ['outputs']],
      ['matrix', 'int8', [inputs, 'outputs']],
      ['matrix:scales', 'float32', ['outputs']],
    ]);
    const matrix = floats([outputs, inputs], weight(64));
    const found = await program.run({
      x: feeds.x,
      shift: floats([outputs], bias),
      ...weightFeeds('matrix', matrix, precision),
    });
    await program.dispose();
    const wanted = await run('float32', 64);
    for (const name of ['withBias', 'alone'] as const) {
      Array.from(wanted[name].data).forEach((value, i) => {
        expect(found[name].data[i]).toBeCloseTo(value, 2);
      });
    }
  });

  it('is refused where weights are no constants, and on other devices', async () => {
    for (const options of [{ weightsAs: 'inputs' }, { device: 'tfjs:cpu' }, { device: 'webgpu' }] as const) {
      await expect(compile(fn, signature, { weightPrecision: 'int8', ...options })).rejects.toMatchObject({
        code: 'OPTION_CONFLICT',
      });
    }
  });
});
