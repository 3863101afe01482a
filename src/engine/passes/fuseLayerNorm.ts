import {
  consumers,
  type Dimension,
  type Graph,
  type GraphNode,
  isPrivate,
  makeNode,
  producers,
  replaceRegion,
} from '../graph.js';

/** Layer norm regions become LayerNormalization. */
export function fuseLayerNorm(graph: Graph): void {
  fuse(graph, false);
}

/**
 * As `fuseLayerNorm`, and where the input is a residual sum, SkipLayerNormalization adds and normalizes in one pass over
 * the data. Not for the CPU, where its loop is slower than the two operators (onnxruntime 1.30).
 */
export function fuseSkipLayerNorm(graph: Graph): void {
  fuse(graph, true);
}

function fuse(graph: Graph, withSums: boolean): void {
  const readers = consumers(graph);
  for (const region of graph.regions) {
    if (region.name !== 'layerNorm' || !isPrivate(graph, region, readers)) continue;
    const [x, gain, bias] = region.inputs;
    const [y, mean, inverse] = region.outputs;
    const { epsilon } = region.attributes;
    const statistics = [mean, inverse].some((value) =>
      (readers.get(value) ?? []).some((node) => !isInside(region.values, node)),
    );
    const producer = producers(graph).get(x);
    if (!withSums || statistics || !producer || !isResidualSum(graph, producer)) {
      const outputs = statistics ? [y, mean, inverse] : [y];
      replaceRegion(graph, region, [
        makeNode('LayerNormalization', [x, gain, bias], outputs, { epsilon, axis: -1 }),
      ]);
      continue;
    }
    // The sum itself is the fourth output: a pre-norm residual stream reads it again.
    graph.nodes.splice(graph.nodes.indexOf(producer), 1);
    const { terms, added } = takeBias(graph, producer.inputs, readers);
    const inputs = [...terms, gain, bias, ...added];
    const skip = makeNode('SkipLayerNormalization', inputs, [y, '', '', x], { epsilon }, 'com.microsoft');
    replaceRegion(graph, region, [skip]);
  }
}

/** The two terms of a residual sum, with the bias of the projection before it taken out for the operator to add. */
function takeBias(
  graph: Graph,
  terms: readonly string[],
  readers: ReadonlyMap<string, GraphNode[]>,
): { terms: string[]; added: string[] } {
  const made = producers(graph);
  for (const [index, term] of terms.entries()) {
    const node = made.get(term);
    const isResult = graph.outputs.some((port) => port.name === term);
    if (node?.op !== 'Add' || isResult || (readers.get(term) ?? []).length > 1) continue;
    const features = graph.shapes.get(term)?.shape.at(-1);
    const isBias = (shape: readonly Dimension[] | undefined) => shape?.length === 1 && shape[0] === features;
    const vector = node.inputs.findIndex((input) => isBias(graph.shapes.get(input)?.shape));
    if (vector < 0) continue;
    const bare = terms.map((name, at) => (at === index ? node.inputs[1 - vector] : name));
    return { terms: bare, added: [node.inputs[vector]] };
  }
  return { terms: [...terms], added: [] };
}

function isInside(values: readonly string[], node: GraphNode): boolean {
  return node.outputs.some((output) => values.includes(output));
}

/** An addition of two tensors of two or three axes and the same sizes: what SkipLayerNormalization takes. */
function isResidualSum(graph: Graph, node: GraphNode): boolean {
  if (node.op !== 'Add') return false;
  const [a, b] = node.inputs.map((input) => graph.shapes.get(input)?.shape);
  return a !== undefined && b !== undefined && [2, 3].includes(a.length) && a.join() === b.join();
}
