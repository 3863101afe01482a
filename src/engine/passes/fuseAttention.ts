import { consumers, type Graph, type GraphRegion, isPrivate, makeNode, replaceRegion } from '../graph.js';

/** Attention regions become MultiHeadAttention and, with a cache, DecoderMaskedMultiHeadAttention. */
export function fuseAttention(graph: Graph): void {
  const readers = consumers(graph);
  // A fused region removes the regions inside it: cached attention contains an attention.
  const fused = new Set<string>();
  for (const region of graph.regions) {
    if (region.name !== 'cachedAttention' || !isPrivate(graph, region, readers)) continue;
    fuseCached(graph, region);
    for (const value of region.values) fused.add(value);
  }
  for (const region of graph.regions) {
    if (region.name !== 'attention' || fused.has(region.outputs[0])) continue;
    if (isPrivate(graph, region, readers)) fuseFull(graph, region);
  }
}

/**
 * The same for WebGPU, whose MultiHeadAttention takes no key mask: the mask becomes a bias. The operator of cached attention
 * is for the CPU and CUDA: here only the attention inside it is fused, over caches that were gathered.
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
  const { heads, causal, scale } = region.attributes;
  const inputs = [query, key, value, '', mask === undefined ? keyMask : '', mask ?? bias];
  while (inputs[inputs.length - 1] === '') inputs.pop();
  const attributes = {
    num_heads: heads,
    unidirectional: causal,
    mask_filter_value: { float: -1e9 },
    ...(scale === undefined ? {} : { scale }),
  };
  replaceRegion(graph, region, [
    makeNode('MultiHeadAttention', inputs, [region.outputs[0]], attributes, 'com.microsoft'),
  ]);
}

function fuseCached(graph: Graph, region: GraphRegion): void {
  const [query, key, value, pastKey, pastValue, position, ancestry, ...optional] = region.inputs;
  const { heads, scale } = region.attributes;
  const bias = region.attributes.bias ? optional.shift() : undefined;
  const visible = region.attributes.visible ? optional.shift() : undefined;
  // The operator reads the bias of a past position from the row that wrote it.
  if (bias !== undefined && graph.shapes.get(bias)?.shape[0] !== 1) return;
  const part = (name: string) => `${region.outputs[0]}:${name}`;
  const past = bias === undefined && visible === undefined ? undefined : upToNow(graph, part, position);
  const seen = visible === undefined ? '' : past!('visible', visible, 1);
  const added = bias === undefined ? '' : past!('bias', bias, 3);
  const inputs = [query, key, value, seen, added, pastKey, pastValue, position, part('beams'), ancestry];
  const attributes = {
    num_heads: heads,
    past_present_share_buffer: 1,
    ...(visible === undefined ? {} : { mask_filter_value: { float: -1e9 } }),
    ...(scale === undefined ? {} : { scale }),
  };
  replaceRegion(graph, region, [
    makeNode('Shape', [ancestry], [part('width')], { start: 1, end: 2 }),
    makeNode('Cast', [part('width')], [part('beams')], { to: 6 }),
    makeNode('DecoderMaskedMultiHeadAttention', inputs, region.outputs, attributes, 'com.microsoft'),
  ]);
}

/** The operator needs masks and biases of the positions up to this step, not of the whole capacity. */
function upToNow(graph: Graph, part: (name: string) => string, position: string) {
  const constant = (name: string, type: 'int64' | 'int32', data: BigInt64Array | Int32Array): string => {
    graph.constants.set(part(name), { type, shape: [1], data: new Uint8Array(data.buffer) });
    return part(name);
  };
  const one = constant('one', 'int32', Int32Array.of(1));
  const first = constant('first', 'int64', BigInt64Array.of(0n));
  graph.nodes.push(
    makeNode('Add', [position, one], [part('length')]),
    makeNode('Cast', [part('length')], [part('end')], { to: 7 }),
  );
  return (name: string, value: string, axis: number): string => {
    const along = constant(`${name}:axis`, 'int64', BigInt64Array.of(BigInt(axis)));
    graph.nodes.push(makeNode('Slice', [value, first, part('end'), along], [part(name)]));
    return part(name);
  };
}
