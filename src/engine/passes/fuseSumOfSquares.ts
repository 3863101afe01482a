import { type Graph, makeNode, producers } from '../graph.js';

/** The sum of a tensor times itself becomes ReduceSumSquare, which does not write the squares to memory. */
export function fuseSumOfSquares(graph: Graph): void {
  const producer = producers(graph);
  graph.nodes = graph.nodes.map((node) => {
    if (node.op !== 'ReduceSum' || graph.shapes.get(node.outputs[0])?.type !== 'float32') return node;
    const square = producer.get(node.inputs[0]);
    if (square?.op !== 'Mul' || square.inputs[0] !== square.inputs[1]) return node;
    const inputs = [square.inputs[0], ...node.inputs.slice(1)];
    return makeNode('ReduceSumSquare', inputs, node.outputs, node.attributes);
  });
}
