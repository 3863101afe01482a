import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { PolybeamError } from '../errors.js';
import { type Graph, onHost } from './graph.js';
import { encodeModel, nodeName, placeStored, type WeightPlacement } from './onnxModel.js';
import { computedWeight, type ParameterSpec } from './parameters.js';
import type { CompileOptions, Program } from './program.js';
import { mapsFiles, onnxRuntime } from './runtime.js';
import { checkFeeds, checkInto, fromOnnx, toOnnx, type Value } from './values.js';
import type { WeightStore } from './weights.js';

/** What a session must be given beside the model: bytes or paths of external weights. */
type ExternalData = { path: string; data: Uint8Array };

interface PlacedWeights {
  placements: Map<string, WeightPlacement>;
  external: ExternalData[];
  /** Directory of weight files that ONNX Runtime maps itself. */
  folder?: string;
}

/**
 * Weights that lie in files are mapped where they are; others are converted to float32 in memory. A session takes
 * external weights from files or from memory, not from both: beside mapped files the rest goes into the model.
 */
async function placeWeights(
  graph: Graph,
  specs: readonly ParameterSpec[],
  weights: WeightStore | undefined,
): Promise<PlacedWeights> {
  const placed: PlacedWeights = { placements: new Map(), external: [] };
  const unmapped: string[] = [];
  for (const name of graph.weights.keys()) {
    const stored = weights?.get(name);
    if (stored?.data.kind !== 'file' || stored.format !== 'F32' || !mapsFiles()) {
      unmapped.push(name);
      continue;
    }
    const at = stored.data.path.lastIndexOf('/');
    placed.folder = stored.data.path.slice(0, at);
    placed.placements.set(name, placeStored(stored, stored.data.path.slice(at + 1))!);
  }
  for (const name of unmapped) {
    const isStored = weights?.get(name) !== undefined;
    const values = isStored
      ? await weights!.read(name)
      : computedWeight(specs.find((spec) => spec.name === name)!);
    const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    if (placed.folder !== undefined) {
      placed.placements.set(name, { kind: 'inline', type: 'float32', data });
      continue;
    }
    const location = `memory/${name}`;
    placed.placements.set(name, {
      kind: 'external',
      type: 'float32',
      location,
      offset: 0,
      length: data.length,
    });
    placed.external.push({ path: location, data });
  }
  return placed;
}

/** WebGPU, but for what would only bounce between the devices. */
function webgpuProvider(graph: Graph): InferenceSession.ExecutionProviderConfig {
  const values = new Set(
    graph.regions.filter(({ name }) => name === onHost).flatMap((region) => region.values),
  );
  const names = graph.nodes.flatMap((node, index) =>
    node.outputs.every((output) => values.has(output)) ? [nodeName(node, index)] : [],
  );
  // An empty list is refused.
  return {
    name: 'webgpu',
    ...(names.length > 0 ? { forceCpuNodeNames: names } : {}),
  } as InferenceSession.ExecutionProviderConfig;
}

function sessionOptions(
  graph: Graph,
  options: CompileOptions,
  { external, folder }: PlacedWeights,
): InferenceSession.SessionOptions {
  return {
    executionProviders: options.device === 'webgpu' ? [webgpuProvider(graph)] : ['cpu'],
    graphOptimizationLevel: 'all',
    enableMemPattern: true,
    ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
    // Errors reach the caller as exceptions; the runtime need not print them as well.
    logSeverityLevel: 4,
    ...(external.length === 0 ? {} : { externalData: external }),
    ...(folder === undefined
      ? {}
      : { extra: { session: { model_external_initializers_file_folder_path: folder } } }),
    ...(options.profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: options.profile }),
  };
}

/** A missing adapter in words; other errors of the runtime as they are. */
function explain(error: Error): Error {
  const adapter = /Failed to get a WebGPU adapter: (.*)/.exec(error.message);
  if (!adapter) return error;
  return new PolybeamError(
    'DEVICE_UNAVAILABLE',
    `The device webgpu cannot be used here (${adapter[1].trim()}); npx polybeam doctor says how to get it.`,
    { cause: error },
  );
}

/** A program over one ONNX Runtime session. */
export async function createOnnxProgram(
  graph: Graph,
  parameters: readonly ParameterSpec[],
  options: CompileOptions,
): Promise<Program> {
  const placed = await placeWeights(graph, parameters, options.weights);
  const model = encodeModel(graph, placed.placements);
  const session = await onnxRuntime()
    .InferenceSession.create(model, sessionOptions(graph, options, placed))
    .catch((error: Error) => {
      throw explain(error);
    });
  const outputNames = graph.outputs.map((port) => port.name);
  return {
    inputs: graph.inputs,
    outputs: graph.outputs,
    parameters,
    run: async (feeds, into = {}) => {
      checkFeeds(graph.inputs, feeds);
      checkInto(graph.outputs, into);
      const inputs: Record<string, Tensor> = {};
      for (const port of graph.inputs) inputs[port.name] = toOnnx(feeds[port.name]);
      const fetches: Record<string, Tensor | null> = {};
      for (const name of outputNames) fetches[name] = into[name] ? toOnnx(into[name]) : null;
      const results = await session.run(inputs, fetches);
      const outputs: Record<string, Value> = {};
      for (const name of outputNames) outputs[name] = into[name] ?? fromOnnx(results[name] as Tensor);
      return outputs;
    },
    dispose: async () => {
      if (options.profile !== undefined) session.endProfiling();
      await session.release();
    },
  };
}
