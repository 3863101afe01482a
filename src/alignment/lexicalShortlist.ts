import type { Shortlist } from '../generation/shortlist.js';
import type { LexicalTable } from './ibmModel1.js';

/** What of a table becomes a shortlist. */
export interface PruneOptions {
  /** Targets of a source token at most. */
  targetsPerToken: number;
  /** Targets less probable than this are left out. */
  minProbability: number;
  /** Ids for every list, in any order. */
  always: Iterable<number>;
}

/**
 * Keeps the most probable targets of each source token, of equal ones the lower id.
 */
export function pruneTable(
  { source, target, probability }: LexicalTable,
  { targetsPerToken, minProbability, always }: PruneOptions,
): Shortlist {
  const rows: number[][] = [];
  source.forEach((id, entry) => {
    if (probability[entry] < minProbability) return;
    rows[id] ??= [];
    rows[id].push(entry);
  });
  const offsets = new Int32Array(rows.length + 1);
  const targets: number[] = [];
  for (let id = 0; id < rows.length; id++) {
    const best = (rows[id] ?? []).sort((a, b) => probability[b] - probability[a] || target[a] - target[b]);
    for (const entry of best.slice(0, targetsPerToken)) targets.push(target[entry]);
    offsets[id + 1] = targets.length;
  }
  return {
    offsets,
    targets: Int32Array.from(targets),
    always: Int32Array.from(new Set(always)).sort(),
  };
}

/** The `count` ids of the largest weights, of equal ones the lower. */
export function heaviest(weights: ReadonlyMap<number, number>, count: number): number[] {
  const sorted = [...weights].sort(([a, weight], [b, other]) => other - weight || a - b);
  return sorted.slice(0, count).map(([id]) => id);
}
