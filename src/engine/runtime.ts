import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { PolybeamError } from '../errors.js';

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

let current: OnnxRuntime | undefined;
let mapping = false;

/** Sets the ONNX runtime that programs run on. The Node entry sets onnxruntime-node on import. */
export function setRuntime(runtime: OnnxRuntime, options: { mapsFiles?: boolean } = {}): void {
  current = runtime;
  mapping = options.mapsFiles ?? false;
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
      'No ONNX runtime is set: import polybeam in Node, or call setRuntime() with onnxruntime-web.',
    );
  }
  return current;
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
