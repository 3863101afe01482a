import type { ParameterSpec } from '../engine/parameters.js';
import { elements } from '../engine/values.js';
import { normalInit, xavierUniformInit } from './random.js';

/** Starting values of every weight, functions of the seed and the weight's name alone. */
export function initialWeights(specs: readonly ParameterSpec[], seed: number): Map<string, Float32Array> {
  return new Map(specs.map((spec) => [spec.name, initialWeight(spec, seed)]));
}

function initialWeight({ name, shape, initializer }: ParameterSpec, seed: number): Float32Array {
  if (initializer.kind === 'values') return initializer.values();
  if (initializer.kind === 'normal') return normalInit(seed, name, shape, initializer.standardDeviation);
  if (initializer.kind === 'xavierUniform') return xavierUniformInit(seed, name, shape);
  return new Float32Array(elements(shape)).fill(initializer.kind === 'ones' ? 1 : 0);
}
