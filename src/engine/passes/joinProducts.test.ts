import '../../../test/support/engine/runtime.js';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { memoryWeights } from '../../../test/support/engine/weights.js';
import { compile } from '../compile.js';
import { compareValues } from '../contract/check.contract.js';
import { linear } from '../ops/linear.js';
import type { TracedFunction } from '../program.js';
import type { WeightPrecision } from '../quantize.js';
import { traceFunction } from '../traceFunction.js';
import { floats } from '../values.js';
import { applyPasses, type PassName, passesFor } from './index.js';

const inputs = 32;
const wave = (length: number, step: number) => Array.from({ length }, (_, i) => Math.sin(i * step));
const weights = memoryWeights({
  query: { shape: [4, inputs], values: wave(4 * inputs, 0.7) },
  key: { shape: [6, inputs], values: wave(6 * inputs, 0.3) },
  value: { shape: [8, inputs], values: wave(8 * inputs, 1.1) },
  queryBias: { shape: [4], values: wave(4, 2) },
  keyBias: { shape: [6], values: wave(6, 3) },
});
const signature = { x: { type: 'float32', shape: ['rows', inputs] } } as const;

/** Two maps with a bias and two without, of the same rows, and one of other rows. */
const fn: TracedFunction = ({ x }, p) => {
  const [query, key] = [p.get('query', [4, inputs]), p.get('key', [6, inputs])];
  const value = p.get('value', [8, inputs]);
  return {
    withBias: linear(x, query, p.get('queryBias', [4])),
    second: linear(x, key, p.get('keyBias', [6])),
    third: linear(x, value),
    bare: linear(x, query),
    other: linear(tf.mul(x, 2), query, p.get('queryBias', [4])),
  };
};

function operations(names: readonly PassName[], precision: WeightPrecision): string[] {
  const { graph } = traceFunction(fn, signature, { weights });
  applyPasses(graph, names, precision);
  return graph.nodes.map((node) => node.op);
}

const withoutJoin = passesFor('cpu').filter((name) => name !== 'joinProducts');

describe('joinProducts', () => {
  it.each([
    ['float32', 'Gemm'],
    ['int8', 'DynamicQuantizeMatMul'],
    ['int4', 'MatMulNBits'],
  ] as const)('computes the same in %s with fewer products', async (weightPrecision, product) => {
    const x = floats([3, inputs], Float32Array.from(wave(3 * inputs, 0.9)));
    const results = [];
    for (const passes of [withoutJoin, passesFor('cpu')]) {
      const program = await compile(fn, signature, { weights, weightPrecision, passes });
      results.push(await program.run({ x }));
      await program.dispose();
    }
    for (const [name, value] of Object.entries(results[0]))
      compareValues(name, value, results[1][name], 1e-6);
    const count = (names: readonly PassName[]) =>
      operations(names, weightPrecision).filter((op) => op === product || op === 'FusedMatMul').length;
    expect([count(withoutJoin), count(passesFor('cpu'))]).toEqual([5, 3]);
  });

  it('leaves sequences and weights that are inputs alone', () => {
    const long: TracedFunction = ({ x }, p) => ({
      a: linear(x, p.get('query', [4, inputs])),
      b: linear(x, p.get('key', [6, inputs])),
    });
    const sequence = { x: { type: 'float32', shape: ['batch', 'length', inputs] } } as const;
    for (const options of [{ weights }, { weightsAs: 'inputs' as const }]) {
      const { graph } = traceFunction(long, 'weights' in options ? sequence : signature, options);
      applyPasses(graph, passesFor('cpu'));
      expect(graph.nodes.map((node) => node.op)).not.toContain('Split');
    }
  });
});

describe('fuseBias', () => {
  it('adds the bias of rows in the product, and no other sum', () => {
    const left = operations(['fuseTransposedMatMul', 'fuseBias'], 'float32');
    expect(left.filter((op) => op === 'Gemm')).toHaveLength(3);
    expect(left).not.toContain('Add');
    const sums: TracedFunction = ({ x }, p) => {
      const product = linear(x, p.get('query', [4, inputs]));
      return { product, sum: tf.add(product, p.get('queryBias', [4])) };
    };
    const { graph } = traceFunction(sums, signature, { weights });
    applyPasses(graph, ['fuseTransposedMatMul', 'fuseBias']);
    expect(graph.nodes.map((node) => node.op).sort()).toEqual(['Add', 'FusedMatMul']);
  });
});
