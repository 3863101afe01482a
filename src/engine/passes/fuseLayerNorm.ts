import {
  consumers,
  type Graph,
  type GraphNode,
  isPrivate,
  makeNode,
  producers,
  replaceRegion,
} from '../graph.js';

/**
 * Layer norm regions become LayerNormalization; where the input is a residual sum, SkipLayerNormalization adds and
 * normalizes in one pass over the data.
 */
export function fuseLayerNorm(graph: Graph): void {
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
    if (statistics || !producer || !isResidualSum(graph, producer)) {
      const outputs = statistics ? [y, mean, inverse] : [y];
      replaceRegion(graph, region, [
        makeNode('LayerNormalization', [x, gain, bias], outputs, { epsilon, axis: -1 }),
      ]);
      continue;
    }
    // The sum itself is the fourth output: a pre-norm residual stream reads it again.
    graph.nodes.splice(graph.nodes.indexOf(producer), 1);
    const inputs = [producer.inputs[0], producer.inputs[1], gain, bias];
    const skip = makeNode('SkipLayerNormalization', inputs, [y, '', '', x], { epsilon }, 'com.microsoft');
    replaceRegion(graph, region, [skip]);
  }
}

function isInside(values: readonly string[], node: GraphNode): boolean {
  return node.outputs.some((output) => values.includes(output));
}

/** An addition of two tensors of three axes and the same sizes: what SkipLayerNormalization takes. */
function isResidualSum(graph: Graph, node: GraphNode): boolean {
  if (node.op !== 'Add') return false;
  const [a, b] = node.inputs.map((input) => graph.shapes.get(input)?.shape);
  return a !== undefined && b !== undefined && a.length === 3 && a.join() === b.join();
}
