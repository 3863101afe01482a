import { describe, expect, it } from 'vitest';
import { giveBack, takeFloats } from '../engine/hostMemory.js';
import { floats, type Value } from '../engine/values.js';
import type { KeptValues } from './cacheMemory.js';
import { hostCacheMemory } from './hostCacheMemory.js';

const [heads, size] = [4, 16];
const shape = { rows: 2, heads, capacity: 16, size };

/** Leaves memory behind that would show: NaN times 0 is NaN. */
function spoil(length: number): ArrayBufferLike {
  const spoiled = takeFloats(length).fill(Number.NaN);
  giveBack({ spoiled: floats([length], spoiled) });
  return spoiled.buffer;
}

const keyOf = (caches: KeptValues) => caches.key as Value;

describe('hostCacheMemory', () => {
  it('gives zeros, whatever its memory held before', async () => {
    const memory = spoil(2 * heads * 16 * size);
    const { data } = keyOf(await hostCacheMemory.zeros(['key'], shape));
    expect(data.buffer).toBe(memory);
    expect(data.every((value) => value === 0)).toBe(true);
  });

  it('keeps what was written and is zero beyond it when it grows and when beams begin', async () => {
    const given = await hostCacheMemory.zeros(['key'], shape);
    keyOf(given).data.fill(3);
    const memory = spoil(2 * heads * 32 * size);
    const grown = await hostCacheMemory.grow(given, 32, 5);
    expect(keyOf(grown).data.buffer).toBe(memory);
    const position = (at: number) => Math.floor(at / size) % 32;
    expect([...keyOf(grown).data]).toEqual([...keyOf(grown).data].map((_, at) => (position(at) < 5 ? 3 : 0)));
    const beams = spoil(4 * heads * 32 * size);
    const spread = await hostCacheMemory.spread(grown, 2, 5);
    expect(keyOf(spread).data.buffer).toBe(beams);
    const row = (at: number) => Math.floor(at / (heads * 32 * size));
    expect([...keyOf(spread).data]).toEqual(
      [...keyOf(spread).data].map((_, at) => (row(at) % 2 === 0 && position(at) < 5 ? 3 : 0)),
    );
  });

  it('uses the memory of caches that have grown for the next ones', async () => {
    const given = await hostCacheMemory.zeros(['key'], shape);
    const { buffer } = keyOf(given).data;
    await hostCacheMemory.grow(given, 64, 0);
    expect(keyOf(await hostCacheMemory.zeros(['key'], shape)).data.buffer).toBe(buffer);
  });
});
