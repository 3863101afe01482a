import { giveBack } from '../engine/hostMemory.js';
import type { Value } from '../engine/values.js';
import type { KeptValues } from './cacheMemory.js';
import { hostCacheMemory } from './hostCacheMemory.js';
import { withMaskedSource, withRows, withSource } from './ownPositions.js';
import type { State } from './state.js';

/** See `StepModel.adopt`; for caches in the host's memory. Code that may fail runs before `into` changes. */
export async function adopt(into: State, from: State, places: readonly number[]): Promise<State> {
  const { beams } = into;
  const batch = Math.max(into.batch, ...places.map((place) => place + 1));
  if (from.used > into.capacity) {
    into.caches = await hostCacheMemory.grow(into.caches, from.capacity, into.used);
    into.capacity = from.capacity;
    into.bound = undefined;
  }
  const rowAt = (row: number) => places[Math.floor(row / beams)] * beams + (row % beams);
  const caches = { ...into.caches };
  for (const [name, cache] of Object.entries(from.caches)) {
    if (batch > into.batch) caches[name] = withRows(caches[name] as Value, batch * beams);
    copyRows(cache as Value, caches[name] as Value, from.used, rowAt);
  }
  const memory = adoptMemory(into, from, places, batch);
  const lengths = Int32Array.from({ length: batch }, (_, sentence) => into.lengths[sentence] ?? 0);
  places.forEach((place, sentence) => {
    lengths[place] = from.lengths[sentence];
  });
  const replaced = Object.entries(memory).some(([name, value]) => value !== into.memory[name]);
  if (replaced || batch > into.batch) into.bound = undefined;
  const maxLength = Math.max(into.maxLength, from.maxLength);
  const used = Math.max(into.used, from.used);
  Object.assign(into, { caches, memory, lengths, batch, maxLength, used });
  giveBack({ ...from.caches, ...from.memory });
  Object.assign(from, { caches: {}, memory: {} });
  return into;
}

/** Copies the first `used` positions of each row to another place. */
function copyRows(from: Value, to: Value, used: number, rowAt: (row: number) => number): void {
  const [rows, heads, capacity, size] = from.shape;
  const wider = to.shape[2];
  for (let row = 0; row < rows; row++) {
    for (let head = 0; head < heads; head++) {
      const start = (row * heads + head) * capacity * size;
      const at = (rowAt(row) * heads + head) * wider * size;
      to.data.set(from.data.subarray(start, start + used * size), at);
    }
  }
}

/** The memory of sources, all padded to the longest. */
function adoptMemory(into: State, from: State, places: readonly number[], batch: number): KeptValues {
  const masks = [into, from].map(({ memory }) => memory.memoryMask as Value | undefined);
  const source = Math.max(...masks.map((mask) => mask?.shape[1] ?? 0));
  const memory: KeptValues = {};
  for (const [name, given] of Object.entries(from.memory) as [string, Value][]) {
    const widen = name === 'memoryMask' ? withMaskedSource : withSource;
    let value = into.memory[name] as Value;
    if (widthOf(value) < source) value = widen(value, source);
    if (batch > into.batch) value = withRows(value, batch);
    const taken = widthOf(given) < source ? widen(given, source) : given;
    const each = taken.data.length / places.length;
    places.forEach((place, sentence) => {
      value.data.set(taken.data.subarray(sentence * each, (sentence + 1) * each), place * each);
    });
    memory[name] = value;
  }
  return memory;
}

/** Cuts the memory of sources to the length `source`, the longest of them. */
export function cutSources(state: State, source: number): void {
  for (const [name, value] of Object.entries(state.memory) as [string, Value][]) {
    if (widthOf(value) <= source) continue;
    const resized = name === 'memoryMask' ? withMaskedSource : withSource;
    state.memory[name] = resized(value, source);
    giveBack({ value });
  }
}

/** Positions of the source: the axis before features, or the last of the mask. */
function widthOf({ shape }: Value): number {
  return shape[shape.length === 2 ? 1 : 2];
}
