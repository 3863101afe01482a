import { describe, expect, it } from 'vitest';
import { giveBack, takeFloats } from './hostMemory.js';
import { floats, integers } from './values.js';

const length = 5000;

describe('memory of the host', () => {
  it('is handed out again once it is given back, as much as is wanted of it', () => {
    const first = takeFloats(length).fill(7);
    giveBack({ first: floats([length], first) });
    const next = takeFloats(length - 1000);
    expect(next.buffer).toBe(first.buffer);
    expect([next.length, next.byteOffset]).toEqual([length - 1000, 0]);
  });

  it('comes back whole from a value that uses the front of it', () => {
    const whole = takeFloats(length);
    giveBack({ rest: floats([10], whole.subarray(0, 10)) });
    expect(takeFloats(length).buffer).toBe(whole.buffer);
  });

  it('is never in two hands', () => {
    const value = floats([length], takeFloats(length));
    giveBack({ value });
    giveBack({ value });
    const [one, other] = [takeFloats(length), takeFloats(length)];
    expect(one.buffer).toBe(value.data.buffer);
    expect(other.buffer).not.toBe(one.buffer);
  });

  it('is not taken from others, nor where it is too small or more than twice too large', () => {
    const foreign = floats([length], new Float32Array(length));
    giveBack({ foreign, ids: integers([length]) });
    const mine = takeFloats(length);
    expect(mine.buffer).not.toBe(foreign.data.buffer);
    giveBack({ mine: floats([length], mine) });
    for (const wanted of [length + 1, length / 2 - 1])
      expect(takeFloats(wanted).buffer).not.toBe(mine.buffer);
    expect(takeFloats(length / 2).buffer).toBe(mine.buffer);
  });
});
