import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fakeCollate } from '../../test/fixtures/training/fakeStep.js';
import {
  type BatchingOptions,
  createBatches,
  fingerprintPairs,
  type PaddedPairs,
  type TokenPair,
} from './batching.js';
import { permutation } from './random.js';
import type { TrainBatch } from './trainStep.js';

const options: BatchingOptions = {
  seed: 5,
  maxTokens: 256,
  maxLength: 40,
  sortWindow: 500,
  lengthMultiple: 4,
};

/** Pairs of random lengths; the first token of the source is the pair's number. */
function randomPairs(n: number, longest = 40): TokenPair[] {
  const lengths = permutation(4 * n, 99, 'lengths', 0);
  return Array.from({ length: n }, (_, i) => ({
    source: [i, ...new Array(lengths[2 * i] % longest).fill(1)],
    target: new Array(1 + (lengths[2 * i + 1] % longest)).fill(2),
  }));
}

/** A collate that hands the padded pairs through, so that tests see them. */
const seen = new WeakMap<TrainBatch, PaddedPairs>();
const collate = (padded: PaddedPairs): TrainBatch => {
  const batch = { feeds: {}, sentences: padded.pairs.length, sourceTokens: 0, targetTokens: 0 };
  seen.set(batch, padded);
  return batch;
};

/** The pairs' numbers, batch by batch. */
function epochNumbers(pairs: TokenPair[], epoch: number, changes: Partial<BatchingOptions> = {}): number[][] {
  const batches = createBatches(pairs, { ...options, ...changes }, collate).epoch(epoch);
  return Array.from({ length: batches.count }, (_, i) =>
    seen.get(batches.build(i))!.pairs.map((pair) => pair.source[0]),
  );
}

describe('createBatches', () => {
  it('holds every pair once, within the token budget, padded to the multiple', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 })), {
          minLength: 1,
        }),
        fc.integer({ min: 40, max: 400 }),
        fc.constantFrom(1, 3, 8),
        fc.integer({ min: 1, max: 60 }),
        (lengths, maxTokens, lengthMultiple, sortWindow) => {
          const pairs = lengths.map(([s, t], i) => ({
            source: [i, ...new Array(s - 1).fill(1)],
            target: new Array(t).fill(2),
          }));
          const epoch = createBatches(
            pairs,
            { ...options, maxTokens, lengthMultiple, sortWindow },
            collate,
          ).epoch(1);
          const numbers: number[] = [];
          for (let i = 0; i < epoch.count; i++) {
            const padded = seen.get(epoch.build(i))!;
            numbers.push(...padded.pairs.map((pair) => pair.source[0]));
            const cost = padded.pairs.length * Math.max(padded.sourceLength, padded.targetLength);
            expect(padded.pairs.length === 1 || cost <= maxTokens).toBe(true);
            expect(padded.sourceLength % lengthMultiple).toBe(0);
            const longest = Math.max(...padded.pairs.map((pair) => pair.target.length));
            expect(padded.targetLength - longest).toBeGreaterThanOrEqual(0);
            expect(padded.targetLength - longest).toBeLessThan(lengthMultiple);
          }
          expect(numbers.sort((a, b) => a - b)).toEqual(pairs.map((_, i) => i));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('gives the same batch for the same seed, epoch and index, whatever was asked before', () => {
    const pairs = randomPairs(2000);
    const one = createBatches(pairs, options, fakeCollate);
    const expected = one.epoch(2).build(7);
    one.epoch(3).build(0);
    const other = createBatches(pairs, options, fakeCollate);
    expect(other.epoch(2).build(7)).toEqual(expected);
    expect(epochNumbers(pairs, 2)).not.toEqual(epochNumbers(pairs, 3));
    expect(epochNumbers(pairs, 2)).not.toEqual(epochNumbers(pairs, 2, { seed: 6 }));
  });

  it('mixes: neighbours change from epoch to epoch, and long batches do not come last', () => {
    const pairs = randomPairs(2000);
    const together = (epoch: number) =>
      new Set(epochNumbers(pairs, epoch).flatMap((batch) => batch.slice(1).map((n) => `${batch[0]},${n}`)));
    const [first, second] = [together(0), together(1)];
    const shared = [...first].filter((pair) => second.has(pair)).length;
    expect(shared / first.size).toBeLessThan(0.1);
    const sizes = epochNumbers(pairs, 0).map((batch) => batch.length);
    const mean = (part: number[]) => part.reduce((a, b) => a + b, 0) / part.length;
    const half = sizes.length >> 1;
    expect(Math.abs(mean(sizes.slice(0, half)) / mean(sizes.slice(half)) - 1)).toBeLessThan(0.2);
  });

  it('sorting windows cuts padding: most of a batch is tokens, where batches in random order are half padding', () => {
    const pairs = randomPairs(4000).map(({ source }) => ({ source, target: source }));
    const epoch = createBatches(pairs, options, fakeCollate).epoch(0);
    let [real, padded] = [0, 0];
    for (let i = 0; i < epoch.count; i++) {
      const batch = epoch.build(i);
      real += batch.sourceTokens + batch.targetTokens;
      padded += batch.feeds.source.data.length + batch.feeds.target.data.length;
    }
    expect(real / padded).toBeGreaterThan(0.88);
    const unsorted = pairs.length * 40; // some pair of each random batch is about the longest
    expect(real / 2 / unsorted).toBeLessThan(0.55);
  });

  it('drops long and empty pairs, counts them, and refuses to train on nothing', () => {
    const pair = (source: number, target: number) => ({
      source: new Array(source).fill(1),
      target: new Array(target).fill(1),
    });
    const batches = createBatches([pair(40, 40), pair(41, 2), pair(2, 41), pair(0, 3)], options, collate);
    expect([batches.pairs, batches.droppedLong, batches.droppedEmpty]).toEqual([1, 2, 1]);
    expect(() => createBatches([pair(41, 2), pair(0, 2)], options, collate)).toThrow(
      /None of 2 pairs can be used: 1 have an empty side and 1 are longer than 40 tokens/,
    );
  });

  it('keeps one sorted order for validation', () => {
    const pairs = randomPairs(300);
    const numbers = epochNumbers(pairs, 0, { shuffle: false });
    expect(epochNumbers(pairs, 9, { shuffle: false })).toEqual(numbers);
    const lengths = numbers.map((batch) => Math.max(...batch.map((n) => pairs[n].source.length)));
    expect(lengths.at(-1)!).toBeGreaterThan(lengths[0]);
  });
});

describe('fingerprintPairs', () => {
  it('sees every token, every boundary and the order', () => {
    const fingerprints = [
      [{ source: [1, 2], target: [3] }],
      [{ source: [1], target: [2, 3] }],
      [{ source: [1, 2, 0], target: [3] }],
      [{ source: [1, 2], target: [4] }],
      [
        { source: [1, 2], target: [3] },
        { source: [1], target: [3] },
      ],
      [
        { source: [1], target: [3] },
        { source: [1, 2], target: [3] },
      ],
    ].map(fingerprintPairs);
    expect(new Set(fingerprints).size).toBe(fingerprints.length);
    expect(fingerprintPairs([{ source: Int32Array.of(1, 2), target: [3] }])).toBe(fingerprints[0]);
  });
});
