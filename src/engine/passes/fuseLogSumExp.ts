import { consumers, type Graph, isPrivate, makeNode, producers, replaceRegion } from '../graph.js';

/**
 * Log-sum-exp regions become the largest value less the largest log-probability. Maxima are exact, and LogSoftmax sums a row
 * in one order however many rows there are, which ReduceSum does not: one row alone is summed otherwise than the same row among
 * others.
 */
export function fuseLogSumExp(graph: Graph): void {
  const readers = consumers(graph);
  const producer = producers(graph);
  for (const region of graph.regions) {
    if (region.name !== 'logSumExp' || !isPrivate(graph, region, readers)) continue;
    const largest = region.values
      .map((value) => producer.get(value))
      .find((node) => node?.op === 'ReduceMax');
    if (!largest) continue;
    const [x, axes] = largest.inputs;
    const [result] = region.outputs;
    const named = (what: string) => `${result}/${what}`;
    const dropped = { keepdims: 0 };
    replaceRegion(graph, region, [
      makeNode('ReduceMax', [x, axes], [named('largest')], dropped),
      makeNode('LogSoftmax', [x], [named('logSoftmax')], { axis: -1 }),
      makeNode('ReduceMax', [named('logSoftmax'), axes], [named('largestLog')], dropped),
      makeNode('Sub', [named('largest'), named('largestLog')], region.outputs),
    ]);
  }
}
