import type * as tf from '@tensorflow/tfjs-core';
import { PolybeamError } from '../errors.js';

/** The initialization of a weight. */
export type Initializer =
  | { kind: 'zeros' }
  | { kind: 'ones' }
  | { kind: 'normal'; standardDeviation: number }
  | { kind: 'xavierUniform' }
  | { kind: 'values'; values: () => Float32Array };

/** A weight that a function reads. */
export interface ParameterSpec {
  name: string;
  shape: readonly number[];
  initializer: Initializer;
  /** False for fixed tables (sinusoidal positions). */
  trainable: boolean;
}

/** The weights of a traced function; names equal checkpoint names. */
export interface Parameters {
  /**
   * The weight of that name under this scope.
   * @throws WEIGHT_MISSING, WEIGHT_SHAPE
   */
  get(
    name: string,
    shape: readonly number[],
    initializer?: Initializer,
    options?: { trainable?: boolean },
  ): tf.Tensor;
  /** Whether the weight exists; for a new model, whether the architecture has it by default. */
  has(name: string, byDefault?: boolean): boolean;
  /** Parameters below `prefix.`. */
  scope(prefix: string): Parameters;
}

/** The source of `Parameters`, by full names. */
export interface ParameterSource {
  get(spec: ParameterSpec): tf.Tensor;
  has(name: string, byDefault: boolean): boolean;
}

const defaultInitializer: Initializer = { kind: 'xavierUniform' };

/** Scoped access over a source. */
export function scopedParameters(source: ParameterSource, prefix = ''): Parameters {
  return {
    get: (name, shape, initializer = defaultInitializer, options) =>
      source.get({ name: prefix + name, shape, initializer, trainable: options?.trainable ?? true }),
    has: (name, byDefault = false) => source.has(prefix + name, byDefault),
    scope: (next) => scopedParameters(source, `${prefix}${next}.`),
  };
}

/** A table that the architecture computes if the checkpoint does not store it. */
export function computedWeight(spec: ParameterSpec): Float32Array {
  if (spec.initializer.kind === 'values') return spec.initializer.values();
  throw new PolybeamError(
    'WEIGHT_MISSING',
    `The weight ${spec.name} was asked for as a constant, but no checkpoint was given; pass options.weights.`,
  );
}

/** The same parameters, where `has` decides which exist. */
export function withPresence(p: Parameters, has: (name: string) => boolean, prefix = ''): Parameters {
  return {
    get: p.get,
    has: (name) => has(prefix + name),
    scope: (next) => withPresence(p.scope(next), has, `${prefix}${next}.`),
  };
}

/**
 * Parameters with shared weights: `other` returns the scope and the name of a shared weight there, and undefined
 * for the rest.
 */
export function sharedParameters(
  p: Parameters,
  other: (name: string) => [Parameters, string] | undefined,
  prefix = '',
): Parameters {
  const place = (name: string): [Parameters, string] => other(prefix + name) ?? [p, prefix + name];
  return {
    get: (name, ...rest) => {
      const [at, there] = place(name);
      return at.get(there, ...rest);
    },
    has: (name, byDefault) => {
      const [at, there] = place(name);
      return at.has(there, byDefault);
    },
    scope: (next) => sharedParameters(p, other, `${prefix}${next}.`),
  };
}
