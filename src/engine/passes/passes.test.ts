import '../../../test/support/engine/runtime.js';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { compile } from '../compile.js';
import { compareValues } from '../contract/check.contract.js';
import { fillInput, randomNumbers, type ScenarioInput } from '../contract/scenario.contract.js';
import { attention } from '../ops/attention.js';
import { cachedAttention } from '../ops/cachedAttention.js';
import { gelu } from '../ops/gelu.js';
import { layerNorm } from '../ops/layerNorm.js';
import { linear } from '../ops/linear.js';
import { logSoftmax } from '../ops/logSoftmax.js';
import { logSumExp } from '../ops/logSumExp.js';
import { rmsNorm } from '../ops/rmsNorm.js';
import type { Tensors, TracedFunction } from '../program.js';
import { traceFunction } from '../traceFunction.js';
import { applyPasses, type PassName, passes, passesFor } from './index.js';

type Inputs = Record<string, ScenarioInput>;

const x: ScenarioInput = { type: 'float32', shape: ['batch', 'length', 8] };
const vector: ScenarioInput = { type: 'float32', shape: [8] };
const matrix: ScenarioInput = { type: 'float32', shape: [8, 8] };
const mask: ScenarioInput = { type: 'int32', shape: ['batch', 'length'], fill: { from: 0, below: 2 } };
const sizes = { batch: 3, length: 4, beams: 2, capacity: 5 };

/** Names of the operations that a pass leaves of a function. */
function operations(fn: TracedFunction, inputs: Inputs, names: readonly PassName[]): string[] {
  const { graph } = traceFunction(fn, inputs);
  applyPasses(graph, names);
  return graph.nodes.map((node) => node.op);
}

/** Runs a function before and after passes; throws where the outputs differ. Returns what is left after them. */
async function compareWithPasses(
  fn: TracedFunction,
  inputs: Inputs,
  names: readonly PassName[],
): Promise<string[]> {
  const random = randomNumbers(7);
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [name, fillInput(input, sizes, random)]),
  );
  const [plain, fused] = await Promise.all(
    [[], names].map((list) => compile(fn, inputs, { passes: list, threads: 1 })),
  );
  const [wanted, found] = [await plain.run(feeds), await fused.run(feeds)];
  for (const [name, value] of Object.entries(wanted)) compareValues(name, value, found[name], 1e-5);
  await Promise.all([plain.dispose(), fused.dispose()]);
  return operations(fn, inputs, names);
}

/** The function's outputs and the gradients of their sum, as a training step has them. */
function training(fn: TracedFunction, names: readonly string[]): TracedFunction {
  return (inputs, parameters) => {
    const total = (...given: tf.Tensor[]): tf.Scalar => {
      const all: Tensors = { ...inputs, ...Object.fromEntries(names.map((name, i) => [name, given[i]])) };
      const outputs = Object.values(fn(all, parameters)).map((output) => tf.sum(tf.square(output)));
      return tf.addN(outputs) as tf.Scalar;
    };
    const { value, grads } = tf.valueAndGrads(total)(names.map((name) => inputs[name]));
    return { value, ...Object.fromEntries(names.map((name, i) => [`d${name}`, grads[i]])) };
  };
}

describe('fuseGelu', () => {
  it.each([
    [false, 'Gelu'],
    [true, 'FastGelu'],
  ])('makes one node of gelu (approximate: %s)', async (approximate, op) => {
    const fn: TracedFunction = (inputs) => ({ y: gelu(inputs.x, approximate) });
    expect(await compareWithPasses(fn, { x }, ['fuseGelu'])).toEqual([op]);
    const trained = await compareWithPasses(training(fn, ['x']), { x }, ['fuseGelu']);
    expect(trained).toContain(op);
  });
});

describe('fuseLogSoftmax', () => {
  it('makes one node of it', async () => {
    const fn: TracedFunction = (inputs) => ({ y: logSoftmax(inputs.x) });
    expect(await compareWithPasses(fn, { x }, ['fuseLogSoftmax'])).toEqual(['LogSoftmax']);
  });

  it('leaves it where a gradient reads what is inside', async () => {
    const fn = training((inputs) => ({ y: logSoftmax(inputs.x) }), ['x']);
    expect(await compareWithPasses(fn, { x }, ['fuseLogSoftmax'])).not.toContain('LogSoftmax');
  });
});

describe('fuseLogSumExp', () => {
  const sums: TracedFunction = (inputs) => ({ y: logSumExp(inputs.x) });

  it('takes the sum from log-softmax', async () => {
    const left = await compareWithPasses(sums, { x }, ['fuseLogSumExp']);
    expect(left.sort()).toEqual(['LogSoftmax', 'ReduceMax', 'ReduceMax', 'Sub']);
  });

  it('reads maxima off the best of each row where those are chosen', async () => {
    const chosen: TracedFunction = (inputs) => {
      const { values, indices } = tf.topk(inputs.x, 3, true);
      return { y: logSumExp(inputs.x), values, indices };
    };
    const left = await compareWithPasses(chosen, { x }, ['fuseLogSumExp']);
    expect(left).toContain('GatherElements');
    expect(left).not.toContain('ReduceMax');
  });

  it('takes nothing from the best of other values', async () => {
    const edited: TracedFunction = (inputs) => {
      const { values, indices } = tf.topk(tf.mul(inputs.x, inputs.x), 3, true);
      return { y: logSumExp(inputs.x), values, indices };
    };
    expect(await compareWithPasses(edited, { x }, ['fuseLogSumExp'])).toContain('ReduceMax');
  });

  it('leaves it where a gradient reads what is inside', async () => {
    expect(await compareWithPasses(training(sums, ['x']), { x }, ['fuseLogSumExp'])).not.toContain(
      'LogSoftmax',
    );
  });
});

describe('fuseSumOfSquares', () => {
  it('makes one node of a norm, and keeps squares that are read elsewhere', async () => {
    const norm: TracedFunction = (t) => ({ y: tf.sum(tf.mul(t.x, t.x)) });
    expect(await compareWithPasses(norm, { x }, ['fuseSumOfSquares'])).toEqual(['ReduceSumSquare']);
    const both: TracedFunction = (t) => {
      const squares = tf.mul(t.x, t.x);
      return { y: tf.sum(squares, -1, true), squares };
    };
    const left = await compareWithPasses(both, { x }, ['fuseSumOfSquares']);
    expect(left.sort()).toEqual(['Mul', 'ReduceSumSquare']);
  });

  it('leaves other products alone', async () => {
    const fn: TracedFunction = (t) => ({ a: tf.sum(tf.mul(t.x, t.z)), b: tf.sum(tf.mul(t.mask, t.mask)) });
    expect(await compareWithPasses(fn, { x, z: x, mask }, ['fuseSumOfSquares'])).not.toContain(
      'ReduceSumSquare',
    );
  });
});

describe('fuseLayerNorm', () => {
  const inputs = { x, y: x, gain: vector, bias: vector };

  it('makes one node of a layer norm', async () => {
    const fn: TracedFunction = (t) => ({ y0: layerNorm(t.x, t.gain, t.bias, 1e-5) });
    const left = await compareWithPasses(fn, inputs, ['fuseLayerNorm']);
    expect(left).toEqual(['LayerNormalization']);
  });

  it('leaves a residual sum beside it', async () => {
    const fn: TracedFunction = (t) => ({ y0: layerNorm(tf.add(t.x, t.y), t.gain, t.bias, 1e-5) });
    const left = await compareWithPasses(fn, inputs, ['fuseLayerNorm']);
    expect(left.sort()).toEqual(['Add', 'LayerNormalization']);
  });
});

describe('fuseSkipLayerNorm', () => {
  const inputs = { x, y: x, gain: vector, bias: vector };

  it('adds the residual and the bias of the projection before it in the same node', async () => {
    const fn: TracedFunction = (t) => {
      const sum = tf.add(t.x, linear(t.y, t.weight, t.shift));
      return { normal: layerNorm(sum, t.gain, t.bias, 1e-5), sum };
    };
    const left = await compareWithPasses(fn, { ...inputs, weight: matrix, shift: vector }, [
      'fuseSkipLayerNorm',
    ]);
    expect(left).toContain('SkipLayerNormalization');
    expect(left).not.toContain('Add');
  });

  it.each([
    ['two', ['batch', 8], 'SkipLayerNormalization'],
    ['four', ['batch', 'beams', 'length', 8], 'LayerNormalization'],
  ])('takes sums of two or three axes, here of %s', async (_, shape, wanted) => {
    const some: ScenarioInput = { type: 'float32', shape };
    const fn: TracedFunction = (t) => ({ y0: layerNorm(tf.add(t.x, t.y), t.gain, t.bias, 1e-5) });
    const left = await compareWithPasses(fn, { ...inputs, x: some, y: some }, ['fuseSkipLayerNorm']);
    expect(left).toContain(wanted);
  });

  it('adds no bias that is not one number for each feature', async () => {
    const fn: TracedFunction = (t) => {
      const sum = tf.add(t.x, tf.add(t.y, t.scalar));
      return { normal: layerNorm(sum, t.gain, t.bias, 1e-5) };
    };
    const scalar: ScenarioInput = { type: 'float32', shape: [1] };
    const left = await compareWithPasses(fn, { ...inputs, scalar }, ['fuseSkipLayerNorm']);
    expect(left.filter((op) => op === 'Add')).toHaveLength(1);
  });

  it('does not skip where the two terms have other sizes', async () => {
    const fn: TracedFunction = (t) => ({ y0: layerNorm(tf.add(t.x, t.gain), t.gain, t.bias, 1e-5) });
    const left = await compareWithPasses(fn, inputs, ['fuseSkipLayerNorm']);
    expect(left).toContain('LayerNormalization');
    expect(left).not.toContain('SkipLayerNormalization');
  });

  it('shares a residual sum between two norms', async () => {
    const fn: TracedFunction = (t) => {
      const sum = tf.add(t.x, t.y);
      return { a: layerNorm(sum, t.gain, t.bias, 1e-5), b: layerNorm(sum, t.bias, t.gain, 1e-5) };
    };
    const left = await compareWithPasses(fn, inputs, ['fuseSkipLayerNorm']);
    expect(left.sort()).toEqual(['LayerNormalization', 'SkipLayerNormalization']);
  });

  it('keeps mean and deviation for the backward pass', async () => {
    const fn = training(
      (t) => ({ y0: layerNorm(tf.add(t.x, t.y), t.gain, t.bias, 1e-5) }),
      Object.keys(inputs),
    );
    const left = await compareWithPasses(fn, inputs, ['fuseSkipLayerNorm']);
    expect(left).toContain('LayerNormalization');
    expect(left).not.toContain('SkipLayerNormalization');
  });
});

describe('fuseRmsNorm', () => {
  const inputs: Inputs = { x, gain: vector };
  const fn: TracedFunction = (t) => ({ y: rmsNorm(t.x, t.gain, 1e-3) });

  it('makes one node of it', async () => {
    expect(await compareWithPasses(fn, inputs, ['fuseRmsNorm'])).toEqual(['SimplifiedLayerNormalization']);
  });

  it('leaves it where a gradient reads what is inside', async () => {
    const left = await compareWithPasses(training(fn, ['x', 'gain']), inputs, ['fuseRmsNorm']);
    expect(left).not.toContain('SimplifiedLayerNormalization');
  });
});

describe('fuseTransposedMatMul', () => {
  it('reads an operand the other way round', async () => {
    const fn: TracedFunction = ({ a, b }) => ({
      one: tf.matMul(a, b, false, true),
      two: tf.matMul(b, a, true, false),
      both: tf.matMul(a, b, true, true),
    });
    const square = { a: matrix, b: matrix };
    const left = await compareWithPasses(fn, square, ['fuseTransposedMatMul']);
    expect(left.filter((op) => op === 'FusedMatMul')).toHaveLength(3);
    expect(left).not.toContain('Transpose');
  });

  it('leaves other transpositions and integers alone', async () => {
    const fn: TracedFunction = ({ a, ids }) => ({
      heads: tf.matMul(
        tf.transpose(a, [1, 0, 2]),
        tf.reshape(tf.transpose(a, [1, 2, 0]), [a.shape[1]!, 8, -1]),
      ),
      integers: tf.matMul(ids, ids, false, true),
    });
    const inputs: Inputs = { a: x, ids: { type: 'int32', shape: ['length', 3] } };
    const left = await compareWithPasses(fn, inputs, ['fuseTransposedMatMul']);
    expect(left).not.toContain('FusedMatMul');
  });

  it('holds for the products of a backward pass', async () => {
    const fn = training((t) => ({ y: linear(t.x, t.weight) }), ['x', 'weight']);
    const left = await compareWithPasses(fn, { x, weight: matrix }, ['fuseTransposedMatMul']);
    expect(left).toContain('FusedMatMul');
  });
});

describe('fuseAttention', () => {
  const inputs = { x, mask, scores: { type: 'float32', shape: [1, 2, 'length', 'length'] } as ScenarioInput };
  const variants: Record<string, TracedFunction> = {
    plain: (t) => ({ y: attention(t.x, t.x, t.x, 2) }),
    'with a mask': (t) => ({ y: attention(t.x, t.x, t.x, 2, { keyMask: t.mask }) }),
    causal: (t) => ({ y: attention(t.x, t.x, t.x, 2, { causal: true }) }),
    'with a scale of its own': (t) => ({
      y: attention(t.x, t.x, t.x, 2, { keyMask: t.mask, bias: t.scores }, { scale: 1 }),
    }),
    'with all': (t) => ({
      y: attention(t.x, t.x, t.x, 2, { keyMask: t.mask, causal: true, bias: t.scores }),
    }),
  };

  for (const pass of ['fuseAttention', 'fuseAttentionByBias'] as const) {
    it.each(Object.keys(variants))(`${pass} makes one node of attention, %s`, async (name) => {
      const left = await compareWithPasses(variants[name], inputs, [pass]);
      expect(left.filter((op) => op === 'MultiHeadAttention')).toHaveLength(1);
      expect(left).not.toContain('MatMul');
    });
  }

  it('gives WebGPU no key mask, which its operator does not take', () => {
    const { graph } = traceFunction(variants['with a mask'], inputs);
    applyPasses(graph, passesFor('webgpu'));
    const node = graph.nodes.find(({ op }) => op === 'MultiHeadAttention')!;
    expect(node.inputs[4]).toBe('');
    expect(node.inputs[5]).not.toBe('');
  });

  it('leaves attention where a gradient reads the probabilities', async () => {
    const fn = training(variants['with all'], ['x']);
    expect(await compareWithPasses(fn, inputs, ['fuseAttention'])).not.toContain('MultiHeadAttention');
  });

  it.each([
    ['', 4, []],
    [', with a bias for each head and a scale', 4, ['bias']],
    [', with a bias of positions that are yet to come', 3, ['bias']],
    [', with positions that a row may not see', 3, ['visible']],
    [', with both', 4, ['bias', 'visible']],
  ])('reads a cache through the ancestry table in one node%s', async (_, position, more) => {
    const rows = 'batch*beams';
    const token: ScenarioInput = { type: 'float32', shape: [rows, 1, 8] };
    const past: ScenarioInput = { type: 'float32', shape: [rows, 2, 'capacity', 4] };
    const step: Inputs = {
      q: token,
      k: token,
      v: token,
      pastKey: past,
      pastValue: past,
      bias: { type: 'float32', shape: [1, 2, 1, 'capacity'] },
      visible: { type: 'int32', shape: [rows, 'capacity'], fill: { from: 0, below: 2 } },
      position: { type: 'int32', shape: [1], fill: { from: position, below: position + 1 } },
      // The column of this step is read from the row itself whatever the table says: beams 0 and 1.
      table: { type: 'int32', shape: ['batch', 'beams', 'capacity'], fill: { from: 0, below: 'beams' } },
    };
    const fn: TracedFunction = (t) => {
      const [, beams, capacity] = t.table.shape as [number, number, number];
      const before = tf.slice(t.table, [0, 0, 0], [-1, -1, capacity - 2]);
      const own = tf.mul(tf.onesLike(tf.slice(t.table, [0, 0, 0], [-1, -1, 1])), ownBeam(beams));
      const { context, cache } = cachedAttention(
        t.q,
        t.k,
        t.v,
        2,
        { key: t.pastKey, value: t.pastValue },
        { position: t.position, ancestry: tf.concat([before, own, own], 2) },
        {
          ...(more.includes('bias') && { scale: 1, bias: t.bias }),
          ...(more.includes('visible') && { visible: t.visible }),
        },
      );
      return { context, key: cache.key, value: cache.value };
    };
    const left = await compareWithPasses(fn, step, ['fuseAttention']);
    expect(left).toContain('DecoderMaskedMultiHeadAttention');
  });
});

function ownBeam(beams: number): tf.Tensor {
  return tf.cumsum(tf.fill([1, beams, 1], 1, 'int32'), 1, true);
}

describe('passesFor', () => {
  it('names passes that exist', () => {
    for (const device of ['cpu', 'webgpu'] as const) {
      expect(passesFor(device).filter((name) => !(name in passes))).toEqual([]);
    }
  });
});

describe('mendTopK', () => {
  it('leaves values and places of the best as they are, -Infinity among them', async () => {
    const fn: TracedFunction = (t) => {
      const { values, indices } = tf.topk(tf.where(tf.greater(t.x, 0.5), t.x, Number.NEGATIVE_INFINITY), 5);
      return { values, indices };
    };
    const left = await compareWithPasses(fn, { x }, ['mendTopK']);
    expect(left.filter((op) => op === 'Where')).toHaveLength(2);
  });
});
