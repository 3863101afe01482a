import { readFileSync } from 'node:fs';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
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

it('writes large constants as it writes small ones', () => {
  const lengths = [4095, 4096, 100_000];
  const constants = new Map(
    lengths.map((length) => [
      `c${length}`,
      { type: 'uint8' as const, shape: [length], data: new Uint8Array(length).fill(length % 251) },
    ]),
  );
  const model = encodeModel({ ...graph, constants, weights: new Map() }, new Map());
  const body = fieldsOf(fieldsOf(model).get(7)![0]);
  const tensors = body.get(5)!.map(fieldsOf);
  expect(tensors.map((tensor) => new TextDecoder().decode(tensor.get(8)![0]))).toEqual([...constants.keys()]);
  expect(tensors.map((tensor) => tensor.get(9)![0])).toEqual([...constants.values()].map(({ data }) => data));
  expect(body.get(1)).toHaveLength(graph.nodes.length);
});

/** The fields of a message that hold bytes, by their numbers. */
function fieldsOf(bytes: Uint8Array): Map<number, Uint8Array[]> {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, Uint8Array[]>();
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (type !== WireType.LengthDelimited) reader.skip(type);
    else fields.set(number, [...(fields.get(number) ?? []), reader.bytes()]);
  }
  return fields;
}
