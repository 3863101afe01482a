import { type Graph, type GraphNode, makeNode } from '../graph.js';
import { isLinear } from './products.js';

/** The output axis of each input of a kind of product; undefined if it has none. */
const outputAxes: Record<string, readonly (number | undefined)[]> = {
  FusedMatMul: [undefined, 0],
  Gemm: [undefined, 0, 0],
  DynamicQuantizeMatMul: [undefined, 1, 0, undefined, 0],
  MatMulNBits: [undefined, 0, 0, undefined, undefined, 0],
};

/**
 * Products of the same few rows with several weights (queries, keys and values) become one product with all of them, split
 * afterwards: a step's products are so small that launching dominates their cost, and int8 rounds the rows once.
 * The weights are concatenated when the session is made, by constant folding.
 */
export function joinProducts(graph: Graph): void {
  const groups = new Map<string, GraphNode[]>();
  for (const node of graph.nodes) {
    if (!canJoin(graph, node)) continue;
    const given = node.inputs.map((input) => (input ? '+' : '-')).join('');
    const key = `${node.op} ${node.inputs[0]} ${given}`;
    groups.set(key, [...(groups.get(key) ?? []), node]);
  }
  const joined = new Map<GraphNode, GraphNode[]>();
  for (const nodes of groups.values()) {
    if (nodes.length < 2) continue;
    joined.set(nodes[0], join(graph, nodes));
    for (const node of nodes.slice(1)) joined.set(node, []);
  }
  graph.nodes = graph.nodes.flatMap((node) => joined.get(node) ?? [node]);
}

function canJoin(graph: Graph, node: GraphNode): boolean {
  const axes = outputAxes[node.op];
  if (!axes || (node.op === 'FusedMatMul' && !isLinear(node))) return false;
  if (graph.shapes.get(node.inputs[0])?.shape.length !== 2) return false;
  return node.inputs.slice(1).every((input) => !input || graph.weights.has(input));
}

/** Number of output features of a product. */
function outputsOf(graph: Graph, { op, inputs }: GraphNode): number {
  return Number(graph.weights.get(inputs[1])!.shape[outputAxes[op][1]!]);
}

function join(graph: Graph, nodes: readonly GraphNode[]): GraphNode[] {
  const [{ op, domain, inputs, attributes }] = nodes;
  const name = (part: string | number) => `${nodes[0].outputs[0]}:joined:${part}`;
  const sizes = nodes.map((node) => outputsOf(graph, node));
  const split = BigInt64Array.from(sizes, BigInt);
  graph.constants.set(name('sizes'), {
    type: 'int64',
    shape: [sizes.length],
    data: new Uint8Array(split.buffer),
  });
  const concatenations: GraphNode[] = [];
  const together = inputs.map((input, index) => {
    const axis = outputAxes[op][index];
    if (!input || axis === undefined) return input;
    const parts = nodes.map((node) => node.inputs[index]);
    concatenations.push(makeNode('Concat', parts, [name(index)], { axis }));
    return name(index);
  });
  const features = sizes.reduce((sum, size) => sum + size, 0);
  const all = op === 'MatMulNBits' ? { ...attributes, N: features } : attributes;
  return [
    ...concatenations,
    makeNode(op, together, [name('product')], all, domain),
    makeNode(
      'Split',
      [name('product'), name('sizes')],
      nodes.map((node) => node.outputs[0]),
      { axis: 1 },
    ),
  ];
}
