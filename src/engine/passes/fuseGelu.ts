import { consumers, type Graph, isPrivate, makeNode, replaceRegion } from '../graph.js';

/** Gelu regions become ONNX Runtime's Gelu, or FastGelu for the tanh form. */
export function fuseGelu(graph: Graph): void {
  const readers = consumers(graph);
  for (const region of graph.regions) {
    if (region.name !== 'gelu' || !isPrivate(graph, region, readers)) continue;
    const op = region.attributes.approximate ? 'FastGelu' : 'Gelu';
    replaceRegion(graph, region, [makeNode(op, region.inputs, region.outputs, {}, 'com.microsoft')]);
  }
}
