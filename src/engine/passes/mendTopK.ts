import { type Graph, makeNode } from '../graph.js';

const lowest = -3.4028234663852886e38;

/**
 * WebGPU's TopK sorts a power of two of values, padded with the lowest finite number at index -1, which is sorted before
 * -Infinity (onnxruntime 1.30): this pass turns that value back into -Infinity. The index stays -1, which means none.
 */
export function mendTopK(graph: Graph): void {
  for (const node of [...graph.nodes]) {
    if (node.op !== 'TopK' || graph.shapes.get(node.inputs[0])?.type !== 'float32') continue;
    const [values] = node.outputs;
    const part = (name: string) => `${values}.${name}`;
    for (const [name, number] of [
      ['lowest', lowest],
      ['none', Number.NEGATIVE_INFINITY],
    ] as const) {
      const data = new Uint8Array(Float32Array.of(number).buffer);
      graph.constants.set(part(name), { type: 'float32', shape: [], data });
    }
    node.outputs[0] = part('found');
    graph.nodes.push(
      makeNode('LessOrEqual', [part('found'), part('lowest')], [part('isNone')]),
      makeNode('Where', [part('isNone'), part('none'), part('found')], [values]),
    );
  }
}
