import { consumers, type Graph, type GraphRegion, isPrivate, makeNode, replaceRegion } from '../graph.js';

/** Attention regions become MultiHeadAttention and, with a cache, DecoderMaskedMultiHeadAttention. */
export function fuseAttention(graph: Graph): void {
  const readers = consumers(graph);
  for (const region of graph.regions) {
    if (region.name === 'attention' && isPrivate(graph, region, readers)) fuseFull(graph, region);
    if (region.name === 'cachedAttention' && isPrivate(graph, region, readers)) fuseCached(graph, region);
  }
}

function fuseFull(graph: Graph, region: GraphRegion): void {
  const [query, key, value, ...optional] = region.inputs;
  const { heads, causal } = region.attributes;
  const keyMask = region.attributes.keyMask ? optional.shift()! : '';
  const bias = region.attributes.bias ? optional.shift()! : '';
  const inputs = [query, key, value, '', keyMask, bias];
  while (inputs[inputs.length - 1] === '') inputs.pop();
  const attributes = { num_heads: heads, unidirectional: causal, mask_filter_value: { float: -1e9 } };
  replaceRegion(graph, region, [
    makeNode('MultiHeadAttention', inputs, [region.outputs[0]], attributes, 'com.microsoft'),
  ]);
}

function fuseCached(graph: Graph, region: GraphRegion): void {
  const [query, key, value, pastKey, pastValue, position, ancestry] = region.inputs;
  const beams = `${region.outputs[0]}:beams`;
  const width = `${region.outputs[0]}:width`;
  const inputs = [query, key, value, '', '', pastKey, pastValue, position, beams, ancestry];
  const attributes = { num_heads: region.attributes.heads, past_present_share_buffer: 1 };
  replaceRegion(graph, region, [
    makeNode('Shape', [ancestry], [width], { start: 1, end: 2 }),
    makeNode('Cast', [width], [beams], { to: 6 }),
    makeNode('DecoderMaskedMultiHeadAttention', inputs, region.outputs, attributes, 'com.microsoft'),
  ]);
}
