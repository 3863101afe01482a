import { createRequire } from 'node:module';
import { forbidTelemetry, libraryPath } from './onnxLibrary.js';

/*
 * The C interface of ONNX Runtime, called directly. onnxruntime-node's own binding copies every output, those it was
 * given memory for included: caches and weights of hundreds of megabytes, at every step. This one writes in place.
 */

const require = createRequire(import.meta.url);

/** Address of a thing the runtime owns. */
export type Handle = bigint;

/** Memory passed to the runtime. */
type Memory = ArrayBufferView | Handle | null;

/** A function of the interface; most return the address of an error, or null. */
type Native = (...values: (Memory | number | string | string[])[]) => Handle | null;

/**
 * Functions used, with their place in `OrtApi` of onnxruntime_c_api.h (new ones are only ever appended) and their
 * parameters. Those that return nothing are marked.
 */
const functions = {
  GetErrorMessage: [2, 'str', 'void *'],
  CreateSessionFromArray: [8, 'void *', 'void *', 'void *', 'size_t', 'void *', 'void *'],
  Run: [9, 'void *', 'void *', 'void *', 'void *', 'void *', 'size_t', 'void *', 'size_t', 'void *'],
  CreateSessionOptions: [10, 'void *', 'void *'],
  EnableProfiling: [14, 'void *', 'void *', 'str'],
  SetSessionLogSeverityLevel: [22, 'void *', 'void *', 'int'],
  SetSessionGraphOptimizationLevel: [23, 'void *', 'void *', 'int'],
  SetIntraOpNumThreads: [24, 'void *', 'void *', 'int'],
  SessionGetInputCount: [30, 'void *', 'void *', 'void *'],
  SessionGetOutputCount: [31, 'void *', 'void *', 'void *'],
  SessionGetInputName: [36, 'void *', 'void *', 'size_t', 'void *', 'void *'],
  SessionGetOutputName: [37, 'void *', 'void *', 'size_t', 'void *', 'void *'],
  CreateTensorWithDataAsOrtValue: [
    49,
    'void *',
    'void *',
    'void *',
    'size_t',
    'void *',
    'size_t',
    'int',
    'void *',
  ],
  GetTensorMutableData: [51, 'void *', 'void *', 'void *'],
  GetTensorElementType: [60, 'void *', 'void *', 'void *'],
  GetDimensionsCount: [61, 'void *', 'void *', 'void *'],
  GetDimensions: [62, 'void *', 'void *', 'void *', 'size_t'],
  GetTensorTypeAndShape: [65, 'void *', 'void *', 'void *'],
  CreateMemoryInfo: [68, 'void *', 'str', 'int', 'int', 'int', 'void *'],
  CreateCpuMemoryInfo: [69, 'void *', 'int', 'int', 'void *'],
  AllocatorFree: [76, 'void *', 'void *', 'void *'],
  GetAllocatorWithDefaultOptions: [78, 'void *', 'void *'],
  ReleaseStatus: [93, 'void', 'void *'],
  ReleaseMemoryInfo: [94, 'void', 'void *'],
  ReleaseSession: [95, 'void', 'void *'],
  ReleaseValue: [96, 'void', 'void *'],
  ReleaseTensorTypeAndShapeInfo: [99, 'void', 'void *'],
  ReleaseSessionOptions: [100, 'void', 'void *'],
  SessionEndProfiling: [110, 'void *', 'void *', 'void *', 'void *'],
  CreateEnvWithGlobalThreadPools: [119, 'void *', 'int', 'str', 'void *', 'void *'],
  DisablePerSessionThreads: [120, 'void *', 'void *'],
  CreateThreadingOptions: [121, 'void *', 'void *'],
  ReleaseThreadingOptions: [122, 'void', 'void *'],
  AddSessionConfigEntry: [130, 'void *', 'void *', 'str', 'str'],
  RunWithBinding: [133, 'void *', 'void *', 'void *', 'void *'],
  CreateIoBinding: [134, 'void *', 'void *', 'void *'],
  ReleaseIoBinding: [135, 'void', 'void *'],
  BindInput: [136, 'void *', 'void *', 'void *', 'void *'],
  BindOutput: [137, 'void *', 'void *', 'void *', 'void *'],
  BindOutputToDevice: [138, 'void *', 'void *', 'void *', 'void *'],
  GetBoundOutputValues: [140, 'void *', 'void *', 'void *', 'void *', 'void *'],
  ClearBoundInputs: [141, 'void', 'void *'],
  ClearBoundOutputs: [142, 'void', 'void *'],
  SetGlobalIntraOpNumThreads: [147, 'void *', 'void *', 'int'],
  SessionOptionsAppendExecutionProvider_CUDA_V2: [204, 'void *', 'void *', 'void *'],
  CreateCUDAProviderOptions: [205, 'void *', 'void *'],
  ReleaseCUDAProviderOptions: [208, 'void', 'void *'],
  SessionOptionsAppendExecutionProvider: [216, 'void *', 'void *', 'str', 'void *', 'void *', 'size_t'],
  AddExternalInitializersFromFilesInMemory: [279, 'void *', 'void *', 'void *', 'void *', 'void *', 'size_t'],
} as const satisfies Record<string, readonly [number, ...string[]]>;

/** Version of the interface that has all of these. */
const apiVersion = 18;

/** The interface, and how to read memory through an address. */
export interface OnnxApi {
  native: Record<keyof typeof functions, Native>;
  /** Calls a function that returns an error or null; throws the error. */
  call(name: keyof typeof functions, ...values: Parameters<Native>): void;
  /** Calls such a function that writes an address or a size as its last argument, and returns that. */
  get(name: keyof typeof functions, ...values: Parameters<Native>): bigint;
  /** The text at an address, up to its end. */
  text(address: Handle): string;
  /** Memory at an address; valid as long as its owner keeps it. */
  view(address: Handle, byteLength: number): ArrayBuffer;
  /** Address of memory that is not moved while it is referenced. */
  address(memory: ArrayBufferView): Handle;
}

let loaded: OnnxApi | Error | undefined;

/**
 * The interface, loaded once.
 * @returns why not, where koffi or the library cannot be loaded; Windows, where paths have another type, is such a place
 */
export function loadOnnxApi(): OnnxApi | Error {
  try {
    loaded ??= process.platform === 'win32' ? new Error('not on Windows') : bind();
  } catch (error) {
    loaded = error as Error;
  }
  return loaded;
}

function bind(): OnnxApi {
  const koffi = require('koffi') as typeof import('koffi');
  forbidTelemetry(koffi);
  const pointers = (address: Handle, count: number) =>
    koffi.decode(address, koffi.array('void *', count)) as Handle[];
  const base = koffi.load(libraryPath()).func('void *OrtGetApiBase()')() as Handle;
  const getApi = koffi.decode(pointers(base, 1)[0], koffi.proto('void *', ['uint32_t']));
  const api = getApi(apiVersion) as Handle | null;
  if (!api)
    throw new Error(`the ONNX Runtime library is older than version 1.${apiVersion} of its interface`);
  const table = pointers(api, Math.max(...Object.values(functions).map(([place]) => place)) + 1);
  const native = Object.fromEntries(
    Object.entries(functions).map(([name, [place, result, ...parameters]]) => [
      name,
      koffi.decode(table[place], koffi.proto(result, [...parameters])) as Native,
    ]),
  ) as OnnxApi['native'];

  const call: OnnxApi['call'] = (name, ...values) => {
    const status = native[name](...values);
    if (!status) return;
    const message = native.GetErrorMessage(status) as unknown as string;
    native.ReleaseStatus(status);
    throw new Error(message);
  };
  const result = new BigUint64Array(1);
  return {
    native,
    call,
    get: (name, ...values) => {
      call(name, ...values, result);
      return result[0];
    },
    text: (address) => koffi.decode(address, 'char', -1) as string,
    view: (address, byteLength) => koffi.view(address, byteLength),
    address: (memory) => koffi.address(memory),
  };
}
