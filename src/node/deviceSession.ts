import { type InferenceSession, Tensor } from 'onnxruntime-common';
import type { Handle, OnnxApi } from './onnxApi.js';
import { defaultMemory, deviceAllocator, environment } from './onnxEnvironment.js';
import { copyOut, formOf, wrap } from './onnxValues.js';

/*
 * Sessions on devices with memory of their own. Outputs that are to stay there become tensors over the runtime's own
 * values, freed when they are disposed. onnxruntime-node's binding does the same, but a session of it holds the outputs
 * of its last run until the next one.
 */

/** Devices, and what ONNX Runtime calls their memory (`OrtMemoryInfo`). */
const memoryNames = { webgpu: 'WebGPU_Buf', cuda: 'Cuda' } as const;
type DeviceName = keyof typeof memoryNames;

type Provider = InferenceSession.ExecutionProviderConfig;

/** What a device tensor of this file has as its `gpuBuffer`; `handle` is 0 once it is freed. */
interface DeviceMemory {
  handle: Handle;
}

/** Inputs and outputs of a session by name. */
export type Run = (
  feeds: InferenceSession.FeedsType,
  fetches: InferenceSession.NullableOnnxValueMapType,
) => InferenceSession.ReturnType;

const nameOf = (provider: Provider): string => (typeof provider === 'string' ? provider : provider.name);

/** The device that a session's providers stand for, where it is one of this file. */
export function deviceOf(providers: readonly Provider[] = []): DeviceName | undefined {
  const name = providers.map(nameOf).find((provider) => provider in memoryNames);
  return name as DeviceName | undefined;
}

/** Adds the provider of a device to the settings of a session. */
export function appendProvider(api: OnnxApi, settings: Handle, provider: Provider): void {
  if (nameOf(provider) === 'cuda') appendCuda(api, settings);
  else api.call('SessionOptionsAppendExecutionProvider', settings, 'WebGPU', null, null, 0);
}

/** The first GPU, with the provider's defaults. Throws where its library or CUDA itself is missing. */
function appendCuda(api: OnnxApi, settings: Handle): void {
  const options = api.get('CreateCUDAProviderOptions');
  try {
    api.call('SessionOptionsAppendExecutionProvider_CUDA_V2', settings, options);
  } finally {
    api.native.ReleaseCUDAProviderOptions(options);
  }
}

/** Runs of a session whose inputs are on the host or on the device, and whose outputs go where `resident` says. */
export function boundRunner(
  api: OnnxApi,
  session: Handle,
  inputNames: readonly string[],
  outputNames: readonly string[],
  device: DeviceName,
  resident: ReadonlySet<string>,
): { run: Run; release(): void } {
  const text = (name: string): [string, Buffer] => [name, Buffer.from(`${name}\0`)];
  const [inputs, outputs] = [inputNames.map(text), outputNames.map(text)];
  const binding = api.get('CreateIoBinding', session);
  const onDevice = api.get('CreateMemoryInfo', memoryNames[device], deviceAllocator, 0, defaultMemory);
  const { memory: onHost, allocator } = environment(api);
  const live = new Set<DeviceMemory>();

  const bindOutput = (name: string, label: Buffer, into: Tensor | null): void => {
    if (!into) {
      api.call('BindOutputToDevice', binding, label, resident.has(name) ? onDevice : onHost);
      return;
    }
    const value = wrap(api, into);
    api.call('BindOutput', binding, label, value);
    api.native.ReleaseValue(value);
  };
  const run: Run = (feeds, fetches) => {
    try {
      for (const [name, label] of inputs) bindInput(api, binding, label, feeds[name] as Tensor);
      for (const [name, label] of outputs) bindOutput(name, label, (fetches[name] as Tensor | null) ?? null);
      api.call('RunWithBinding', session, null, binding);
      const values = boundValues(api, binding, allocator);
      const results: Record<string, Tensor> = {};
      outputNames.forEach((name, index) => {
        if (resident.has(name)) {
          results[name] = deviceTensor(api, values[index], live);
          return;
        }
        results[name] = (fetches[name] as Tensor | null) ?? copyOut(api, values[index]);
        api.native.ReleaseValue(values[index]);
      });
      return results;
    } finally {
      // What stays bound stays in memory.
      api.native.ClearBoundInputs(binding);
      api.native.ClearBoundOutputs(binding);
    }
  };
  return {
    run,
    release: () => {
      // A value's memory is given back to the session's device, so values must not outlive it.
      for (const memory of live) free(api, memory, live);
      api.native.ReleaseIoBinding(binding);
      api.native.ReleaseMemoryInfo(onDevice);
    },
  };
}

function bindInput(api: OnnxApi, binding: Handle, label: Buffer, tensor: Tensor): void {
  if (tensor.location === 'gpu-buffer') {
    const { handle } = tensor.gpuBuffer as unknown as DeviceMemory;
    if (handle === 0n) throw new Error('the session that made a value on the device was released');
    api.call('BindInput', binding, label, handle);
    return;
  }
  const value = wrap(api, tensor);
  api.call('BindInput', binding, label, value);
  api.native.ReleaseValue(value);
}

/** The outputs of a run, in the order they were bound; each belongs to the caller. */
function boundValues(api: OnnxApi, binding: Handle, allocator: Handle): BigUint64Array {
  const count = new BigUint64Array(1);
  const list = new BigUint64Array(1);
  api.call('GetBoundOutputValues', binding, allocator, list, count);
  const values = new BigUint64Array(api.view(list[0], 8 * Number(count[0]))).slice();
  api.call('AllocatorFree', allocator, list[0]);
  return values;
}

function deviceTensor(api: OnnxApi, handle: Handle, live: Set<DeviceMemory>): Tensor {
  const { type, dims } = formOf(api, handle);
  const memory: DeviceMemory = { handle };
  live.add(memory);
  return Tensor.fromGpuBuffer(memory as never, {
    dataType: type as 'float32',
    dims,
    dispose: () => free(api, memory, live),
  });
}

function free(api: OnnxApi, memory: DeviceMemory, live: Set<DeviceMemory>): void {
  if (!live.delete(memory)) return;
  api.native.ReleaseValue(memory.handle);
  memory.handle = 0n;
}
