import { setImmediate as turn } from 'node:timers/promises';
import { type InferenceSession, Tensor } from 'onnxruntime-common';
import type { OnnxRuntime } from '../engine/runtime.js';
import { appendProvider, boundRunner, deviceOf, type Run } from './deviceSession.js';
import { type Handle, loadOnnxApi, type OnnxApi } from './onnxApi.js';
import { environment } from './onnxEnvironment.js';
import { copyOut, wrap } from './onnxValues.js';

type SessionOptions = InferenceSession.SessionOptions;

/** ORT_ENABLE_ALL of `GraphOptimizationLevel`. */
const optimizeAll = 99;

/**
 * ONNX Runtime where outputs are written into the memory they are given, and stay on a device where they are to. What it
 * does not do (other providers, places where the interface cannot be loaded) the other runtime does, which is read only there.
 */
export function directRuntime(other: OnnxRuntime, load: () => OnnxApi | Error = loadOnnxApi): OnnxRuntime {
  return {
    // The other runtime knows tensors by their class.
    get Tensor() {
      return load() instanceof Error ? other.Tensor : Tensor;
    },
    get env() {
      return other.env;
    },
    describe: (device) => {
      const api = load();
      if (!(api instanceof Error)) {
        return device === 'cpu'
          ? 'through its C interface, which writes outputs in place'
          : 'through its C interface, which leaves caches on the device';
      }
      const why = api.message.split('\n')[0];
      return device === 'cpu'
        ? `through a binding that copies outputs, which is slower (${why})`
        : `through a binding that holds the outputs of its last run (${why})`;
    },
    InferenceSession: {
      create: async (model, options = {}) => {
        const api = load();
        const providers = options.executionProviders ?? [];
        if (api instanceof Error) {
          // The binding cannot leave outputs on this device.
          if (providers.includes('cuda')) throw new Error(`it needs the package koffi: ${api.message}`);
          return other.InferenceSession.create(model, options);
        }
        if (deviceOf(providers) || providers.every((provider) => provider === 'cpu'))
          return openSession(api, model, options);
        // The other runtime shares this library: whichever comes first makes the one environment, and only ours has a pool.
        environment(api, options.intraOpNumThreads);
        return other.InferenceSession.create(model, options);
      },
    },
  };
}

function openSession(api: OnnxApi, model: Uint8Array, options: SessionOptions): InferenceSession {
  const settings = api.get('CreateSessionOptions');
  let session: Handle;
  try {
    configure(api, settings, options);
    session = api.get(
      'CreateSessionFromArray',
      environment(api, options.intraOpNumThreads).env,
      model,
      model.byteLength,
      settings,
    );
  } finally {
    api.native.ReleaseSessionOptions(settings);
  }
  const [inputNames, outputNames] = [names(api, session, 'Input'), names(api, session, 'Output')];
  const device = deviceOf(options.executionProviders);
  const resident = new Set(Object.keys(options.preferredOutputLocation ?? {}));
  const { run, release } = device
    ? boundRunner(api, session, inputNames, outputNames, device, resident)
    : runner(api, session, inputNames, outputNames);
  let open = true;
  return {
    inputNames,
    outputNames,
    run: async (feeds: InferenceSession.FeedsType, fetches: InferenceSession.FetchesType) => {
      // Computing blocks; between runs, timers, signals and streams get their turn.
      await turn();
      if (!open) throw new Error('the session was released');
      return run(feeds, fetches as InferenceSession.NullableOnnxValueMapType);
    },
    endProfiling: () => {
      const { allocator } = environment(api);
      const name = api.get('SessionEndProfiling', session, allocator);
      api.call('AllocatorFree', allocator, name);
    },
    release: async () => {
      if (!open) return;
      open = false;
      release();
      api.native.ReleaseSession(session);
    },
  } as unknown as InferenceSession;
}

function configure(api: OnnxApi, settings: Handle, options: SessionOptions): void {
  api.call('SetSessionGraphOptimizationLevel', settings, optimizeAll);
  api.call('SetSessionLogSeverityLevel', settings, options.logSeverityLevel ?? 2);
  const { intraOpNumThreads: threads } = options;
  if (threads === environment(api, threads).threads) api.call('DisablePerSessionThreads', settings);
  else if (threads) api.call('SetIntraOpNumThreads', settings, threads);
  if (options.enableProfiling) api.call('EnableProfiling', settings, options.profileFilePrefix ?? 'profile');
  for (const [key, value] of configEntries(options.extra ?? {})) {
    api.call('AddSessionConfigEntry', settings, key, value);
  }
  for (const provider of options.executionProviders ?? []) {
    if (provider !== 'cpu') appendProvider(api, settings, provider);
  }
  const external = (options.externalData ?? []) as { path: string; data: Uint8Array }[];
  if (external.length === 0) return;
  const paths = external.map(({ path }) => Buffer.from(`${path}\0`));
  api.call(
    'AddExternalInitializersFromFilesInMemory',
    settings,
    BigUint64Array.from(paths, api.address),
    BigUint64Array.from(external, ({ data }) => api.address(data)),
    BigUint64Array.from(external, ({ data }) => BigInt(data.byteLength)),
    external.length,
  );
}

/** `{ session: { a: 'b' } }` -> `['session.a', 'b']` */
function configEntries(extra: Record<string, unknown>, prefix = ''): [string, string][] {
  return Object.entries(extra).flatMap(([key, value]): [string, string][] =>
    typeof value === 'object' && value !== null
      ? configEntries(value as Record<string, unknown>, `${prefix}${key}.`)
      : [[prefix + key, String(value)]],
  );
}

function names(api: OnnxApi, session: Handle, kind: 'Input' | 'Output'): string[] {
  const { allocator } = environment(api);
  const count = Number(api.get(`SessionGet${kind}Count`, session));
  return Array.from({ length: count }, (_, index) => {
    const address = api.get(`SessionGet${kind}Name`, session, index, allocator);
    const name = api.text(address);
    api.call('AllocatorFree', allocator, address);
    return name;
  });
}

/** Tensors of the inputs or outputs of a session, and the runtime's values over them, kept from run to run. */
interface Slots {
  /** [count] */
  handles: BigUint64Array;
  /** Weak: a value over memory that is gone is released when its place is next filled. [count] */
  tensors: (WeakRef<Tensor> | undefined)[];
}

function makeSlots(count: number): Slots {
  return { handles: new BigUint64Array(count), tensors: Array(count).fill(undefined) };
}

/** Puts a tensor into a place; most tensors of a run are those of the run before. */
function fillSlot(api: OnnxApi, { handles, tensors }: Slots, index: number, tensor: Tensor | null): void {
  if (tensor && tensors[index]?.deref() === tensor) return;
  clearSlot(api, { handles, tensors }, index);
  if (!tensor) return;
  handles[index] = wrap(api, tensor);
  tensors[index] = new WeakRef(tensor);
}

function clearSlot(api: OnnxApi, { handles, tensors }: Slots, index: number): void {
  if (handles[index] !== 0n) api.native.ReleaseValue(handles[index]);
  handles[index] = 0n;
  tensors[index] = undefined;
}

/** What one session's runs need, made once: texts, tables of addresses, and values. */
function runner(
  api: OnnxApi,
  session: Handle,
  inputNames: readonly string[],
  outputNames: readonly string[],
): { run: Run; release(): void } {
  const texts = [...inputNames, ...outputNames].map((name) => Buffer.from(`${name}\0`));
  const nameTable = BigUint64Array.from(texts, api.address);
  const inputTable = nameTable.subarray(0, inputNames.length);
  const outputTable = nameTable.subarray(inputNames.length);
  const [inputs, outputs] = [makeSlots(inputNames.length), makeSlots(outputNames.length)];

  const run: Run = (feeds, fetches) => {
    inputNames.forEach((name, index) => {
      fillSlot(api, inputs, index, feeds[name] as Tensor);
    });
    outputNames.forEach((name, index) => {
      fillSlot(api, outputs, index, (fetches[name] as Tensor | null) ?? null);
    });
    api.call(
      'Run',
      session,
      null,
      inputTable,
      inputs.handles,
      inputNames.length,
      outputTable,
      outputNames.length,
      outputs.handles,
    );
    const results: Record<string, Tensor> = {};
    outputNames.forEach((name, index) => {
      const into = fetches[name] as Tensor | null | undefined;
      results[name] = into ?? copyOut(api, outputs.handles[index]);
      // The runtime's own value was copied; there is nothing to keep.
      if (!into) clearSlot(api, outputs, index);
    });
    return results;
  };
  return {
    run,
    release: () => {
      for (const slots of [inputs, outputs]) {
        slots.handles.forEach((_, index) => {
          clearSlot(api, slots, index);
        });
      }
      // Their addresses were in use until now.
      texts.length = 0;
    },
  };
}
