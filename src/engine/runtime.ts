import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { PolybeamError } from '../errors.js';
import { type Graph, makeNode } from './graph.js';
import { encodeModel } from './onnxModel.js';

/** The part of onnxruntime-node or onnxruntime-web that polybeam uses. */
export interface OnnxRuntime {
  InferenceSession: {
    create(model: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  Tensor: typeof Tensor;
  env?: { versions: { common: string; node?: string; web?: string } };
  /** What `doctor` says about how programs on a device reach it. */
  describe?(device: 'cpu' | 'webgpu' | 'cuda'): string;
}

/** What is known of a runtime. */
export interface RuntimeOptions {
  /** Whether it opens weight files by path itself. Default false. */
  mapsFiles?: boolean;
  /** Whether it is known to write outputs into given arrays, so that it need not be tried. Default false. */
  writesOutputs?: boolean;
}

let current: OnnxRuntime | undefined;
let mapping = false;
let fitness: Promise<void> = Promise.resolve();

/**
 * Sets the ONNX runtime that programs run on, and tries whether it writes outputs into the arrays it is given: caches are
 * written in this way, and a runtime that does not do so computes plausible nonsense. The Node entry sets
 * onnxruntime-node on import; onnxruntime-web needs `webRuntime`.
 * @returns when it has been tried; programs wait for that by themselves, and throw what this throws
 * @throws RUNTIME_UNFIT
 */
export function setRuntime(runtime: OnnxRuntime, options: RuntimeOptions = {}): Promise<void> {
  current = runtime;
  mapping = options.mapsFiles ?? false;
  fitness = options.writesOutputs ? Promise.resolve() : requireWriting(runtime);
  // Whoever does not wait for it hears of it from the first program.
  fitness.catch(() => {});
  return fitness;
}

async function requireWriting(runtime: OnnxRuntime): Promise<void> {
  if (await writesOutputs(runtime)) return;
  throw new PolybeamError(
    'RUNTIME_UNFIT',
    'The ONNX runtime does not write outputs into the arrays it is given; set onnxruntime-web by setRuntime(webRuntime(ort)).',
  );
}

/** y = x + x, and z the same */
function doubling(): Graph {
  const port = (name: string) => ({ name, type: 'float32' as const, shape: [2] });
  return {
    inputs: [port('x')],
    outputs: [port('y'), port('z')],
    nodes: [makeNode('Add', ['x', 'x'], ['y']), makeNode('Add', ['x', 'x'], ['z'])],
    constants: new Map(),
    weights: new Map(),
    regions: [],
    shapes: new Map(),
  };
}

/**
 * Whether a runtime writes an output into the array that it is given for it, found out by running the smallest program.
 * A runtime that cannot run it at all is not judged here: what it cannot do fails aloud where it is wanted.
 */
async function writesOutputs({ InferenceSession, Tensor }: OnnxRuntime): Promise<boolean> {
  const given = new Float32Array(2);
  try {
    const model = encodeModel(doubling(), new Map());
    const session = await InferenceSession.create(model, {
      executionProviders: ['cpu'],
      logSeverityLevel: 4,
    });
    try {
      const x = new Tensor('float32', Float32Array.of(1, -3), [2]);
      await session.run({ x }, { y: new Tensor('float32', given, [2]), z: null });
    } finally {
      await session.release();
    }
  } catch {
    return true;
  }
  return given[0] === 2 && given[1] === -6;
}

/** Whether the runtime opens weight files by path itself, so that nothing is read or copied here. */
export function mapsFiles(): boolean {
  return mapping;
}

/** The ONNX runtime in use; throws RUNTIME_MISSING where none was set. */
export function onnxRuntime(): OnnxRuntime {
  if (!current) {
    throw new PolybeamError(
      'RUNTIME_MISSING',
      'No ONNX runtime is set: import polybeam in Node, or call setRuntime(webRuntime(ort)) with onnxruntime-web.',
    );
  }
  return current;
}

/** The ONNX runtime in use, when it has been tried; throws RUNTIME_MISSING and RUNTIME_UNFIT. */
export async function fitRuntime(): Promise<OnnxRuntime> {
  const runtime = onnxRuntime();
  await fitness;
  return runtime;
}

/** What only the host (Node, a browser page) can do about devices. */
export interface DeviceHost {
  /**
   * Runs a model once on WebGPU, where a failing driver cannot end the process; rejects with the reason. Returns what
   * computes: 'a GPU', or software.
   */
  tryWebgpu?(model: Uint8Array): Promise<string>;
  /** Imports the package that registers a tfjs backend; rejects with DEVICE_UNAVAILABLE. Returns its version. */
  loadTfjsBackend?(backend: string): Promise<string>;
}

let host: DeviceHost = {};

/** Sets what the host does about devices. The Node entry does it on import. */
export function setDeviceHost(next: DeviceHost): void {
  host = next;
}

/** The host's part in devices; empty where none was set. */
export function deviceHost(): DeviceHost {
  return host;
}
