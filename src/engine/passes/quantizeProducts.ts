import { consumers, type Dimension, type Graph, type GraphNode, type GraphPort, makeNode } from '../graph.js';
import { int4BlockSize, integersName, scalesSuffix, type WeightPrecision } from '../quantize.js';
import { biasOf, isLinear } from './products.js';

type Precision = Exclude<WeightPrecision, 'float32'>;

/**
 * Products with a weight [outputs, inputs] on the right read it as integers; a bias added right after becomes part of the same
 * operator. Everything else stays float32, and so does a weight that another operation reads (an embedding table
 * that is also the output projection), or has inputs that are no multiple of an int4 block.
 *
 * Inputs of the graph that are read as weights always become int8: MatMulNBits would unpack integers that are not
 * constants anew at each run.
 */
export function quantizeProducts(graph: Graph, precision: WeightPrecision): void {
  if (precision === 'float32') return;
  const readers = consumers(graph);
  const replaced = new Map<GraphNode, GraphNode>();
  const matrices = new Map(graph.inputs.filter((port) => port.asWeight).map((port) => [port.name, port]));
  for (const node of graph.nodes) {
    const matrix = matrices.get(node.inputs[1]);
    const read = matrix ?? graph.weights.get(node.inputs[1]);
    const own: Precision = matrix ? 'int8' : precision;
    if (!read || !isLinear(node) || !fits(read.shape, own)) continue;
    const bias = biasOf(graph, node, readers, read.shape[0]);
    const output = bias?.node.outputs[0] ?? node.outputs[0];
    if (bias) replaced.set(bias.node, makeNode('Identity', [], []));
    const [values, scales] = matrix
      ? takeRounded(graph, matrix)
      : addQuantized(graph, read.name, read.shape as number[], precision);
    replaced.set(node, product(own, node.inputs[0], values, scales, bias?.name ?? '', output, read.shape));
  }
  graph.nodes = graph.nodes.flatMap((node) => {
    const next = replaced.get(node) ?? node;
    return next.outputs.length === 0 ? [] : [next];
  });
}

function fits(shape: readonly Dimension[], precision: Precision): boolean {
  return shape.length === 2 && (precision === 'int8' || Number(shape[1]) % int4BlockSize === 0);
}

/** Replaces an input [outputs, inputs] by two: its integers, transposed, and their scales. */
function takeRounded(graph: Graph, { name, shape: [outputs, inputs] }: GraphPort): [string, string] {
  const scales = name + scalesSuffix;
  if (graph.inputs.some((port) => port.name === scales)) return [name, scales];
  graph.inputs = graph.inputs.flatMap((port): GraphPort[] =>
    port.name === name
      ? [
          { name, type: 'int8', shape: [inputs, outputs] },
          { name: scales, type: 'float32', shape: [outputs] },
        ]
      : [port],
  );
  return [name, scales];
}

/** Adds the integers and scales of a weight; once, however many products read it. */
function addQuantized(
  graph: Graph,
  of: string,
  [outputs, inputs]: readonly number[],
  precision: Precision,
): [string, string] {
  const integers = integersName(of, precision);
  const names: [string, string] = [integers, integers + scalesSuffix];
  const blocks = inputs / int4BlockSize;
  const shapes =
    precision === 'int8'
      ? [[inputs, outputs], [outputs]]
      : [
          [outputs, blocks, int4BlockSize / 2],
          [outputs, blocks],
        ];
  graph.weights.set(names[0], {
    name: names[0],
    type: precision === 'int8' ? 'int8' : 'uint8',
    shape: shapes[0],
    quantized: { of, precision, part: 'values' },
  });
  graph.weights.set(names[1], {
    name: names[1],
    type: 'float32',
    shape: shapes[1],
    quantized: { of, precision, part: 'scales' },
  });
  return names;
}

function product(
  precision: Precision,
  x: string,
  values: string,
  scales: string,
  bias: string,
  output: string,
  [outputs, inputs]: readonly Dimension[],
): GraphNode {
  if (precision === 'int8') {
    return makeNode('DynamicQuantizeMatMul', [x, values, scales, '', bias], [output], {}, 'com.microsoft');
  }
  // accuracy_level 4: activations are rounded to int8 block by block, each row by itself.
  const attributes = {
    K: Number(inputs),
    N: Number(outputs),
    bits: 4,
    block_size: int4BlockSize,
    accuracy_level: 4,
  };
  return makeNode('MatMulNBits', [x, values, scales, '', '', bias], [output], attributes, 'com.microsoft');
}
