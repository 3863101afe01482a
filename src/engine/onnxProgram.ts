import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import { countRun, replaceContent } from './deviceValues.js';
import type { Graph, GraphWeight } from './graph.js';
import { encodeModel, placeStored, type WeightPlacement } from './onnxModel.js';
import { computedWeight, type ParameterSpec } from './parameters.js';
import { type CompileOptions, type Device, type Program, residentOutputs } from './program.js';
import { type QuantizedWeight, quantizeInt4, quantizeInt8 } from './quantize.js';
import { fitRuntime, mapsFiles } from './runtime.js';
import { checkFeeds, checkInto, fromOnnx, isOnDevice, onDevice, toOnnx, type Value } from './values.js';
import { type FileData, requireUnchanged, type StoredWeight, type WeightStore } from './weights.js';

/** Inputs of a session besides the model: bytes or paths of external weights. */
type ExternalData = { path: string; data: Uint8Array };

interface PlacedWeights {
  placements: Map<string, WeightPlacement>;
  external: ExternalData[];
  /** Directory of weight files that ONNX Runtime maps itself. */
  folder?: string;
  /** Those files. */
  mapped: FileData[];
}

/**
 * Weights in files are mapped in place; others are converted in memory. A session takes external
 * weights from files or from memory, not from both: with mapped files the rest goes into the model.
 */
async function placeWeights(
  graph: Graph,
  specs: readonly ParameterSpec[],
  weights: WeightStore | undefined,
): Promise<PlacedWeights> {
  const placed: PlacedWeights = { placements: new Map(), external: [], mapped: [] };
  const unmapped: GraphWeight[] = [];
  const files: { weight: GraphWeight; stored: StoredWeight; data: FileData }[] = [];
  for (const weight of graph.weights.values()) {
    const stored = weights?.get(weight.name);
    const mapped = mapsFiles() && stored && fits(weight, stored) && placeStored(stored, '', weight.type);
    if (mapped && stored.data.kind === 'file') files.push({ weight, stored, data: stored.data });
    else unmapped.push(weight);
  }
  // The runtime refuses a file whose real path lies outside the folder, such as those of Hugging Face's cache.
  const realPaths = await resolvePaths(files.map(({ data }) => data.path));
  placed.mapped = [...new Map(files.map(({ data }) => [data.path, data])).values()];
  if (files.length > 0) placed.folder = commonFolder([...realPaths.values()]);
  for (const { weight, stored, data } of files) {
    const location = realPaths.get(data.path)!.slice(placed.folder!.length).replace(/^\//, '');
    placed.placements.set(weight.name, placeStored(stored, location, weight.type)!);
  }
  const read = weightReader(specs, weights);
  for (const weight of unmapped) {
    const { name, type } = weight;
    const data = await read(weight);
    if (placed.folder !== undefined) {
      placed.placements.set(name, { kind: 'inline', type, data });
      continue;
    }
    const location = `memory/${name}`;
    placed.placements.set(name, { kind: 'external', type, location, offset: 0, length: data.length });
    placed.external.push({ path: location, data });
  }
  return placed;
}

/** Whether a stored tensor is the integers of a weight. */
function fits({ quantized, shape }: GraphWeight, stored: StoredWeight): boolean {
  return quantized === undefined || stored.shape.join() === shape.join();
}

/** Real paths by path. */
async function resolvePaths(paths: readonly string[]): Promise<Map<string, string>> {
  const resolved = new Map<string, string>();
  for (const path of new Set(paths)) resolved.set(path, (await fileAccess().realPath?.(path)) ?? path);
  return resolved;
}

/** The deepest folder that contains all files; `/` for the root. */
function commonFolder(paths: readonly string[]): string {
  const folderOf = (path: string) => path.slice(0, path.lastIndexOf('/') + 1);
  let folder = folderOf(paths[0]);
  for (const path of paths) {
    while (!path.startsWith(folder)) folder = folderOf(folder.slice(0, -1));
  }
  return folder.length > 1 ? folder.slice(0, -1) : folder;
}

/** What programs have lately read of files: an encoder and its decoder share a table. Weak, so that no memory is held by it. */
const lately = new WeakMap<WeightStore, Map<string, WeakRef<Float32Array>>>();

async function readOnce(weights: WeightStore, name: string): Promise<Float32Array> {
  if (weights.get(name)?.data.kind !== 'file') return weights.read(name);
  const known = lately.get(weights) ?? new Map<string, WeakRef<Float32Array>>();
  lately.set(weights, known);
  const values = known.get(name)?.deref() ?? (await weights.read(name));
  known.set(name, new WeakRef(values));
  return values;
}

/** Bytes of weights that are not mapped. The two parts of a quantized weight come one after the other. */
function weightReader(specs: readonly ParameterSpec[], weights: WeightStore | undefined) {
  let last: ({ of: string } & QuantizedWeight) | undefined;
  const floats = (name: string) =>
    weights?.get(name) === undefined
      ? computedWeight(specs.find((spec) => spec.name === name)!)
      : readOnce(weights, name);
  return async (weight: GraphWeight): Promise<Uint8Array> => {
    const { name, quantized } = weight;
    if (!quantized) return bytesOf(await floats(name));
    const stored = weights?.get(name);
    if (stored && weights?.bytes && fits(weight, stored)) return weights.bytes(name);
    const { of, precision, part } = quantized;
    if (last?.of !== of) {
      const values = await floats(of);
      const [outputs] = specs.find((spec) => spec.name === of)!.shape;
      last = { of, ...(precision === 'int8' ? quantizeInt8(values, outputs) : quantizeInt4(values)) };
    }
    return bytesOf(last[part]);
  };
}

function bytesOf(values: Float32Array | Uint8Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function sessionOptions(
  options: CompileOptions,
  { external, folder }: PlacedWeights,
  resident: readonly string[],
): InferenceSession.SessionOptions {
  return {
    executionProviders: [options.device ?? 'cpu'],
    graphOptimizationLevel: 'all',
    enableMemPattern: true,
    ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
    // The caller gets errors as exceptions, so the runtime need not print them.
    logSeverityLevel: 4,
    ...(resident.length === 0 ? {} : { preferredOutputLocation: locations(resident) }),
    ...(external.length === 0 ? {} : { externalData: external }),
    ...(folder === undefined
      ? {}
      : { extra: { session: { model_external_initializers_file_folder_path: folder } } }),
    ...(options.profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: options.profile }),
  };
}

/** Outputs that are not named are returned on the CPU. */
function locations(resident: readonly string[]): Record<string, Tensor.DataLocation> {
  return Object.fromEntries(resident.map((name) => [name, 'gpu-buffer']));
}

/** Messages of a runtime without a device: no adapter, or no CUDA provider or driver. */
const missing: Partial<Record<Device, RegExp>> = {
  webgpu: /Failed to get a WebGPU adapter: (.*)/,
  cuda: /(.*(?:CUDA|providers_cuda|providers_shared|backend not found|koffi).*)/i,
};

/** Converts the error of a missing device; other errors of the runtime are unchanged. */
function explain(error: Error, device: Device): Error {
  const reason = missing[device]?.exec(error.message);
  if (!reason) return error;
  return new PolybeamError(
    'DEVICE_UNAVAILABLE',
    `The device ${device} cannot be used here (${reason[1].trim()}); npx polybeam doctor says how to get it.`,
    { cause: error },
  );
}

/** A session over files that are checked before and after it is made, so that they are the files whose headers were read. */
async function openSession(
  model: Uint8Array,
  { mapped }: PlacedWeights,
  options: InferenceSession.SessionOptions,
  device: Device,
): Promise<InferenceSession> {
  const checkFiles = () => Promise.all(mapped.map(requireUnchanged));
  const { InferenceSession } = await fitRuntime();
  // Mapping a file that has become too short can end the process.
  await checkFiles();
  const session = await InferenceSession.create(model, options).catch(async (error: Error) => {
    await checkFiles();
    throw explain(error, device);
  });
  try {
    await checkFiles();
  } catch (error) {
    await session.release();
    throw error;
  }
  return session;
}

/** A program over one ONNX Runtime session. */
export async function createOnnxProgram(
  graph: Graph,
  parameters: readonly ParameterSpec[],
  options: CompileOptions,
): Promise<Program> {
  const device = options.device ?? 'cpu';
  const wanted = residentOutputs(graph.outputs, options);
  const place = { device, resident: device === 'cpu' ? [] : wanted };
  const placed = await placeWeights(graph, parameters, options.weights);
  const model = encodeModel(graph, placed.placements);
  const settings = sessionOptions(options, placed, place.resident);
  const session = await openSession(model, placed, settings, device);
  const outputNames = graph.outputs.map((port) => port.name);
  return {
    ...place,
    inputs: graph.inputs,
    outputs: graph.outputs,
    parameters,
    run: async (feeds, into = {}) => {
      checkFeeds(graph.inputs, feeds, place);
      checkInto(graph.outputs, into, place);
      const inputs: Record<string, Tensor> = {};
      for (const port of graph.inputs) inputs[port.name] = toOnnx(feeds[port.name]);
      const fetches: Record<string, Tensor | null> = {};
      // All are fetched: the binding would write one that is left out over that of the run before (onnxruntime-node 1.30).
      for (const name of outputNames) {
        const value = into[name];
        fetches[name] = value && !isOnDevice(value) ? toOnnx(value) : null;
      }
      const results = await session.run(inputs, fetches);
      const outputs: Record<string, Value> = {};
      for (const name of outputNames) {
        const [value, result] = [into[name], results[name] as Tensor];
        if (value && isOnDevice(value)) replaceContent(value, onDevice(result));
        else if (place.resident.includes(name)) result.dispose();
        else outputs[name] = value ?? fromOnnx(result);
      }
      if (device !== 'cpu') countRun(feeds, outputs);
      return outputs;
    },
    dispose: async () => {
      if (options.profile !== undefined) session.endProfiling();
      await session.release();
    },
  };
}
