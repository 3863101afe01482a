import type { StoredWeight, WeightStore } from '../../../src/engine/weights.js';

/** A checkpoint in memory, from shapes and numbers. */
export function memoryWeights(weights: Record<string, { shape: number[]; values: number[] }>): WeightStore {
  const stored = (name: string): StoredWeight | undefined => {
    const weight = weights[name];
    if (!weight) return undefined;
    const data = new Uint8Array(Float32Array.from(weight.values).buffer);
    return { format: 'F32', shape: weight.shape, data: { kind: 'memory', data } };
  };
  return {
    names: () => Object.keys(weights),
    get: stored,
    read: async (name) => Float32Array.from(weights[name].values),
  };
}
