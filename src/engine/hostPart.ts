import { type Graph, type GraphPort, onHost, producers, pruneAndSort } from './graph.js';
import type { Program } from './program.js';

/**
 * Removes from a graph for another device the parts that the CPU should compute, the regions `onHost`. Their outputs
 * become inputs of the graph. (If ONNX Runtime placed them on the CPU within one session, each would have to be named in an
 * option of 8,192 characters at most, some twenty masks of dropout; annotations of nodes end the process in a training
 * step, 1.30.)
 * @returns the graph of that part; undefined where there is none
 */
export function takeHostPart(graph: Graph): Graph | undefined {
  const made = producers(graph);
  const regions = graph.regions.filter(({ name }) => name === onHost);
  const names = regions.flatMap(({ outputs }) => outputs).filter((name) => made.has(name));
  if (names.length === 0) return undefined;
  const ports = names.map((name): GraphPort => ({ name, ...graph.shapes.get(name)! }));
  const host: Graph = {
    ...graph,
    outputs: ports,
    nodes: [...graph.nodes],
    constants: new Map(graph.constants),
    weights: new Map(graph.weights),
    regions: [],
  };
  pruneAndSort(host);
  const read = new Set(host.nodes.flatMap((node) => node.inputs));
  host.inputs = graph.inputs.filter(({ name }) => read.has(name));
  const taken = new Set(names);
  graph.nodes = graph.nodes.filter((node) => !node.outputs.some((output) => taken.has(output)));
  graph.inputs = [...graph.inputs, ...ports];
  pruneAndSort(graph);
  return host;
}

/** Combines a program and its part on the host. */
export function withHostPart(program: Program, host: Program): Program {
  const made = new Set(host.outputs.map(({ name }) => name));
  return {
    ...program,
    inputs: program.inputs.filter(({ name }) => !made.has(name)),
    run: async (feeds, into) => {
      const own = Object.fromEntries(host.inputs.map(({ name }) => [name, feeds[name]]));
      return program.run({ ...feeds, ...(await host.run(own)) }, into);
    },
    dispose: async () => {
      await Promise.all([host.dispose(), program.dispose()]);
    },
  };
}
