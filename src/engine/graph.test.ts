import { describe, expect, it } from 'vitest';
import {
  consumers,
  type Graph,
  isPrivate,
  makeNode,
  producers,
  pruneAndSort,
  renameValues,
  replaceRegion,
} from './graph.js';

function graphOf(nodes: Graph['nodes'], outputs: string[]): Graph {
  return {
    inputs: [{ name: 'x', type: 'float32', shape: [1] }],
    outputs: outputs.map((name) => ({ name, type: 'float32', shape: [1] })),
    nodes,
    constants: new Map(
      ['one', 'two'].map((name) => [name, { type: 'float32', shape: [], data: new Uint8Array(4) }]),
    ),
    weights: new Map([['w', { name: 'w', type: 'float32', shape: [1] }]]),
    regions: [],
    shapes: new Map(),
  };
}

describe('pruneAndSort', () => {
  it('orders nodes by what they read and drops what nothing needs', () => {
    const graph = graphOf(
      [
        makeNode('Mul', ['sum', 'one'], ['y']),
        makeNode('Exp', ['x'], ['unused']),
        makeNode('Log', ['unused'], ['unusedToo']),
        makeNode('Add', ['x', 'root'], ['sum']),
        makeNode('Sqrt', ['x'], ['root']),
      ],
      ['y'],
    );
    pruneAndSort(graph);
    expect(graph.nodes.map((node) => node.op)).toEqual(['Sqrt', 'Add', 'Mul']);
    expect([...graph.constants.keys()]).toEqual(['one']);
    expect(graph.weights.size).toBe(0);
  });

  it('keeps a node once that several read, and skips absent inputs', () => {
    const graph = graphOf(
      [
        makeNode('Add', ['a', 'a'], ['y']),
        makeNode('Clip', ['a', '', 'one'], ['z']),
        makeNode('Exp', ['w'], ['a']),
      ],
      ['y', 'z', 'y'],
    );
    pruneAndSort(graph);
    expect(graph.nodes.map((node) => node.op)).toEqual(['Exp', 'Add', 'Clip']);
    expect([...graph.weights.keys()]).toEqual(['w']);
  });

  it('follows a chain of thirty thousand nodes', () => {
    const nodes = Array.from({ length: 30_000 }, (_, i) =>
      makeNode('Exp', [i === 0 ? 'x' : `v${i}`], [`v${i + 1}`]),
    );
    const graph = graphOf([...nodes].reverse(), ['v30000']);
    pruneAndSort(graph);
    expect(graph.nodes[0].inputs).toEqual(['x']);
    expect(graph.nodes).toHaveLength(30_000);
  });
});

describe('regions', () => {
  const build = (extra: Graph['nodes'] = [], outputs = ['y']): Graph => {
    const graph = graphOf(
      [
        makeNode('Shape', ['x'], ['size']),
        makeNode('Exp', ['x'], ['inside']),
        makeNode('Expand', ['inside', 'size'], ['made']),
        makeNode('Neg', ['made'], ['y']),
        ...extra,
      ],
      outputs,
    );
    graph.regions.push({
      name: 'region',
      inputs: ['x'],
      outputs: ['made'],
      values: ['size', 'inside', 'made'],
      attributes: {},
    });
    return graph;
  };

  it('are private where only their outputs are read outside', () => {
    const graph = build();
    expect(isPrivate(graph, graph.regions[0])).toBe(true);
  });

  it('may share what follows from sizes alone', () => {
    const graph = build([makeNode('Cast', ['size'], ['z'])], ['y', 'z']);
    expect(isPrivate(graph, graph.regions[0])).toBe(true);
  });

  it('are not private where a value inside is read outside, or is a result', () => {
    const read = build([makeNode('Log', ['inside'], ['z'])], ['y', 'z']);
    expect(isPrivate(read, read.regions[0])).toBe(false);
    const result = build([], ['y', 'inside']);
    expect(isPrivate(result, result.regions[0])).toBe(false);
  });

  it('are replaced by other nodes that make the same outputs', () => {
    const graph = build();
    replaceRegion(graph, graph.regions[0], [makeNode('Fused', ['x'], ['made'])]);
    pruneAndSort(graph);
    expect(graph.nodes.map((node) => node.op)).toEqual(['Fused', 'Neg']);
  });

  it('are renamed with the values of the graph', () => {
    const graph = build();
    renameValues(graph, new Map([['made', 'result']]));
    expect(graph.regions[0].outputs).toEqual(['result']);
    expect(producers(graph).get('result')?.op).toBe('Expand');
    expect(
      consumers(graph)
        .get('result')
        ?.map((node) => node.op),
    ).toEqual(['Neg']);
  });
});
