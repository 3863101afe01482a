import type { Device } from '../../engine/program.js';
import { PolybeamError } from '../../errors.js';
import { createInterruption } from '../../generation/abort.js';
import { gatherRows, rowsOf, scaleToUnit, type VectorRows } from '../vectors/vectorRows.js';
import { requireDistinct, requireVectors, type WordVectors } from '../vectors/wordVectors.js';
import { createMarginSearch, type MarginMatches, type Neighborhood } from './margin.js';
import { type ResolvedTableOptions, resolveTableOptions, type TableOptions } from './tableOptions.js';
import { fitTemperature, type ScoredLists, shares, softmax } from './tableProbabilities.js';
import { isNgram, type Translation } from './translationTable.js';

/** How a table is built, beside its options. */
export interface TableRun {
  /** Whether the table of the other direction is built too: half the time of another run. Default false. */
  reverse?: boolean;
  /** Told now and then how many vectors have been compared with all of the other side, and how many will be. */
  onProgress?: (done: number, total: number) => void;
  /** Ends the run with ABORTED. */
  signal?: AbortSignal;
}

/** A table as `writeTable` takes it. */
export interface BuiltTable {
  sources: readonly string[];
  /** Most probable first; none for an n-gram that nothing of its length could translate. */
  translationsOf(index: number): Translation[];
  /** What scores were divided by before the softmax. */
  temperature?: number;
}

/** Tables of both directions, or of one. */
export interface BuiltTables {
  forward: BuiltTable;
  reverse?: BuiltTable;
}

/** One side of a table. */
interface Side {
  words: string[];
  rows: VectorRows;
}

/** N-grams of both sides that may translate each other: their places. */
interface Group {
  source: Int32Array;
  target: Int32Array;
}

/**
 * Builds a translation table from vectors of two languages in one space: each n-gram's `topK` translations of the highest
 * ratio-margin score (`margin.ts`), all n-grams of the other side being compared, and probabilities made of the scores.
 *
 * Memory: the vectors once more, and some hundred MB. Time: that of two products of all source with all target vectors, or of three with
 * `reverse`, and a little.
 *
 * @param source vectors mapped into one space with `target`; only their directions count, those that are 0 are left out
 * @throws OPTION_UNKNOWN, OPTION_INVALID, OPTION_CONFLICT; INPUT_INVALID for vectors that cannot be compared; ABORTED
 */
export async function buildTable(
  source: WordVectors,
  target: WordVectors,
  given: TableOptions = {},
  run: TableRun = {},
): Promise<BuiltTables> {
  requireVectors(source, 'source');
  requireVectors(target, 'target');
  const options = resolveTableOptions(given);
  if (source.size !== target.size) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `The source vectors have ${source.size} features and the target vectors ${target.size}: give two files that one mapping made.`,
    );
  }
  const sides = [
    takeSide(source, options.sourceLimit, options.longest, 'source'),
    takeSide(target, options.targetLimit, options.longest, 'target'),
  ] as const;
  const groups = options.targets === 'any' ? [everyPlace(sides)] : groupsByLength(sides);
  if (groups.length === 0) {
    throw new PolybeamError(
      'INPUT_INVALID',
      'No source n-gram has as many words as a target n-gram: let targets be any, or learn n-grams of like lengths.',
    );
  }
  const [forward, reverse] = await searchGroups(sides, groups, options, run);
  return {
    forward: withProbabilities(sides[0].words, sides[1].words, forward, options),
    ...(reverse && { reverse: withProbabilities(sides[1].words, sides[0].words, reverse, options) }),
  };
}

/** The n-grams that take part, with vectors of length 1. */
function takeSide(
  vectors: WordVectors,
  limit = vectors.words.length,
  longest = Number.POSITIVE_INFINITY,
  side: string,
): Side {
  const { words, size, values } = vectors;
  const kept: number[] = [];
  for (let row = 0; row < Math.min(limit, words.length); row++) {
    if (wordsIn(words[row]) > longest) continue;
    if (values.subarray(row * size, (row + 1) * size).every((value) => value === 0)) continue;
    kept.push(row);
  }
  const own = kept.map((row) => words[row]);
  requireDistinct(own, side);
  const odd = own.find((word) => !isNgram(word));
  if (odd !== undefined) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `The ${side} vectors have ${JSON.stringify(odd)}, which a table cannot hold; leave it out.`,
    );
  }
  if (kept.length === 0) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `No ${side} n-gram has a vector other than 0${longest < Number.POSITIVE_INFINITY ? ` and ${longest} words at most` : ''}: check the vectors.`,
    );
  }
  const rows = gatherRows(rowsOf(vectors), kept);
  scaleToUnit(rows);
  return { words: own, rows };
}

const wordsIn = (ngram: string) => ngram.split(' ').length;

function everyPlace([source, target]: readonly [Side, Side]): Group {
  return {
    source: Int32Array.from(source.words, (_, place) => place),
    target: Int32Array.from(target.words, (_, place) => place),
  };
}

/** N-grams of as many words, where both sides have such. */
function groupsByLength([source, target]: readonly [Side, Side]): Group[] {
  const places = ({ words }: Side) => {
    const byLength = new Map<number, number[]>();
    words.forEach((ngram, place) => {
      const length = wordsIn(ngram);
      const known = byLength.get(length);
      if (known) known.push(place);
      else byLength.set(length, [place]);
    });
    return byLength;
  };
  const [sources, targets] = [places(source), places(target)];
  return [...sources.keys()]
    .filter((length) => targets.has(length))
    .map((length) => ({
      source: Int32Array.from(sources.get(length)!),
      target: Int32Array.from(targets.get(length)!),
    }));
}

/** Scores of both directions, or of one. */
async function searchGroups(
  [source, target]: readonly [Side, Side],
  groups: readonly Group[],
  { topK, neighbors, device, threads }: ResolvedTableOptions,
  { reverse = false, onProgress, signal }: TableRun,
): Promise<[ScoredLists, ScoredLists | undefined]> {
  const search = createMarginSearch({ device: device as Device, threads });
  const interrupt = createInterruption(signal);
  const total = groups.reduce(
    (sum, group) => sum + group.source.length + (reverse ? 2 : 1) * group.target.length,
    0,
  );
  let before = 0;
  const afterChunk = async (rows: number) => {
    onProgress?.(before + rows, total);
    await interrupt();
  };
  const forward = emptyLists(source.words.length, topK);
  const backward = reverse ? emptyLists(target.words.length, topK) : undefined;
  try {
    for (const group of groups) {
      const [x, y] = [rowsAt(source.rows, group.source), rowsAt(target.rows, group.target)];
      const near = await search.neighborhood(y, x, neighbors, afterChunk);
      before += y.count;
      const found = await search.best(x, y, near.means, neighbors, topK, afterChunk);
      before += x.count;
      addMatches(forward, found, near, group.source, group.target);
      if (!backward) continue;
      const back = await search.best(y, x, found.means, neighbors, topK, afterChunk);
      before += y.count;
      addMatches(backward, back, found, group.target, group.source);
    }
  } finally {
    await search.release();
  }
  return [forward, backward];
}

/** The rows at some places; all of them as they lie. */
function rowsAt(rows: VectorRows, places: Int32Array): VectorRows {
  return places.length === rows.count ? rows : gatherRows(rows, places);
}

function emptyLists(count: number, width: number): ScoredLists {
  return {
    width,
    places: new Int32Array(count * width).fill(-1),
    scores: new Float32Array(count * width),
    cited: [],
  };
}

/** Enters what was found for a group, whose places are turned into those of the sides. */
function addMatches(
  lists: ScoredLists,
  { width, places, margins }: MarginMatches,
  { nearest }: Neighborhood,
  sources: Int32Array,
  targets: Int32Array,
): void {
  sources.forEach((source, row) => {
    for (let rank = 0; rank < width; rank++) {
      lists.places[source * lists.width + rank] = targets[places[row * width + rank]];
      lists.scores[source * lists.width + rank] = margins[row * width + rank];
    }
  });
  nearest.forEach((row, target) => {
    const rank = places.subarray(row * width, (row + 1) * width).indexOf(target);
    if (rank >= 0) lists.cited.push(sources[row] * lists.width + rank);
  });
}

function withProbabilities(
  sources: readonly string[],
  targets: readonly string[],
  lists: ScoredLists,
  { probabilities, temperature }: ResolvedTableOptions,
): BuiltTable {
  const divisor = probabilities === 'softmax' ? (temperature ?? fitTemperature(lists)) : undefined;
  const { width, places, scores } = lists;
  return {
    sources,
    ...(divisor !== undefined && { temperature: divisor }),
    translationsOf: (index) => {
      const from = index * width;
      const end = places.subarray(from, from + width).indexOf(-1);
      const until = end < 0 ? from + width : from + end;
      const own = scores.subarray(from, until);
      const parts = divisor === undefined ? shares(own) : softmax(own, divisor);
      return Array.from(parts, (probability, rank) => ({
        target: targets[places[from + rank]],
        probability,
      }));
    },
  };
}
