import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LexicalTable, type TokenPair, trainIbmModel1 } from './ibmModel1.js';
import { heaviest, pruneTable } from './lexicalShortlist.js';

/** t(target | source); undefined where the table has no such entry. */
function look({ source, target, probability }: LexicalTable, from: number, to: number): number | undefined {
  const entry = source.findIndex((id, i) => id === from && target[i] === to);
  return entry < 0 ? undefined : probability[entry];
}

/** The definition over dense tables: row `sources` is the empty word. */
function plainModel(pairs: readonly TokenPair[], size: number, rounds: number): number[][] {
  let t = Array.from({ length: size + 1 }, () => new Array<number>(size).fill(1 / size));
  for (let round = 0; round < rounds; round++) {
    const counts = t.map((row) => row.map(() => 0));
    for (const { source, target } of pairs) {
      for (const to of target) {
        const sum = [...source, size].reduce((total, from) => total + t[from][to], 0);
        for (const from of [...source, size]) counts[from][to] += t[from][to] / sum;
      }
    }
    t = counts.map((row) => {
      const total = row.reduce((sum, count) => sum + count, 0);
      return row.map((count) => (total > 0 ? count / total : 0));
    });
  }
  return t;
}

describe('trainIbmModel1', () => {
  const two: TokenPair[] = [
    { source: [0], target: [0] },
    { source: [0, 1], target: [0, 1] },
  ];

  it.each([
    [1, 5 / 7, 2 / 7, 1 / 2, 1 / 2],
    [2, 235 / 307, 72 / 307, 5 / 14, 9 / 14],
  ])('gives what a hand computation gives after round %i', (iterations, ...wanted) => {
    const table = trainIbmModel1(two, { iterations });
    const found = [look(table, 0, 0), look(table, 0, 1), look(table, 1, 0), look(table, 1, 1)];
    found.forEach((value, i) => {
      expect(value).toBeCloseTo(wanted[i], 12);
    });
    expect(table.source.length).toBe(4);
  });

  it('equals the definition on any text, tokens repeated and sides empty', () => {
    const size = 9;
    const ids = fc.array(fc.integer({ min: 0, max: size - 1 }), { maxLength: 6 });
    const texts = fc.array(fc.record({ source: ids, target: ids }), { maxLength: 8 });
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 4 }), (pairs, iterations) => {
        const table = trainIbmModel1(pairs, { iterations });
        const wanted = plainModel(pairs, size, iterations);
        for (let from = 0; from < size; from++) {
          for (let to = 0; to < size; to++) {
            const together = pairs.some(({ source, target }) => source.includes(from) && target.includes(to));
            const found = look(table, from, to);
            if (together) expect(found).toBeCloseTo(wanted[from][to], 10);
            else expect(found).toBeUndefined();
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('tells words apart by the sentences they share, in a table that grows', () => {
    // Each word goes with its own translation, and with others by chance.
    const pairs = Array.from({ length: 3000 }, (_, i) => {
      const source = [i % 83, (7 * Math.floor(i / 83)) % 83, (i * i + Math.floor(i / 11)) % 83];
      return { source, target: source.map((id) => id + 100) };
    });
    const rounds: string[] = [];
    const table = trainIbmModel1(pairs, { onIteration: (done, total) => rounds.push(`${done}/${total}`) });
    expect(rounds).toEqual(['1/5', '2/5', '3/5', '4/5', '5/5']);
    expect(table.source.length).toBeGreaterThan(2000);
    for (let id = 0; id < 83; id++) {
      expect(look(table, id, id + 100)).toBeGreaterThan(0.5);
      const sum = table.probability.reduce((total, p, i) => total + (table.source[i] === id ? p : 0), 0);
      expect(sum).toBeCloseTo(1, 9);
    }
  });
});

describe('pruneTable', () => {
  const table: LexicalTable = {
    source: Int32Array.of(3, 1, 1, 1, 3, 1),
    target: Int32Array.of(9, 8, 7, 6, 5, 4),
    probability: Float64Array.of(0.6, 0.2, 0.3, 0.2, 0.4, 0.05),
  };

  it('keeps the most probable, of equal ones the lower id', () => {
    const all = pruneTable(table, { targetsPerToken: 9, minProbability: 0, always: [5, 2, 5] });
    expect(all).toEqual({
      offsets: Int32Array.of(0, 0, 4, 4, 6),
      targets: Int32Array.of(7, 6, 8, 4, 9, 5),
      always: Int32Array.of(2, 5),
    });
    const few = pruneTable(table, { targetsPerToken: 2, minProbability: 0.5, always: [] });
    expect(few).toMatchObject({ offsets: Int32Array.of(0, 0, 0, 0, 1), targets: Int32Array.of(9) });
    const two = pruneTable(table, { targetsPerToken: 2, minProbability: 0.1, always: [] });
    expect(two.targets).toEqual(Int32Array.of(7, 6, 9, 5));
  });

  it('finds the heaviest tokens', () => {
    const weights = new Map([
      [4, 1],
      [3, 7],
      [2, 1],
      [9, 3],
    ]);
    expect(heaviest(weights, 3)).toEqual([3, 9, 2]);
    expect(heaviest(weights, 0)).toEqual([]);
  });
});
