import { describe, expect, it } from 'vitest';
import { type Entry, padSources } from './inputs.js';

const entry = (inputIds: number[]): Entry => ({
  index: 0,
  name: 'Input 1',
  inputIds,
  attentionMask: undefined,
  prompt: [0],
});

describe('padSources', () => {
  const batch = [entry([7, 8, 9, 7, 8]), entry([7])];

  it('pads on to a multiple of four where the model has room for it', () => {
    const { source, inputIds, attentionMask } = padSources(batch, 3, Number.POSITIVE_INFINITY);
    expect(source).toBe(8);
    expect([...inputIds]).toEqual([7, 8, 9, 7, 8, 3, 3, 3, 7, 3, 3, 3, 3, 3, 3, 3]);
    expect([...attentionMask]).toEqual([1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect(padSources(batch, 3, 6).source).toBe(6);
    expect(padSources(batch, 3, 5).source).toBe(5);
    expect(padSources([entry([1, 2, 3, 4])], 3, 100).source).toBe(4);
  });

  it('pads to the longest source only where the model gives no maxSource', () => {
    expect(padSources(batch, 3).source).toBe(5);
  });
});
