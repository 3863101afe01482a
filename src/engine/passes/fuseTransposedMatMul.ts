import { type Graph, makeNode, producers } from '../graph.js';

/**
 * A transposition of the last two axes right before a matrix product becomes a flag of FusedMatMul: the packing of the
 * operand reads it transposed at no cost.
 */
export function fuseTransposedMatMul(graph: Graph): void {
  const producer = producers(graph);
  graph.nodes = graph.nodes.map((node) => {
    // FusedMatMul multiplies floats only.
    if (node.op !== 'MatMul' || graph.shapes.get(node.outputs[0])?.type !== 'float32') return node;
    const sources = node.inputs.map((input) => {
      const from = producer.get(input);
      return from?.op === 'Transpose' && swapsLastTwo(from.attributes.perm) ? from.inputs[0] : undefined;
    });
    if (sources.every((source) => source === undefined)) return node;
    const inputs = node.inputs.map((input, index) => sources[index] ?? input);
    const attributes = { transA: sources[0] ? 1 : 0, transB: sources[1] ? 1 : 0, alpha: { float: 1 } };
    return makeNode('FusedMatMul', inputs, node.outputs, attributes, 'com.microsoft');
  });
}

function swapsLastTwo(perm: unknown): boolean {
  if (!Array.isArray(perm)) return false;
  const rank = perm.length;
  return perm.every(
    (axis, index) => axis === (index === rank - 1 ? rank - 2 : index === rank - 2 ? rank - 1 : index),
  );
}
