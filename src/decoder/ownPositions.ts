import { integers, type Value } from '../engine/values.js';
import type { StepFeed } from '../generation/stepModel.js';
import type { Bound, State } from './state.js';

/*
 * Rows at positions of their own in one cache. Every step writes all rows at one place, the next that is free in each of them, and
 * notes which of its positions a row holds where. Places that nobody needs any longer add up when long rows leave; then what
 * the others wrote behind them is brought to the front, many positions at a time.
 */

/** Places that may lie behind the longest row: to read them costs less than to close them. */
const slack = 8;

/** What `State` knows of places. */
type Places = Pick<State, 'batch' | 'capacity' | 'used' | 'lengths' | 'held' | 'caches'>;

/** That the first places hold the first positions of each sentence. [batch, capacity] */
export function firstPlaces(batch: number, capacity: number, used: number): Int32Array {
  return Int32Array.from({ length: batch * capacity }, (_, at) =>
    at % capacity < used ? at % capacity : -1,
  );
}

/** What is held, with room for other sentences or more places. */
export function withPlaces(
  { batch, capacity, held }: Places,
  sizes: { batch?: number; capacity?: number },
): Int32Array {
  const wider = sizes.capacity ?? capacity;
  const more = firstPlaces(sizes.batch ?? batch, wider, 0);
  for (let sentence = 0; sentence < batch; sentence++) {
    more.set(held.subarray(sentence * capacity, (sentence + 1) * capacity), sentence * wider);
  }
  return more;
}

/** What some sentences hold. */
export function keepPlaces({ held, capacity }: Places, sentences: readonly number[]): Int32Array {
  const kept = new Int32Array(sentences.length * capacity);
  sentences.forEach((sentence, at) => {
    kept.set(held.subarray(sentence * capacity, (sentence + 1) * capacity), at * capacity);
  });
  return kept;
}

/**
 * Makes places for a step: closes those that are not needed where they are many, or the cache is full.
 * @param positions of each sentence; -1 where it takes no part. [batch]
 */
export function preparePlaces(state: Places, positions: Int32Array): void {
  positions.forEach((position, sentence) => {
    if (position < 0) return;
    // A sentence that begins anew has left what it wrote.
    if (position < state.lengths[sentence]) forget(state, sentence, position);
    state.lengths[sentence] = position;
  });
  const longest = state.lengths.reduce((most, length) => Math.max(most, length), 0);
  const loose = state.used - longest;
  if (loose >= slack || (loose > 0 && state.used >= state.capacity)) {
    settle(state);
    state.used = longest;
  }
}

function forget({ held, capacity }: Places, sentence: number, from: number): void {
  for (let at = sentence * capacity; at < (sentence + 1) * capacity; at++) {
    if (held[at] >= from) held[at] = -1;
  }
}

/** Takes the next place for all that take part. */
export function takePlaces(state: Places, positions: Int32Array): void {
  positions.forEach((position, sentence) => {
    if (position < 0) return;
    state.held[sentence * state.capacity + state.used] = position;
    state.lengths[sentence] = position + 1;
  });
}

/** Tells a step which position each row is at, which ones it finds where, and from which beam it reads each. */
export function fillPlaces(state: State, feed: StepFeed, small: Bound['small']): void {
  const { batch, beams, capacity, maxLength, used } = state;
  const [positions, keyPositions, ancestry] = [small.positions, small.keyPositions, small.ancestry].map(
    (value) => value!.data as Int32Array,
  );
  for (let row = 0; row < batch * beams; row++) {
    const sentence = Math.floor(row / beams);
    const held = state.held.subarray(sentence * capacity, (sentence + 1) * capacity);
    positions[row] = Math.max(0, feed.positions![sentence]);
    keyPositions.set(held, row * capacity);
    for (let place = 0; place < used; place++) {
      if (held[place] >= 0) ancestry[row * capacity + place] = feed.ancestry[row * maxLength + held[place]];
    }
    // Also of one that takes no part: what is written for it lies in its own row, where nobody reads it.
    ancestry[row * capacity + used] = row % beams;
  }
}

/** Positions that follow each other at places that do. */
interface Run {
  place: number;
  position: number;
  length: number;
}

/** Brings every position of every row to the place of its number. */
function settle(state: Places): void {
  const { batch, capacity, held } = state;
  for (let sentence = 0; sentence < batch; sentence++) {
    const own = held.subarray(sentence * capacity, (sentence + 1) * capacity);
    const runs = strayRuns(own);
    for (const cache of Object.values(state.caches)) moveRuns(cache as Value, sentence, batch, runs);
    for (const { place, position, length } of runs) {
      own.fill(-1, place, place + length);
      for (let at = 0; at < length; at++) own[position + at] = position + at;
    }
  }
}

/** Runs that are not where they belong, first ones first; they belong before where they are. */
function strayRuns(held: Int32Array): Run[] {
  const runs: Run[] = [];
  held.forEach((position, place) => {
    if (position < 0 || position === place) return;
    const last = runs.at(-1);
    if (last && last.place + last.length === place && last.position + last.length === position) last.length++;
    else runs.push({ place, position, length: 1 });
  });
  return runs;
}

/** @param cache [batch * beams, heads, capacity, size] */
function moveRuns({ data, shape }: Value, sentence: number, batch: number, runs: readonly Run[]): void {
  const [rows, heads, capacity, size] = shape;
  const each = (rows / batch) * heads;
  for (let head = sentence * each; head < (sentence + 1) * each; head++) {
    const start = head * capacity * size;
    for (const { place, position, length } of runs) {
      const from = start + place * size;
      data.copyWithin(start + position * size, from, from + length * size);
    }
  }
}

/** Memory that was made larger than what it was made for. */
const roomy = new WeakSet<ArrayBufferLike>();

/** A value with more rows; the rows there are stay where they are in memory as long as there is room behind them. */
export function withRows(value: Value, rows: number): Value {
  const each = value.shape.slice(1).reduce((product, size) => product * size, 1);
  const shape = [rows, ...value.shape.slice(1)];
  const { data } = value;
  const View = data.constructor as Float32ArrayConstructor;
  const fits = rows * each * data.BYTES_PER_ELEMENT <= data.buffer.byteLength;
  if (fits && roomy.has(data.buffer)) {
    return { ...value, shape, data: new View(data.buffer as ArrayBuffer, 0, rows * each) };
  }
  // Half as many again, so that one sentence after the other does not copy all of them each time.
  const larger = new View(Math.ceil(rows * 1.5) * each);
  larger.set(data as Float32Array);
  roomy.add(larger.buffer);
  return { ...value, shape, data: larger.subarray(0, rows * each) };
}

/** The memory of a source with more positions, hidden as the mask says. @param value [batch, heads, source, size] */
export function withSource(value: Value, source: number): Value {
  const [batch, heads, length, size] = value.shape;
  const data = new Float32Array(batch * heads * source * size);
  for (let row = 0; row < batch * heads; row++) {
    const from = row * length * size;
    data.set(value.data.subarray(from, from + length * size), row * source * size);
  }
  return { ...value, shape: [batch, heads, source, size], data };
}

/** The same for a mask [batch, source]. */
export function withMaskedSource(mask: Value, source: number): Value {
  const [batch, length] = mask.shape;
  const wider = integers([batch, source]);
  for (let row = 0; row < batch; row++) {
    wider.data.set(mask.data.subarray(row * length, (row + 1) * length), row * source);
  }
  return wider;
}
