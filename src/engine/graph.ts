/** Element types of values in a graph. tfjs knows the first three; the others appear inside lowered operations. */
export type ElementType = 'float32' | 'int32' | 'bool' | 'int64' | 'uint32' | 'uint8' | 'int8' | 'float16';

/** An attribute of a node: an integer, a list of integers, a string, or a tagged float. */
export type Attribute = number | readonly number[] | string | { float: number };

/** One operation; domain '' is ONNX itself, 'com.microsoft' ONNX Runtime's own operators. */
export interface GraphNode {
  op: string;
  domain: string;
  inputs: string[];
  outputs: string[];
  attributes: Record<string, Attribute>;
}

/** A value known when the graph is built. */
export interface GraphConstant {
  type: ElementType;
  shape: readonly number[];
  data: Uint8Array;
}

/** A size as it appears in a signature: a number, or the name of a dimension that each run may choose. */
export type Dimension = number | string;

/** A value that enters or leaves a graph. */
export interface GraphPort {
  name: string;
  type: ElementType;
  shape: readonly Dimension[];
  /** For an input: whether products read it as a weight, see `Signature`. */
  asWeight?: boolean;
}

/** The integers of a weight, or their scales: see `quantize.ts`. */
export interface QuantizedPart {
  /** The checkpoint's weight. */
  of: string;
  precision: 'int8' | 'int4';
  part: 'values' | 'scales';
}

/** A weight that is a constant; `quantized` if it is made from a weight of the checkpoint. */
export interface GraphWeight extends GraphPort {
  quantized?: QuantizedPart;
}

/**
 * A group of nodes that together compute a named operation (gelu, attention, ...). Passes may replace it by one fused
 * node; otherwise its nodes compute it.
 */
export interface GraphRegion {
  name: string;
  inputs: readonly string[];
  outputs: readonly string[];
  /** All values computed inside. */
  values: readonly string[];
  attributes: Readonly<Record<string, Attribute>>;
}

/**
 * Name of regions that are computed on the CPU if the rest runs on WebGPU: those of bit operations, which it
 * lacks, so that only the result is copied and no intermediate value. See `hostPart.ts`.
 */
export const onHost = 'onHost';

/** A traced program: nodes in topological order, and everything they refer to. Plain data. */
export interface Graph {
  inputs: GraphPort[];
  outputs: GraphPort[];
  nodes: GraphNode[];
  constants: Map<string, GraphConstant>;
  /** Weights held as constants, by value name; the checkpoint name is the same. */
  weights: Map<string, GraphWeight>;
  regions: GraphRegion[];
  /** Sizes of traced values, with named dimensions kept; values made by passes may be missing. */
  shapes: Map<string, { type: ElementType; shape: readonly Dimension[] }>;
}

/** Makes a node; `inputs` may hold '' for an absent optional input. */
export function makeNode(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Record<string, Attribute> = {},
  domain = '',
): GraphNode {
  return { op, domain, inputs: [...inputs], outputs: [...outputs], attributes };
}

/** The node that makes each value. */
export function producers(graph: Graph): Map<string, GraphNode> {
  const result = new Map<string, GraphNode>();
  for (const node of graph.nodes) for (const output of node.outputs) if (output) result.set(output, node);
  return result;
}

/** The nodes that read each value; a graph output counts as no node. */
export function consumers(graph: Graph): Map<string, GraphNode[]> {
  const result = new Map<string, GraphNode[]>();
  for (const node of graph.nodes) {
    for (const input of node.inputs) {
      if (!input) continue;
      const list = result.get(input);
      if (list) list.push(node);
      else result.set(input, [node]);
    }
  }
  return result;
}

/**
 * Removes nodes, constants and weights that no output depends on, and puts nodes in topological order (passes may
 * append a replacement after its readers).
 */
export function pruneAndSort(graph: Graph): void {
  const producer = producers(graph);
  const sorted: GraphNode[] = [];
  const state = new Map<GraphNode, 'open' | 'done'>();
  const used = new Set<string>();
  const stack: { node: GraphNode; next: number }[] = [];
  const enter = (value: string): void => {
    used.add(value);
    const node = producer.get(value);
    if (node && !state.has(node)) {
      state.set(node, 'open');
      stack.push({ node, next: 0 });
    }
  };
  // Depth first from the outputs, without recursion: graphs of deep models have thousands of nodes in a chain.
  for (const output of graph.outputs) {
    enter(output.name);
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.next < top.node.inputs.length) {
        const input = top.node.inputs[top.next++];
        if (input) enter(input);
      } else {
        state.set(top.node, 'done');
        sorted.push(top.node);
        stack.pop();
      }
    }
  }
  graph.nodes = sorted;
  for (const name of [...graph.constants.keys()]) if (!used.has(name)) graph.constants.delete(name);
  for (const name of [...graph.weights.keys()]) if (!used.has(name)) graph.weights.delete(name);
}

/**
 * Whether nothing outside the region reads its inner values, other than its outputs. Only then does a fused node
 * save work: in a training step the backward pass often needs inner values. Values that depend only on sizes are
 * shared with the rest of the graph and do not count.
 */
export function isPrivate(graph: Graph, region: GraphRegion, readers = consumers(graph)): boolean {
  const inside = new Set(region.values);
  const made = new Set(graph.nodes.filter((node) => node.outputs.some((output) => inside.has(output))));
  const fromInputs = new Set(region.inputs);
  for (const node of made) {
    if (node.op === 'Shape' || !node.inputs.some((input) => fromInputs.has(input))) continue;
    for (const output of node.outputs) fromInputs.add(output);
  }
  const results = new Set(graph.outputs.map((port) => port.name));
  const isOwn = (value: string) =>
    !results.has(value) && (readers.get(value) ?? []).every((node) => made.has(node));
  return region.values.every(
    (value) => region.outputs.includes(value) || !fromInputs.has(value) || isOwn(value),
  );
}

/** Replaces a region by other nodes with the same outputs; the region's own nodes lose their readers. */
export function replaceRegion(graph: Graph, region: GraphRegion, nodes: readonly GraphNode[]): void {
  const outputs = new Set(region.outputs);
  for (const node of graph.nodes) {
    node.outputs = node.outputs.map((output) => (outputs.has(output) ? `${output}:unfused` : output));
  }
  graph.nodes.push(...nodes);
}

/** Gives values other names, everywhere. */
export function renameValues(graph: Graph, names: ReadonlyMap<string, string>): void {
  const rename = (name: string) => names.get(name) ?? name;
  for (const node of graph.nodes) {
    node.inputs = node.inputs.map(rename);
    node.outputs = node.outputs.map(rename);
  }
  graph.regions = graph.regions.map((region) => ({
    ...region,
    inputs: region.inputs.map(rename),
    outputs: region.outputs.map(rename),
    values: region.values.map(rename),
  }));
}
