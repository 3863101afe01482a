import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exponential } from './exponential.js';

describe('exponential', () => {
  it('is exp to twelve digits where numbers have all of theirs', () => {
    fc.assert(
      fc.property(fc.double({ min: -700, max: 0, noNaN: true }), (x) => {
        expect(Math.abs(exponential(x) / Math.exp(x) - 1)).toBeLessThan(2e-12);
      }),
      { numRuns: 2000 },
    );
  });

  it('is exact at 0, runs out into 0, and keeps what is not a number', () => {
    expect(exponential(0)).toBe(1);
    expect(exponential(-0)).toBe(1);
    expect(exponential(-740)).toBeGreaterThan(0);
    expect(exponential(-744.9)).toBeGreaterThanOrEqual(0);
    for (const x of [-745, -1e6, -Number.MAX_VALUE, Number.NEGATIVE_INFINITY]) expect(exponential(x)).toBe(0);
    expect(exponential(Number.NaN)).toBeNaN();
  });

  it('never falls as its argument grows', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -40, max: 0, noNaN: true }),
        fc.double({ min: 1e-9, max: 1, noNaN: true }),
        (x, step) => {
          if (x + step <= 0) expect(exponential(x + step)).toBeGreaterThanOrEqual(exponential(x));
        },
      ),
    );
  });
});
