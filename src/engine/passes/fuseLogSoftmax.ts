import { consumers, type Graph, isPrivate, makeNode, replaceRegion } from '../graph.js';

/** Log-softmax regions become one LogSoftmax node. */
export function fuseLogSoftmax(graph: Graph): void {
  const readers = consumers(graph);
  for (const region of graph.regions) {
    if (region.name !== 'logSoftmax' || !isPrivate(graph, region, readers)) continue;
    replaceRegion(graph, region, [makeNode('LogSoftmax', region.inputs, region.outputs, { axis: -1 })]);
  }
}
