import type * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import type { Dimension } from '../graph.js';
import type { Value } from '../values.js';

/** What the numbers of an input are drawn from. */
export type Fill =
  | 'normal' // multiples of 1/8 in [-3, 3]
  | 'coarse' // few distinct numbers, so that ties happen
  | 'positive'
  | 'unit' // inside (-1, 1)
  | 'nonzero'
  | 'special' // NaN, infinities and zeros among ordinary numbers
  | { from: number; below: Dimension };

/** An input of a scenario; sizes given as names differ from run to run. */
export interface ScenarioInput {
  type: 'float32' | 'int32' | 'bool';
  shape: readonly Dimension[];
  fill?: Fill;
  /** Instead of `fill`, where a device does not define NaN and infinities. */
  finite?: Fill;
}

/** One use of a kernel: compiled once, run at every entry of `sizes`. */
export interface Scenario {
  inputs: Record<string, ScenarioInput>;
  compute(inputs: Record<string, tf.Tensor>): tf.Tensor | tf.Tensor[];
  /** Float inputs that the gradient is taken of. */
  differentiate?: readonly string[];
  /** Attributes, to print with a failure. */
  note?: unknown;
}

/** Cases of one kernel. */
export interface KernelCase {
  kernel: string;
  draw(random: Draw): Scenario;
  /** Relative and absolute tolerance; default 1e-4. */
  tolerance?: number;
  /** Where eager tfjs has a wrong gradient (why, in words), finite differences are the reference. */
  wrongGradient?: string;
}

/** What a device does not promise. */
export interface DeviceLimits {
  /** NaN and infinities are undefined (WGSL, section 15.7.2): only ordinary numbers are tried. */
  finiteOnly?: boolean;
  /** The least tolerance, where functions such as cos are less exact. */
  tolerance?: number;
}

/** Names of dimensions that scenarios use. */
export const dimensionNames = ['a', 'b', 'c', 'd'] as const;

/** Random choices; every one shrinks and is repeated by the seed that a failure prints. */
export interface Draw {
  integer(from: number, to: number): number;
  pick<T>(options: readonly T[]): T;
  flag(): boolean;
  /** A size: a number from 1 to 4 or a name. */
  size(): Dimension;
  /** At most three of the sizes are names. */
  shape(minRank: number, maxRank: number): Dimension[];
  /** Shapes of `count` operands that broadcast together; the first is whole where `firstWhole`. */
  broadcastable(count: number, maxRank: number): Dimension[][];
}

/** Imperative choices on top of fast-check's generator. */
export function drawer(g: fc.GeneratorValue): Draw {
  const integer = (min: number, max: number): number => g(fc.integer, { min, max });
  const pick = <T>(options: readonly T[]): T => options[integer(0, options.length - 1)];
  const flag = (): boolean => integer(0, 1) === 1;
  const size = (): Dimension => (flag() ? pick(dimensionNames) : integer(1, 4));
  const shape = (minRank: number, maxRank: number): Dimension[] => {
    // A trace tells at most three named axes of one tensor apart.
    const rank = integer(minRank, maxRank);
    return Array.from({ length: rank }, (_, axis) => (axis === 3 ? integer(1, 4) : size()));
  };
  const broadcastable = (count: number, maxRank: number): Dimension[][] => {
    const whole = shape(0, maxRank);
    return Array.from({ length: count }, () => {
      const cut = integer(0, 3) === 0 ? integer(0, whole.length) : 0;
      return whole.slice(cut).map((axis) => (integer(0, 3) === 0 ? 1 : axis));
    });
  };
  return { integer, pick, flag, size, shape, broadcastable };
}

/** A small fast generator for the numbers themselves (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The numbers of a shape whose named sizes are known. */
export function concreteShape(shape: readonly Dimension[], sizes: Record<string, number>): number[] {
  return shape.map((size) => concreteSize(size, sizes));
}

function concreteSize(size: Dimension, sizes: Record<string, number>): number {
  if (typeof size === 'number') return size;
  return size.split('*').reduce((product, name) => product * sizes[name], 1);
}

/** Random values for an input. */
export function fillInput(
  given: ScenarioInput,
  sizes: Record<string, number>,
  random: () => number,
  limits: DeviceLimits = {},
): Value {
  const input = limits.finiteOnly && given.finite ? { ...given, fill: given.finite } : given;
  const shape = concreteShape(input.shape, sizes);
  const count = shape.reduce((product, size) => product * size, 1);
  const numbers = Array.from({ length: count }, () => oneNumber(input, sizes, random));
  const array = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[input.type];
  return { type: input.type, shape, data: array.from(numbers) };
}

const specials = [Number.NaN, Infinity, -Infinity, 0, -0, 1, -1, 2.5, -2.5, 1e-30, 3e38];

function oneNumber(input: ScenarioInput, sizes: Record<string, number>, random: () => number): number {
  const fill = input.fill ?? 'normal';
  const between = (from: number, to: number) => from + Math.floor(random() * (to - from));
  if (typeof fill === 'object') return between(fill.from, concreteSize(fill.below, sizes));
  if (input.type === 'bool') return between(0, 2);
  if (input.type === 'int32') {
    if (fill === 'positive') return between(1, 6);
    // Small enough for a product of thirty.
    if (fill === 'coarse') return between(-2, 3);
    if (fill === 'nonzero') return between(1, 6) * (random() < 0.5 ? -1 : 1);
    return between(-5, 6);
  }
  if (fill === 'special') return specials[between(0, specials.length)];
  if (fill === 'coarse') return between(-2, 3);
  if (fill === 'positive') return between(1, 24) / 8;
  if (fill === 'unit') return between(-7, 8) / 8;
  if (fill === 'nonzero') return (between(1, 24) / 8) * (random() < 0.5 ? -1 : 1);
  return between(-24, 25) / 8 + 1 / 64;
}
