import type { InferenceSession, Tensor } from 'onnxruntime-common';
import type { Graph } from './graph.js';
import { encodeModel, placeStored, type WeightPlacement } from './onnxModel.js';
import { computedWeight, type ParameterSpec } from './parameters.js';
import type { CompileOptions, Program } from './program.js';
import { mapsFiles, onnxRuntime } from './runtime.js';
import { checkFeeds, fromOnnx, toOnnx, type Value } from './values.js';
import type { WeightStore } from './weights.js';

/** What a session must be given beside the model: bytes or paths of external weights. */
type ExternalData = { path: string; data: string | Uint8Array };

/** Weights that lie in files are mapped where they are; others are converted to float32 in memory. */
async function placeWeights(
  graph: Graph,
  specs: readonly ParameterSpec[],
  weights: WeightStore | undefined,
): Promise<{ placements: Map<string, WeightPlacement>; external: ExternalData[] }> {
  const placements = new Map<string, WeightPlacement>();
  const external = new Map<string, ExternalData>();
  for (const name of graph.weights.keys()) {
    const stored = weights?.get(name);
    if (stored?.data.kind === 'file' && stored.format === 'F32' && mapsFiles()) {
      const location = stored.data.path;
      placements.set(name, placeStored(stored, location)!);
      external.set(location, { path: location, data: location });
      continue;
    }
    const data = stored
      ? await weights!.read(name)
      : computedWeight(specs.find((spec) => spec.name === name)!);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const location = `memory/${name}`;
    placements.set(name, { kind: 'external', type: 'float32', location, offset: 0, length: bytes.length });
    external.set(location, { path: location, data: bytes });
  }
  return { placements, external: [...external.values()] };
}

function sessionOptions(options: CompileOptions, external: ExternalData[]): InferenceSession.SessionOptions {
  return {
    executionProviders: options.device === 'webgpu' ? ['webgpu'] : ['cpu'],
    graphOptimizationLevel: 'all',
    enableMemPattern: true,
    ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
    // Errors reach the caller as exceptions; warnings about fallbacks are for developers.
    logSeverityLevel: 3,
    externalData: external,
    ...(options.profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: options.profile }),
  };
}

/** A program over one ONNX Runtime session. */
export async function createOnnxProgram(
  graph: Graph,
  parameters: readonly ParameterSpec[],
  options: CompileOptions,
): Promise<Program> {
  const { placements, external } = await placeWeights(graph, parameters, options.weights);
  const model = encodeModel(graph, placements);
  const session = await onnxRuntime().InferenceSession.create(model, sessionOptions(options, external));
  const outputNames = graph.outputs.map((port) => port.name);
  return {
    inputs: graph.inputs,
    outputs: graph.outputs,
    parameters,
    run: async (feeds, into = {}) => {
      checkFeeds(graph.inputs, feeds);
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
