import { consumers, type Graph, type GraphRegion, isPrivate, makeNode, replaceRegion } from '../graph.js';

/** Attention regions become MultiHeadAttention and, with a cache, DecoderMaskedMultiHeadAttention. */
export function fuseAttention(graph: Graph): void {
  const readers = consumers(graph);
  for (const region of graph.regions) {
    if (region.name === 'attention' && isPrivate(graph, region, readers)) fuseFull(graph, region);
    if (region.name === 'cachedAttention' && isPrivate(graph, region, readers)) fuseCached(graph, region);
  }
}

/**
 * The same for WebGPU, whose MultiHeadAttention takes no key mask: the mask becomes a bias. Cached attention stays as
 * it is; its operator is for the CPU and CUDA.
 */
export function fuseAttentionByBias(graph: Graph): void {
  const readers = consumers(graph);
  for (const region of graph.regions) {
    if (region.name !== 'attention' || !isPrivate(graph, region, readers)) continue;
    const { query, keyMask, bias } = attentionInputs(region);
    if (!keyMask) fuseFull(graph, region);
    else {
      const mask = maskAsBias(graph, `${region.outputs[0]}:mask`, query, keyMask, bias);
      fuseFull(graph, region, mask);
    }
  }
}

function attentionInputs(region: GraphRegion) {
  const [query, key, value, ...optional] = region.inputs;
  const keyMask = region.attributes.keyMask ? optional.shift()! : '';
  const bias = region.attributes.bias ? optional.shift()! : '';
  return { query, key, value, keyMask, bias };
}

/** A key mask [batch, source] and a bias as one bias [batch, heads or 1, target, source]. */
function maskAsBias(graph: Graph, name: string, query: string, keyMask: string, bias: string): string {
  const value = (part: string) => `${name}:${part}`;
  const constant = (part: string, type: 'int64' | 'float32', numbers: readonly number[]): string => {
    const data = type === 'int64' ? new BigInt64Array(numbers.map(BigInt)) : new Float32Array(numbers);
    graph.constants.set(value(part), { type, shape: [numbers.length], data: new Uint8Array(data.buffer) });
    return value(part);
  };
  const [one, hidden] = [constant('one', 'float32', [1]), constant('hidden', 'float32', [-1e9])];
  const axes = constant('axes', 'int64', [1, 2]);
  const single = constant('single', 'int64', [1]);
  // A query split in heads has its length on the third axis.
  const target = graph.shapes.get(query)?.shape.length === 4 ? 2 : 1;
  graph.nodes.push(
    makeNode('Cast', [keyMask], [value('open')], { to: 1 }),
    makeNode('Sub', [one, value('open')], [value('closed')]),
    makeNode('Mul', [value('closed'), hidden], [value('scores')]),
    makeNode('Unsqueeze', [value('scores'), axes], [value('wide')]),
  );
  if (bias) {
    graph.nodes.push(makeNode('Add', [value('wide'), bias], [value('sum')]));
    return value('sum');
  }
  graph.nodes.push(
    makeNode('Shape', [query], [value('target')], { start: target, end: target + 1 }),
    makeNode('Concat', [single, single, value('target'), single], [value('shape')], { axis: 0 }),
    makeNode('Expand', [value('wide'), value('shape')], [value('sum')]),
  );
  return value('sum');
}

function fuseFull(graph: Graph, region: GraphRegion, mask?: string): void {
  const { query, key, value, keyMask, bias } = attentionInputs(region);
  const { heads, causal } = region.attributes;
  const inputs = [query, key, value, '', mask === undefined ? keyMask : '', mask ?? bias];
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
