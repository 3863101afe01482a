import type { Handle, OnnxApi } from './onnxApi.js';

/** OrtDeviceAllocator and OrtMemTypeDefault: memory that is not the arena's. */
export const [deviceAllocator, defaultMemory] = [0, 0];

/** What all sessions share. */
export interface Environment {
  env: Handle;
  allocator: Handle;
  memory: Handle;
  /** Threads of the pool that sessions share; undefined is what the runtime finds best. */
  threads: number | undefined;
}

let shared: Environment | undefined;

/**
 * One for the process, never released. It has the pool of threads that sessions share: threads of a pool go on
 * looking for work for some milliseconds after a run, and pools of their own would take the cores from each other.
 */
export function environment(api: OnnxApi, threads?: number): Environment {
  if (shared) return shared;
  const fatal = 4;
  const threading = api.get('CreateThreadingOptions');
  if (threads) api.call('SetGlobalIntraOpNumThreads', threading, threads);
  shared = {
    env: api.get('CreateEnvWithGlobalThreadPools', fatal, 'polybeam', threading),
    allocator: api.get('GetAllocatorWithDefaultOptions'),
    memory: api.get('CreateCpuMemoryInfo', deviceAllocator, defaultMemory),
    threads,
  };
  api.native.ReleaseThreadingOptions(threading);
  return shared;
}
