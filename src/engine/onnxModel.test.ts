import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Graph, makeNode } from './graph.js';
import { encodeModel } from './onnxModel.js';

/** The model of tools/makeEngineFixtures.py, which uses every kind of attribute, constant and weight. */
const graph: Graph = {
  inputs: [
    { name: 'x', type: 'float32', shape: ['rows', 2] },
    { name: 'bits', type: 'uint32', shape: [] },
  ],
  outputs: [{ name: 'y', type: 'float32', shape: [3, 'rows'] }],
  nodes: [
    makeNode('MatMul', ['x', 'weight'], ['product']),
    makeNode('LeakyRelu', ['product'], ['bent'], { alpha: { float: 0.25 } }),
    makeNode('Clip', ['bent', '', 'two'], ['cut']),
    makeNode('Transpose', ['cut'], ['turned'], { perm: [1, 0] }),
    makeNode('BitShift', ['bits'], ['shifted'], { direction: 'RIGHT' }),
    makeNode('Gelu', ['turned'], ['y'], {}, 'com.microsoft'),
    makeNode('CumSum', ['x', 'axis'], ['sums'], { reverse: -1 }),
  ],
  constants: new Map([
    ['two', { type: 'float32' as const, shape: [], data: new Uint8Array(new Float32Array([2]).buffer) }],
    ['axis', { type: 'int64' as const, shape: [1], data: new Uint8Array(new BigInt64Array([-1n]).buffer) }],
  ]),
  weights: new Map([['weight', { name: 'weight', type: 'float32' as const, shape: [2, 3] }]]),
  regions: [],
  shapes: new Map(),
};

it('writes the bytes that the onnx package of Python writes', () => {
  const placement = {
    kind: 'external',
    type: 'float32',
    location: 'model.safetensors',
    offset: 4096,
    length: 24,
  } as const;
  const found = encodeModel(graph, new Map([['weight', placement]]));
  const wanted = readFileSync(new URL('../../test/fixtures/engine/small.onnx', import.meta.url));
  expect(Buffer.from(found).toString('latin1')).toBe(wanted.toString('latin1'));
});
