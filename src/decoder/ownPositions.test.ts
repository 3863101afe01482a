import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { floats, type Value } from '../engine/values.js';
import { firstPlaces, keepPlaces, preparePlaces, takePlaces, withPlaces } from './ownPositions.js';

const [beams, heads, size] = [2, 3, 2];

/** A cache in which everything a sentence wrote at a position is known. */
function makeState(batch: number, capacity: number) {
  const caches: Record<string, Value> = {
    'key.0': floats([batch * beams, heads, capacity, size]),
    'value.0': floats([batch * beams, heads, capacity, size]),
  };
  return {
    batch,
    capacity,
    used: 0,
    lengths: new Int32Array(batch),
    held: firstPlaces(batch, capacity, 0),
    caches,
  };
}

type Places = ReturnType<typeof makeState>;

const written = (sentence: number, position: number, head: number) =>
  1 + sentence * 10_000 + position * 100 + head;

/** What a step does: everybody writes, also those who take no part. */
function step(state: Places, positions: Int32Array): void {
  preparePlaces(state, positions);
  if (state.used >= state.capacity) throw new Error('no place is left');
  takePlaces(state, positions);
  for (const { data } of Object.values(state.caches)) {
    for (let head = 0; head < state.batch * beams * heads; head++) {
      const sentence = Math.floor(head / (beams * heads));
      const from = (head * state.capacity + state.used) * size;
      const value = positions[sentence] < 0 ? -7 : written(sentence, positions[sentence], head);
      data.fill(value, from, from + size);
    }
  }
  state.used++;
}

/** What each sentence reads, by position. */
function expectReadable(state: Places, lengths: readonly number[]): void {
  lengths.forEach((length, sentence) => {
    const held = state.held.subarray(sentence * state.capacity, (sentence + 1) * state.capacity);
    const found = [...held.keys()].filter((place) => held[place] >= 0);
    expect(found.map((place) => held[place])).toEqual(Array.from({ length }, (_, position) => position));
    for (const { data } of Object.values(state.caches)) {
      for (let head = sentence * beams * heads; head < (sentence + 1) * beams * heads; head++) {
        for (const place of found) {
          const from = (head * state.capacity + place) * size;
          const value = written(sentence, held[place], head);
          expect([...data.subarray(from, from + size)]).toEqual(new Array(size).fill(value));
        }
      }
    }
  });
}

describe('places of rows at positions of their own', () => {
  it('hold what each row wrote, whoever waits, begins anew or leaves, in a cache no larger than the longest needs', () => {
    const moves = fc.array(
      fc.array(fc.constantFrom('writes', 'writes', 'writes', 'waits', 'begins'), {
        minLength: 3,
        maxLength: 3,
      }),
      { minLength: 40, maxLength: 120 },
    );
    let settled = 0;
    fc.assert(
      fc.property(moves, (given) => {
        const longest = 16;
        // One more, where others go on while the longest waits.
        const state = makeState(3, longest + 1);
        const lengths = [0, 0, 0];
        for (const round of given) {
          const positions = Int32Array.from(round, (move, sentence) => {
            if (move === 'waits') return -1;
            if (move === 'begins' || lengths[sentence] === longest) lengths[sentence] = 0;
            return lengths[sentence]++;
          });
          const before = state.used;
          step(state, positions);
          if (state.used <= before) settled++;
          expectReadable(state, lengths);
        }
      }),
      { numRuns: 60 },
    );
    expect(settled).toBeGreaterThan(20);
  });

  it('are closed when there are many behind the longest row, and not before', () => {
    const state = makeState(2, 64);
    for (let position = 0; position < 20; position++) step(state, Int32Array.from([position, -1]));
    expect(state.used).toBe(20);
    // The long one is gone; the other is where the long one was not.
    for (let position = 0; position < 13; position++) step(state, Int32Array.from([0, position]));
    expect([state.used, ...state.lengths]).toEqual([13, 1, 13]);
    expectReadable(state, [1, 13]);
  });

  it('stay what they are with more sentences, with more room, and when sentences leave', () => {
    const state = makeState(2, 4);
    step(state, Int32Array.from([0, 0]));
    step(state, Int32Array.from([1, -1]));
    step(state, Int32Array.from([2, 1]));
    expect([...state.held]).toEqual([0, 1, 2, -1, 0, -1, 1, -1]);
    expect([...withPlaces(state, { capacity: 5 })]).toEqual([0, 1, 2, -1, -1, 0, -1, 1, -1, -1]);
    expect([...withPlaces(state, { batch: 3 })]).toEqual([...state.held, -1, -1, -1, -1]);
    expect([...keepPlaces(state, [1])]).toEqual([0, -1, 1, -1]);
    expect([...firstPlaces(2, 3, 2)]).toEqual([0, 1, -1, 0, 1, -1]);
  });
});
