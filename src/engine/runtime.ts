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
  /** Text of `doctor` about how programs call it on a device. */
  describe?(device: 'cpu' | 'webgpu' | 'cuda'): string;
}

/** Known properties of a runtime. */
export interface RuntimeOptions {
  /** Whether it opens weight files by path itself. Default false. */
  mapsFiles?: boolean;
  /** Whether it is known to write outputs into given arrays, so that it need not be tested. Default false. */
  writesOutputs?: boolean;
}

let current: OnnxRuntime | undefined;
let mapping = false;
let fitness: Promise<void> = Promise.resolve();

/**
 * Sets the ONNX runtime for programs, and tests whether it writes outputs into given arrays: caches are
 * written in this way, and with a runtime that does not do so results are wrong but plausible. The Node entry sets
 * onnxruntime-node on import; onnxruntime-web needs `webRuntime`.
 * @returns when the test is done; programs wait for it, and throw the same errors
 * @throws RUNTIME_UNFIT
 */
export function setRuntime(runtime: OnnxRuntime, options: RuntimeOptions = {}): Promise<void> {
  current = runtime;
  mapping = options.mapsFiles ?? false;
  fitness = options.writesOutputs ? Promise.resolve() : requireWriting(runtime);
  // A caller that does not wait gets the error from the first program.
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
 * Whether a runtime writes an output into the given array, tested with the smallest program.
 * A runtime that cannot run it at all passes: its errors appear when it is used.
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

/** The ONNX runtime in use, after its test; throws RUNTIME_MISSING and RUNTIME_UNFIT. */
export async function fitRuntime(): Promise<OnnxRuntime> {
  const runtime = onnxRuntime();
  await fitness;
  return runtime;
}

/** Device functions that only the host (Node, a browser page) has. */
export interface DeviceHost {
  /**
   * Runs a model once on WebGPU, in a way that a failing driver cannot end the process; rejects with the reason. Returns the kind of
   * adapter: 'a GPU', or software.
   */
  tryWebgpu?(model: Uint8Array): Promise<string>;
  /** Imports the package that registers a tfjs backend; rejects with DEVICE_UNAVAILABLE. Returns its version. */
  loadTfjsBackend?(backend: string): Promise<string>;
}

let host: DeviceHost = {};

/** Sets the host's device functions. The Node entry does it on import. */
export function setDeviceHost(next: DeviceHost): void {
  host = next;
}

/** The host's device functions; empty if none were set. */
export function deviceHost(): DeviceHost {
  return host;
}
