import type { WeightStore } from '../engine/weights.js';
import { PolybeamError } from '../errors.js';
import { floatsToHalves, halvesToFloats } from './numberFormats.js';

/** The smallest magnitude that rounds to infinity in half precision. */
const beyond = 65520;

/**
 * float32 as half precision. What is infinite already may stay so.
 * @throws OPTION_INVALID, naming the weight, where a finite number would become infinite
 */
export function toHalves(name: string, data: Float32Array): Uint8Array {
  const large = data.find((value) => Math.abs(value) >= beyond && Number.isFinite(value));
  if (large === undefined) return floatsToHalves(data);
  throw new PolybeamError(
    'OPTION_INVALID',
    `weights float16 cannot hold ${name}: it has ${large}; use float32 or int8.`,
  );
}

/** The weights rounded to half precision while they are read: what a model that is stored as float16 has. */
export function halfWeights(weights: WeightStore): WeightStore {
  return {
    names: () => weights.names(),
    get: (name) => {
      const stored = weights.get(name);
      const isFloat = stored && (stored.packed || ['F32', 'F64', 'BF16', 'I8'].includes(stored.format));
      // A place that holds other numbers must not be mapped.
      return isFloat ? { ...stored, format: 'F16', packed: undefined } : stored;
    },
    read: async (name) => halvesToFloats(toHalves(name, await weights.read(name))),
  };
}
