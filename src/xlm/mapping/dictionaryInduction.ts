import type { Draws } from '../../pretraining/draws.js';
import { gatherRows, type VectorRows } from '../vectors/vectorRows.js';
import type { Nearest, VectorPrograms } from './vectorPrograms.js';

/** Pairs of words that translate each other: `sources[i]` and `targets[i]`, places among the vectors. */
export interface WordPairs {
  sources: Int32Array;
  targets: Int32Array;
}

export interface InductionOptions {
  /** Nearest neighbours whose mean similarity a word's similarities are measured against. */
  neighborhood: number;
  /** Share of all similarities that are looked at, drawn anew for each word and direction. Default: all. */
  keep?: { probability: number; draws: Draws };
}

/** A dictionary, and how near its sides are. */
export interface InducedDictionary {
  /** The nearest target of each source in order, then the nearest source of each target. */
  pairs: WordPairs;
  /** Mean cosine of each word with its nearest of the other language. */
  meanBest: { source: number; target: number };
}

/**
 * A dictionary of the nearest neighbours in both directions by cross-domain similarity local scaling (Conneau et al. 2018): the
 * product of two vectors, less half the mean product of the other with its `neighborhood` nearest, so that a vector that is near
 * everything is nearest to little.
 *
 * Where only a share p of the similarities may be looked at (Artetxe et al. 2018, section 3.3), the best of them is the r-th best of
 * all with probability p (1 - p)^(r - 1): one number is drawn for each word instead of one for each pair.
 * @param source vectors of length 1 in the common space
 */
export async function induceDictionary(
  programs: VectorPrograms,
  source: VectorRows,
  target: VectorRows,
  { neighborhood, keep }: InductionOptions,
): Promise<InducedDictionary> {
  const forward = await programs.nearest(source, target, neighborhood);
  const backward = await programs.nearest(target, source, neighborhood);
  const ranks = (count: number, keys: number) =>
    keep ? drawRanks(count, keys, keep) : new Int32Array(count);
  const targets = await atRanks(
    programs,
    source,
    target,
    halfMeans(backward),
    ranks(source.count, target.count),
  );
  const sources = await atRanks(
    programs,
    target,
    source,
    halfMeans(forward),
    ranks(target.count, source.count),
  );
  return {
    pairs: union(targets, sources),
    meanBest: { source: meanOfBest(forward), target: meanOfBest(backward) },
  };
}

/** Half of each query's mean score: what it is penalized by as a key. */
export function halfMeans({ count, scores }: Nearest): Float32Array {
  const means = new Float32Array(scores.length / count);
  for (let row = 0; row < means.length; row++) {
    let sum = 0;
    for (let at = row * count; at < (row + 1) * count; at++) sum += scores[at];
    means[row] = sum / count / 2;
  }
  return means;
}

function meanOfBest({ count, scores }: Nearest): number {
  let sum = 0;
  for (let at = 0; at < scores.length; at += count) sum += scores[at];
  return (sum * count) / scores.length;
}

function union(targets: Int32Array, sources: Int32Array): WordPairs {
  const pairs = {
    sources: new Int32Array(targets.length + sources.length),
    targets: new Int32Array(targets.length + sources.length),
  };
  for (let at = 0; at < targets.length; at++) pairs.sources[at] = at;
  pairs.sources.set(sources, targets.length);
  pairs.targets.set(targets);
  for (let at = 0; at < sources.length; at++) pairs.targets[targets.length + at] = at;
  return pairs;
}

/** The rank, from 0, of the best that is looked at, for each of `count` words. */
function drawRanks(
  count: number,
  keys: number,
  { probability, draws }: { probability: number; draws: Draws },
): Int32Array {
  const scale = 1 / Math.log1p(-probability);
  return new Int32Array(count).map(() =>
    Math.min(keys - 1, Math.floor(Math.log1p(-draws.uniform()) * scale)),
  );
}

/** The key at each query's rank. Few ranks are large, so that those of like rank are looked for together. */
async function atRanks(
  programs: VectorPrograms,
  queries: VectorRows,
  keys: VectorRows,
  penalties: Float32Array,
  ranks: Int32Array,
): Promise<Int32Array> {
  const found = new Int32Array(queries.count);
  let done = 0;
  for (let depth = 1; done < queries.count; depth *= 8) {
    const from = depth === 1 ? 0 : depth / 8;
    const rows = placesOf(ranks, from, depth);
    if (rows.length === 0) continue;
    const some = rows.length === queries.count ? queries : gatherRows(queries, rows);
    const { indices, count } = await programs.nearest(some, keys, depth, penalties);
    rows.forEach((row, at) => {
      found[row] = indices[at * count + ranks[row]];
    });
    done += rows.length;
  }
  return found;
}

function placesOf(ranks: Int32Array, from: number, below: number): number[] {
  const places: number[] = [];
  ranks.forEach((rank, row) => {
    if (rank >= from && rank < below) places.push(row);
  });
  return places;
}
