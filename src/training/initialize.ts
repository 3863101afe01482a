import type { ParameterSpec } from '../engine/parameters.js';
import { checkStored } from '../engine/traceFunction.js';
import { elements } from '../engine/values.js';
import type { WeightStore } from '../engine/weights.js';
import { PolybeamError } from '../errors.js';
import { readModelDirectory } from '../pretrained/modelDirectory.js';
import { normalInit, xavierUniformInit } from './random.js';

/** Starting values of every weight, functions of the seed and the weight's name alone. */
export function initialWeights(specs: readonly ParameterSpec[], seed: number): Map<string, Float32Array> {
  return new Map(specs.map((spec) => [spec.name, initialWeight(spec, seed)]));
}

/**
 * Starting values from a model directory, of the same name; what it lacks starts as in `initialWeights`.
 * @returns the values, and the names of those that the directory lacks
 * @throws WEIGHT_SHAPE; WEIGHT_MISSING where the directory has none of them; what `readModelDirectory` throws
 */
export async function warmStart(
  specs: readonly ParameterSpec[],
  seed: number,
  directory: string,
): Promise<{ weights: Map<string, Float32Array>; fresh: string[] }> {
  return warmStartFrom(specs, seed, (await readModelDirectory(directory)).weights, directory);
}

/** The same from a checkpoint that is open. @param from what messages call it */
export async function warmStartFrom(
  specs: readonly ParameterSpec[],
  seed: number,
  store: WeightStore,
  from: string,
): Promise<{ weights: Map<string, Float32Array>; fresh: string[] }> {
  const weights = new Map<string, Float32Array>();
  const fresh: string[] = [];
  for (const spec of specs) {
    if (store.get(spec.name)) {
      checkStored(store, spec);
      weights.set(spec.name, await store.read(spec.name));
    } else {
      fresh.push(spec.name);
      weights.set(spec.name, initialWeight(spec, seed));
    }
  }
  if (fresh.length < specs.length) return { weights, fresh };
  throw new PolybeamError(
    'WEIGHT_MISSING',
    `${from} has no weight that the model asks for, such as ${specs[0].name}; give init a directory of the same architecture.`,
  );
}

function initialWeight({ name, shape, initializer }: ParameterSpec, seed: number): Float32Array {
  if (initializer.kind === 'values') return initializer.values();
  if (initializer.kind === 'normal') return normalInit(seed, name, shape, initializer.standardDeviation);
  if (initializer.kind === 'xavierUniform') return xavierUniformInit(seed, name, shape);
  return new Float32Array(elements(shape)).fill(initializer.kind === 'ones' ? 1 : 0);
}
