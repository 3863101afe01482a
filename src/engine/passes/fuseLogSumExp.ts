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
 * Log-sum-exp regions become the largest value less the largest log-probability. Maxima are exact, and LogSoftmax sums a row
 * in the same order for any number of rows, which ReduceSum does not: it sums a single row in another order than the same row among
 * others. If the best of a row are selected too, the first of them gives both maxima.
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
    const best = (readers.get(x) ?? []).find((node) => node.op === 'TopK' && node.attributes.sorted === 1);
    replaceRegion(graph, region, [
      makeNode('LogSoftmax', [x], [`${region.outputs[0]}/logSoftmax`], { axis: -1 }),
      ...(best ? atBest(graph, best, axes, region.outputs[0]) : ofMaxima(x, axes, region.outputs[0])),
    ]);
  }
}

function ofMaxima(x: string, axes: string, result: string): GraphNode[] {
  const named = (what: string) => `${result}/${what}`;
  const dropped = { keepdims: 0 };
  return [
    makeNode('ReduceMax', [x, axes], [named('largest')], dropped),
    makeNode('ReduceMax', [named('logSoftmax'), axes], [named('largestLog')], dropped),
    makeNode('Sub', [named('largest'), named('largestLog')], [result]),
  ];
}

/** Saves two passes over the vocabulary. @param best sorted TopK over the last axis of the same values */
function atBest(graph: Graph, best: GraphNode, axes: string, result: string): GraphNode[] {
  const named = (what: string) => `${result}/${what}`;
  const [values, places] = best.outputs;
  const first = new Uint8Array(BigInt64Array.of(0n).buffer);
  graph.constants.set(named('first'), { type: 'int64', shape: [1], data: first });
  return [
    makeNode('Gather', [values, named('first')], [named('largest')], { axis: -1 }),
    makeNode('Gather', [places, named('first')], [named('place')], { axis: -1 }),
    makeNode('GatherElements', [named('logSoftmax'), named('place')], [named('largestLog')], { axis: -1 }),
    makeNode('Sub', [named('largest'), named('largestLog')], [named('difference')]),
    makeNode('Squeeze', [named('difference'), axes], [result]),
  ];
}
