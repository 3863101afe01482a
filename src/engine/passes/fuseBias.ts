import { consumers, type Graph, makeNode } from '../graph.js';
import { biasOf, isLinear } from './products.js';

/**
 * A product of rows with a weight, and the bias added right after it, become Gemm. Only if the rows are a matrix, as in a
 * decoding step: Gemm requires that, and with many rows it is no faster, since it writes the bias on one thread.
 */
export function fuseBias(graph: Graph): void {
  const readers = consumers(graph);
  for (const node of graph.nodes) {
    if (!isLinear(node) || graph.shapes.get(node.inputs[0])?.shape.length !== 2) continue;
    const bias = graph.weights.has(node.inputs[1]) ? biasOf(graph, node, readers) : undefined;
    if (!bias) continue;
    const { outputs } = bias.node;
    bias.node.outputs = [];
    Object.assign(node, makeNode('Gemm', [...node.inputs, bias.name], outputs, { transB: 1 }));
  }
  graph.nodes = graph.nodes.filter((node) => node.outputs.length > 0);
}
