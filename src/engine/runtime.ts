import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { PolybeamError } from '../errors.js';

/** The part of onnxruntime-node or onnxruntime-web that polybeam uses. */
export interface OnnxRuntime {
  InferenceSession: {
    create(model: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  Tensor: typeof Tensor;
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
