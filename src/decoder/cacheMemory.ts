import type { AnyValue } from '../engine/values.js';

/** Caches or a source's memory, by name. */
export type KeptValues = Record<string, AnyValue>;

/** A cache is [rows, heads, capacity, size], rows = batch * beams. */
export interface CacheShape {
  rows: number;
  heads: number;
  capacity: number;
  size: number;
}

/**
 * The location of decoder caches and of the memory of sources, and how they are moved: when they grow, when beams begin, or
 * when sentences leave. Within a step the step program writes caches in place. A method takes over its arguments: the
 * values it returns replace them, and the old ones are freed or reused.
 */
export interface CacheMemory {
  /** A cache of zeros for each name. */
  zeros(names: readonly string[], shape: CacheShape): Promise<KeptValues>;
  /** Stores a value that many steps will read. */
  place(value: AnyValue): Promise<AnyValue>;
  /** Gives each row `beams` rows, the first of which holds its first `used` positions. */
  spread(caches: KeptValues, beams: number, used: number): Promise<KeptValues>;
  /** Makes room for more positions; the first `used` stay. */
  grow(caches: KeptValues, capacity: number, used: number): Promise<KeptValues>;
  /** Keeps the listed groups of rows, ascending; a group is `rowsPerGroup` rows. */
  keep(values: KeptValues, groups: readonly number[], rowsPerGroup: number): Promise<KeptValues>;
  /** Frees programs, where there are any. */
  release(): Promise<void>;
}

/** The first capacity of a cache: prompt and some tokens. A cache doubles when it is full. */
export function firstCapacity(promptLength: number, maxLength: number): number {
  return Math.min(maxLength, promptLength + 31);
}

/** The next capacity of a cache that is full. */
export function nextCapacity(capacity: number, maxLength: number): number {
  return Math.min(maxLength, capacity * 2);
}
