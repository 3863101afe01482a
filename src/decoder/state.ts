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
  /** Number of positions written in every row; the farthest if sentences have their own. */
  used: number;
  /** Number of positions that each sentence has written, if they differ. [batch] */
  lengths: Int32Array;
  /** `key.0`, `value.0`, ...: [batch * beams, heads, capacity, size] */
  caches: KeptValues;
  /**
   * `memoryMask` [batch, source] and `memoryKey.0`, `memoryValue.0`, ...: [batch, heads, source, size]; empty where no
   * source is read.
   */
  memory: KeptValues;
  /** Rows of the output projection, if the vocabulary is restricted: see `readOutputRows`. */
  output?: KeptValues;
  /** Result of `extend`: the logits at each of its positions. [1, places, vocabSize] */
  placeLogits?: Value;
  /** Feeds and outputs of every step until caches move; the same values are reused. */
  bound?: Bound;
}

/** Feeds of a step that stay valid until caches move. */
export interface Bound {
  feeds: Record<string, AnyValue>;
  /** Filled anew for each step. */
  small: Record<'tokens' | 'position' | 'ancestry', Value> & { positions?: Value };
  into: Record<string, AnyValue>;
}
