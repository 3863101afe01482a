import * as tf from '@tensorflow/tfjs-core';
import type { Trace, Traced, TraceTensorInfo } from '../trace.js';
import { currentTrace, traceBackendName } from '../traceBackend.js';

/** One tfjs call, as a mapping gets it. */
export interface KernelCall<A> {
  trace: Trace;
  /** An input by its tfjs name. */
  input(name: string): Traced;
  /** All inputs, in order (kernels such as Concat take a list). */
  inputs: Traced[];
  /** Names of the given inputs. */
  names: string[];
  attributes: A;
}

const mapped: string[] = [];

/** Maps a tfjs kernel to ONNX nodes: called for each use while a trace is open. */
export function mapKernel<A = Record<string, never>>(
  kernelName: string,
  map: (call: KernelCall<A>) => Traced | Traced[],
): void {
  mapped.push(kernelName);
  tf.registerKernel({
    kernelName,
    backendName: traceBackendName,
    kernelFunc: ({ inputs, attrs }) => {
      const trace = currentTrace();
      const named = inputs as Record<string, TraceTensorInfo>;
      const result = map({
        trace,
        input: (name) => trace.valueOf(named[name]),
        names: Object.keys(named).filter((name) => named[name]),
        // Optional inputs that are absent are keys without a value.
        inputs: Object.values(named)
          .filter((info) => info)
          .map((info) => trace.valueOf(info)),
        attributes: attrs as unknown as A,
      });
      return Array.isArray(result) ? result.map((value) => trace.register(value)) : trace.register(result);
    },
  });
}

/** Names of every kernel that can be traced, sorted. */
export function mappedKernels(): string[] {
  return [...mapped].sort();
}
