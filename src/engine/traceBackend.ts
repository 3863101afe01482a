import * as tf from '@tensorflow/tfjs-core';
import { PolybeamError } from '../errors.js';
import { useGradients } from './gradientRegistry.js';
import type { Trace } from './trace.js';

/** Name of the tfjs backend that records. */
export const traceBackendName = 'polybeam-trace';

let current: Trace | undefined;

/** The open trace; throws if there is none. */
export function currentTrace(): Trace {
  if (!current) {
    throw new PolybeamError('TRACE_VALUE_READ', 'No trace is open: call compile() to record a function.');
  }
  return current;
}

/** Whether operations are being recorded rather than computed. */
export function isTracing(): boolean {
  return current !== undefined;
}

/** Runs a function with its tfjs operations recorded into `trace`. */
export function recordInto<T>(trace: Trace, record: () => T): T {
  if (current)
    throw new PolybeamError('TRACE_VALUE_READ', 'A trace is already open: compile() cannot be nested.');
  useGradients();
  const before = tf.engine().backendName;
  current = trace;
  // Backends with a synchronous factory are set before the promise is returned.
  void tf.setBackend(traceBackendName);
  tf.engine().startScope('polybeam-trace');
  try {
    return record();
  } catch (error) {
    throw explain(error);
  } finally {
    tf.engine().endScope();
    current = undefined;
    if (before) void tf.setBackend(before);
  }
}

function explain(error: unknown): unknown {
  const kernel = error instanceof Error && /Kernel '(\w+)' not registered/.exec(error.message);
  if (!kernel) return error;
  return new PolybeamError(
    'KERNEL_UNMAPPED',
    `The tfjs operation ${kernel[1]} has no ONNX mapping; write the model without it, or map it in src/engine/kernels.`,
    { cause: error },
  );
}

/** The backend that records. It holds no data. */
class TraceBackend extends tf.KernelBackend {
  override numDataIds(): number {
    return 0;
  }
  override disposeData(): boolean {
    return true;
  }
  override refCount(): number {
    return 1;
  }
  override incRef(): void {}
  decRef(): void {}
  override timerAvailable(): boolean {
    return false;
  }
  override floatPrecision(): 16 | 32 {
    return 32;
  }
  override epsilon(): number {
    return 1e-7;
  }

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    const dataId = {};
    this.move(dataId, values, shape, dtype);
    return dataId;
  }

  override move(dataId: object, values: tf.BackendValues, shape: number[], dtype: tf.DataType): void {
    const trace = currentTrace();
    const data = values as unknown as ArrayLike<number>;
    if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') {
      throw new PolybeamError(
        'KERNEL_UNMAPPED',
        `A tensor of type ${dtype} cannot be traced; use float32, int32 or bool.`,
      );
    }
    if (shape.some((size) => trace.dimensions.isSymbolic(size))) {
      throw new PolybeamError(
        'TRACE_SHAPE',
        `A tensor of values was made with the size of a named dimension, [${shape.map((size) => trace.dimensions.describe(size)).join(', ')}], after ${trace.lastOp}; use tf.fill or rangeTo(size) instead.`,
      );
    }
    // The simple case is reported at once; `traceFunction` finds the others by tracing twice.
    if (data.length === 1 && trace.dimensions.isMultiple(data[0])) {
      throw new PolybeamError(
        'TRACE_SHAPE',
        `The size of a named dimension (${trace.dimensions.describe(data[0])}) was used as a value after ${trace.lastOp}; use sizeOf(tensor, axis) instead.`,
      );
    }
    trace.bind(dataId, trace.constant(dtype, shape, data));
  }

  override readSync(): never {
    throw new PolybeamError(
      'TRACE_VALUE_READ',
      `A value was read while tracing (last recorded: ${currentTrace().lastOp}); there are no values yet, so compute with tensors.`,
    );
  }

  override read(): never {
    return this.readSync();
  }
}

// Also keeps tfjs from advertising its other packages on the console.
tf.enableProdMode();
tf.registerBackend(traceBackendName, () => new TraceBackend());
