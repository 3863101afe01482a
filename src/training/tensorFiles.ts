import { weightStore } from '../pretrained/openWeights.js';
import { readSafetensors, writeSafetensors } from '../pretrained/safetensors.js';
import type { TrainTensor } from './trainStep.js';

/** Writes float32 tensors to a safetensors file, atomically and without copying them. Throws FILE_WRITE. */
export function writeTensors(path: string, tensors: Map<string, TrainTensor>): Promise<void> {
  const entries = [...tensors].map(([name, { shape, data }]) => ({
    name,
    format: 'F32' as const,
    shape,
    data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  }));
  return writeSafetensors(path, entries);
}

/** All tensors of a safetensors file as float32, by name. Throws FILE_NOT_FOUND, FILE_CORRUPT and WEIGHT_DTYPE. */
export async function readTensors(path: string): Promise<Map<string, TrainTensor>> {
  const stored = await readSafetensors(path);
  const store = weightStore(stored);
  const tensors = new Map<string, TrainTensor>();
  for (const name of store.names()) {
    tensors.set(name, { shape: [...stored.get(name)!.shape], data: await store.read(name) });
  }
  return tensors;
}
