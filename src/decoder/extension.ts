import type { Program } from '../engine/program.js';
import { floats, integers, type Value } from '../engine/values.js';
import type { StepEdits } from '../generation/stepModel.js';
import { nextCapacity } from './cacheMemory.js';
import { hostCacheMemory } from './hostCacheMemory.js';
import { editFeeds } from './selection.js';
import type { State } from './state.js';
import { nextName } from './stepPrograms.js';

/** See `StepModel.extend`; for caches in the host's memory. */
export async function extend(
  program: Program,
  state: State,
  tokens: Int32Array,
  position: number,
): Promise<void> {
  const end = position + tokens.length;
  if (end > state.capacity) {
    const wanted = Math.max(end, nextCapacity(state.capacity, state.maxLength));
    state.caches = await hostCacheMemory.grow(state.caches, wanted, position);
    state.capacity = wanted;
    state.bound = undefined;
  }
  const outputs = await program.run({
    tokens: integers([1, tokens.length], tokens),
    position: integers([1], Int32Array.of(position)),
    ...state.memory,
    ...state.caches,
  });
  for (const [name, cache] of Object.entries(state.caches)) {
    writeColumns(cache as Value, outputs[nextName(name)], position);
  }
  state.used = end;
  state.placeLogits = outputs.logits;
}

/** The logits that `extend` computed at one position. [1, vocabSize] */
export function logitsAt({ placeLogits }: State, place: number): Value {
  const { data, shape } = placeLogits as Value;
  const width = shape[2];
  return floats([1, width], (data as Float32Array).subarray(place * width, (place + 1) * width));
}

/** Feeds of a selection program. @param logits [1, vocabSize] */
export function selectionFeeds({ spec }: State, logits: Value, edits: StepEdits): Record<string, Value> {
  return { stepLogits: logits, ...editFeeds(spec, 1, edits) };
}

/** Puts new positions into a cache. @param cache [1, heads, capacity, size] @param columns [1, heads, length, size] */
function writeColumns(cache: Value, columns: Value, position: number): void {
  const [, heads, capacity, size] = cache.shape;
  const length = columns.shape[2];
  for (let head = 0; head < heads; head++) {
    const from = head * length * size;
    const part = (columns.data as Float32Array).subarray(from, from + length * size);
    (cache.data as Float32Array).set(part, (head * capacity + position) * size);
  }
}
