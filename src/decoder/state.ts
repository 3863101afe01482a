import type { AnyValue, Value } from '../engine/values.js';
import type { DecodingState, SelectionSpec } from '../generation/stepModel.js';
import type { KeptValues } from './cacheMemory.js';

/** The caches and the source of one batch. */
export interface State extends DecodingState {
  batch: number;
  beams: number;
  spec: SelectionSpec;
  maxLength: number;
  capacity: number;
  /** Positions written in every row; the farthest where sentences have their own. */
  used: number;
  /** Positions that each sentence has written, where they have their own. [batch] */
  lengths: Int32Array;
  /** `key.0`, `value.0`, ...: [batch * beams, heads, capacity, size] */
  caches: KeptValues;
  /**
   * `memoryMask` [batch, source] and `memoryKey.0`, `memoryValue.0`, ...: [batch, heads, source, size]; empty where no
   * source is read.
   */
  memory: KeptValues;
  /** Rows of the output projection, where only some tokens may come: see `readOutputRows`. */
  output?: KeptValues;
  /** What `extend` left: the logits of each of its places. [1, places, vocabSize] */
  placeLogits?: Value;
  /** What every step is fed and writes, until caches move; the same values are used again and again. */
  bound?: Bound;
}

/** What a step is fed that lasts until caches move. */
export interface Bound {
  feeds: Record<string, AnyValue>;
  /** Filled anew for each step. */
  small: Record<'tokens' | 'position' | 'ancestry', Value> & { positions?: Value };
  into: Record<string, AnyValue>;
}
