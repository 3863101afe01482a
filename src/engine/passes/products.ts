import type { Dimension, Graph, GraphNode } from '../graph.js';

/** x W^T, as `fuseTransposedMatMul` leaves it. */
export function isLinear({ op, attributes }: GraphNode): boolean {
  return op === 'FusedMatMul' && attributes.transA === 0 && attributes.transB === 1;
}

/**
 * The addition of a one-dimensional weight, if it is the only reader of a product.
 * @param outputs where an input of the graph will do as well: its size
 */
export function biasOf(
  graph: Graph,
  { outputs: [product] }: GraphNode,
  readers: ReadonlyMap<string, GraphNode[]>,
  outputs?: Dimension,
): { node: GraphNode; name: string } | undefined {
  const [node, ...others] = readers.get(product) ?? [];
  const isResult = graph.outputs.some((port) => port.name === product);
  if (isResult || others.length > 0 || node?.op !== 'Add') return undefined;
  const isBias = (input: string) =>
    graph.weights.get(input)?.shape.length === 1 ||
    graph.inputs.some(({ name, shape }) => name === input && shape.length === 1 && shape[0] === outputs);
  const name = node.inputs.find(isBias);
  return name === undefined ? undefined : { node, name };
}
