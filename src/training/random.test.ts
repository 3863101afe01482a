import { describe, expect, it } from 'vitest';
import { digest, normalInit, permutation, threefry, uniformInit, xavierUniformInit } from './random.js';

const words = (key0: number, key1: number, counter0: number, counter1: number): number[] => {
  const out = new Uint32Array(2);
  threefry(key0, key1, counter0, counter1, out);
  return [...out];
};

describe('threefry', () => {
  it('gives the known answers of Random123 (threefry2x32, 20 rounds)', () => {
    expect(words(0, 0, 0, 0)).toEqual([0x6b200159, 0x99ba4efe]);
    expect(words(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff)).toEqual([0x1cb996fc, 0xbb002be7]);
    expect(words(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3)).toEqual([0xc4923a9c, 0x483df7a0]);
  });
});

describe('permutation', () => {
  it('holds every number once, and depends on seed, stream and epoch alone', () => {
    const order = permutation(1000, 7, 'shuffle', 3);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(permutation(1000, 7, 'shuffle', 3)).toEqual(order);
    for (const other of [
      permutation(1000, 8, 'shuffle', 3),
      permutation(1000, 7, 'batches', 3),
      permutation(1000, 7, 'shuffle', 4),
    ]) {
      expect(other).not.toEqual(order);
    }
  });

  it('is uniform: every permutation of four comes up equally often', () => {
    const counts = new Map<string, number>();
    const draws = 24_000;
    for (let epoch = 0; epoch < draws; epoch++) {
      const key = permutation(4, 1, 'test', epoch).join('');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    let chiSquare = 0;
    for (const count of counts.values()) {
      chiSquare += (count - draws / 24) ** 2 / (draws / 24);
    }
    expect(chiSquare).toBeLessThan(49.7); // 23 degrees of freedom, p = 0.001
  });
});

describe('initializers', () => {
  it('normal values have the moments and the tails of a normal distribution', () => {
    const values = normalInit(3, 'encoder.weight', [500, 400], 0.02);
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
    const kurtosis =
      values.reduce((sum, x) => sum + (x - mean) ** 4, 0) / values.length / (variance * variance);
    expect(Math.abs(mean)).toBeLessThan(0.02 * 4 * 200_000 ** -0.5);
    expect(Math.sqrt(variance)).toBeCloseTo(0.02, 3);
    expect(kurtosis).toBeCloseTo(3, 1);
    expect(values.filter((x) => Math.abs(x) > 0.04).length / values.length).toBeCloseTo(0.0455, 2);
  });

  it('uniform values fill the interval; xavier takes the bound from the shape', () => {
    const values = uniformInit(3, 'a', [100_000], 0.5);
    const histogram = new Array(10).fill(0);
    for (const x of values) {
      histogram[Math.floor((x + 0.5) * 10)]++;
    }
    for (const count of histogram) {
      expect(Math.abs(count - 10_000)).toBeLessThan(400);
    }
    const xavier = xavierUniformInit(3, 'a', [100, 200]);
    const bound = Math.sqrt(6 / 300);
    const largest = Math.max(...xavier.map(Math.abs));
    expect(largest).toBeLessThanOrEqual(Math.fround(bound));
    expect(largest).toBeGreaterThan(bound * 0.999);
  });

  it('depend on the seed and the name, and on nothing drawn before', () => {
    const first = normalInit(1, 'a', [7], 1);
    normalInit(1, 'b', [3], 1);
    expect(normalInit(1, 'a', [7], 1)).toEqual(first);
    expect(first).toHaveLength(7);
    expect(normalInit(1, 'b', [7], 1)).not.toEqual(first);
    expect(normalInit(2, 'a', [7], 1)).not.toEqual(first);
  });
});

describe('digest', () => {
  it('tells near strings apart', () => {
    const digests = new Set(Array.from({ length: 2000 }, (_, i) => digest(`learningRate: ${i}`)));
    expect(digests.size).toBe(2000);
    expect(digest('a')).toMatch(/^[0-9a-f]{16}$/);
  });
});
