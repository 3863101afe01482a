import { consumers, type Graph, isPrivate, makeNode, replaceRegion } from '../graph.js';

/** Root mean square normalizations become SimplifiedLayerNormalization, which ONNX Runtime has in ONNX's own domain. */
export function fuseRmsNorm(graph: Graph): void {
  const readers = consumers(graph);
  for (const region of graph.regions) {
    if (region.name !== 'rmsNorm' || !isPrivate(graph, region, readers)) continue;
    const { epsilon } = region.attributes;
    replaceRegion(graph, region, [
      makeNode('SimplifiedLayerNormalization', region.inputs, [region.outputs[0]], { epsilon, axis: -1 }),
    ]);
  }
}
