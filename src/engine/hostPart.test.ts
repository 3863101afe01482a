import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import '../../test/support/engine/runtime.js';
import { takeHostPart } from './hostPart.js';
import { createOnnxProgram } from './onnxProgram.js';
import { dropout } from './ops/dropout.js';
import { applyPasses, passesFor } from './passes/index.js';
import type { Signature, TracedFunction } from './program.js';
import { traceFunction } from './traceFunction.js';
import { floats, integers } from './values.js';

const signature: Signature = {
  x: { type: 'float32', shape: ['rows', 6] },
  y: { type: 'float32', shape: [6, 'columns'] },
  seed: { type: 'int32', shape: [] },
};
const feeds = {
  x: floats(
    [3, 6],
    Float32Array.from({ length: 18 }, (_, at) => at + 1),
  ),
  y: floats(
    [6, 2],
    Float32Array.from({ length: 12 }, (_, at) => 0.1 * at),
  ),
  seed: integers([], Int32Array.of(11)),
};

const product: TracedFunction = ({ x, y, seed }) => {
  const source = { seed, next: { stream: 0 } };
  return { z: dropout(tf.matMul(dropout(x, 0.4, source), y), 0.2, source) };
};

function traced(fn: TracedFunction) {
  const { graph } = traceFunction(fn, signature);
  applyPasses(graph, passesFor('webgpu'));
  return graph;
}

describe('takeHostPart', () => {
  it('takes the masks and what their sizes follow from, no products', async () => {
    const whole = traced(product);
    const graph = traced(product);
    const host = takeHostPart(graph)!;
    expect(host.outputs.map(({ shape }) => shape)).toEqual([
      ['rows', 6],
      ['rows', 'columns'],
    ]);
    const bits = ['BitShift', 'BitwiseXor', 'BitwiseAnd'];
    expect(host.nodes.filter(({ op }) => op === 'MatMul')).toEqual([]);
    expect(graph.nodes.filter(({ op }) => bits.includes(op))).toEqual([]);
    expect(graph.inputs.map(({ name }) => name)).toEqual([
      'x',
      'y',
      'seed',
      ...host.outputs.map(({ name }) => name),
    ]);
    // Both together compute what the whole does.
    const programs = [];
    for (const one of [whole, graph, host]) programs.push(await createOnnxProgram(one, [], {}));
    const [all, main, part] = programs;
    const own = Object.fromEntries(host.inputs.map(({ name }) => [name, feeds[name as keyof typeof feeds]]));
    const { z } = await main.run({ ...feeds, ...(await part.run(own)) });
    const wanted = (await all.run(feeds)).z;
    expect(z.shape).toEqual([3, 2]);
    expect([...z.data]).toEqual([...wanted.data]);
    expect([...z.data]).toContain(0);
    for (const program of programs) await program.dispose();
  });

  it('leaves a graph without such regions as it is', () => {
    const graph = traced(({ x, y }) => ({ z: tf.matMul(x, y) }));
    const nodes = [...graph.nodes];
    expect(takeHostPart(graph)).toBeUndefined();
    expect(graph.nodes).toEqual(nodes);
  });
});
