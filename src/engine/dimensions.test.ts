import { describe, expect, it } from 'vitest';
import { Dimensions } from './dimensions.js';

describe('Dimensions', () => {
  it('finds names again in products, whatever the primes', () => {
    for (const attempt of [0, 1, 2]) {
      const dimensions = new Dimensions(attempt);
      const [batch, length] = [dimensions.standIn('batch'), dimensions.standIn('length')];
      expect(dimensions.describe(batch)).toBe('batch');
      expect(dimensions.describe(batch * length)).toBe('batch*length');
      expect(dimensions.describe(batch * length * 512)).toBe('512*batch*length');
      expect(dimensions.describe(batch * batch)).toBe('batch*batch');
      expect(dimensions.standIn('batch*length')).toBe(batch * length);
    }
  });

  it('finds sums with a small number, twice a name, and sums of two names', () => {
    const dimensions = new Dimensions();
    const [source, target] = [dimensions.standIn('source'), dimensions.standIn('target')];
    expect(dimensions.describe(source + 1)).toBe('source+1');
    expect(dimensions.describe(source - 3)).toBe('source-3');
    expect(dimensions.describe(2 * source - 1)).toBe('2*source-1');
    expect(dimensions.describe(source + target)).toBe('source+target');
    // Once seen, a sum is found in products too.
    expect(dimensions.describe(8 * target * (source + 1))).toBe('8*target*(source+1)');
  });

  it('remembers sums that it is told of', () => {
    const dimensions = new Dimensions();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => dimensions.standIn(name));
    expect(dimensions.isSymbolic(a * b + c + 100)).toBe(false);
    dimensions.defineSum(a * b + c + 100, [a * b, 100, c]);
    expect(dimensions.describe(a * b + c + 100)).toBe('a*b+c+100');
    expect(dimensions.describe(4 * (a * b + c + 100))).toBe('4*(a*b+c+100)');
  });

  it('leaves plain numbers alone', () => {
    const dimensions = new Dimensions();
    for (const name of ['a', 'b', 'c', 'd', 'e']) dimensions.standIn(name);
    const vocabularies = [
      30522, 28996, 32000, 32128, 50257, 50265, 58101, 64000, 65024, 128112, 250002, 256206,
    ];
    for (const number of [0, 1, 512, 4096, 16384, 1 << 20, ...vocabularies]) {
      expect(dimensions.describe(number)).toBe(number);
      expect(dimensions.describe(number * 4)).toBe(number * 4);
    }
    expect(dimensions.isSymbolic(0.5)).toBe(false);
  });

  it('has thirty names', () => {
    const dimensions = new Dimensions();
    for (let i = 0; i < 30; i++) dimensions.standIn(`size${i}`);
    expect(() => dimensions.standIn('another')).toThrow(expect.objectContaining({ code: 'TRACE_SHAPE' }));
  });
});
