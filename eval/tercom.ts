/**
 * The edits of TER (Snover et al. 2006, section 3), with the limits and tie-breaking of Tercom as sacreBLEU has them: while
 * moving a run of words lessens the edit distance, the best move is made and counts as one edit.
 */
const maxShiftSize = 10;
const maxShiftDistance = 50;
const maxShiftCandidates = 1000;
const beamWidth = 25;
const unreachable = 1e9;

/**
 * The number of edits that turn a hypothesis into a reference: insertions, deletions and substitutions of words, and shifts
 * of runs of words. Shifts are searched for greedily, so it may exceed the least possible number.
 */
export function countEdits(hypothesis: readonly string[], reference: readonly string[]): number {
  if (reference.length === 0) return hypothesis.length;
  const ids = new Map<string, number>();
  const id = (word: string) => {
    const known = ids.get(word);
    if (known !== undefined) return known;
    ids.set(word, ids.size);
    return ids.size - 1;
  };
  const target = Int32Array.from(reference, id);
  let words = Int32Array.from(hypothesis, id);
  let shifts = 0;
  let candidates = 0;
  for (;;) {
    const table = editTable(words, target);
    const best = bestShift(words, target, table, candidates);
    candidates = best.candidates;
    if (candidates >= maxShiftCandidates || best.gain <= 0) return shifts + table.distance;
    words = shiftWords(words, best.start, best.length, best.to);
    shifts++;
  }
}

/** A row of the table of distances, of which only places near the diagonal are looked at: all others are unreachable. */
interface Row {
  /** The first place. */
  from: number;
  count: number;
  /** [count], or more */
  values: Int32Array;
}

/** Distances of all prefixes; `rows[i]` is that of the first i words. [words + 1] rows of [target + 1] places */
interface EditTable {
  rows: Row[];
  distance: number;
  /** Target words on either side of the diagonal that are looked at. */
  width: number;
}

function editTable(words: Int32Array, target: Int32Array): EditTable {
  const ratio = words.length > 0 ? target.length / words.length : 1;
  // Where lengths differ so much that neighboring rows would not meet, the beam is made wider.
  const width = beamWidth < ratio / 2 ? Math.ceil(ratio / 2 + beamWidth) : beamWidth;
  const first = Int32Array.from({ length: target.length + 1 }, (_, j) => j);
  const rows: Row[] = [{ from: 0, count: first.length, values: first }];
  for (let i = 1; i <= words.length; i++) {
    const [from, last] = beamOf(i, words.length, target.length, width);
    const row = { from, count: 0, values: new Int32Array(Math.max(0, last - from + 1)) };
    fillRow(row, rows[i - 1], words, i, target, width);
    rows.push(row);
  }
  return { rows, distance: distanceAt(rows[words.length], target.length), width };
}

function distanceAt({ from, count, values }: Row, j: number): number {
  return j >= from && j < from + count ? values[j - from] : unreachable;
}

/** The first and the last place of a row that are looked at. */
function beamOf(i: number, words: number, target: number, width: number): [number, number] {
  const diagonal = Math.floor(i * (target / words));
  return [Math.max(0, diagonal - width), i === words ? target : Math.min(target, diagonal + width - 1)];
}

/** One row of distances from the row before. */
function fillRow(
  row: Row,
  before: Row,
  words: Int32Array,
  i: number,
  target: Int32Array,
  width: number,
): void {
  const [from, last] = beamOf(i, words.length, target.length, width);
  row.from = from;
  row.count = Math.max(0, last - from + 1);
  const { values } = row;
  const word = words[i - 1];
  let left = unreachable;
  let diagonal = from > 0 ? distanceAt(before, from - 1) : unreachable;
  for (let j = from; j <= last; j++) {
    const above = distanceAt(before, j);
    if (j === 0) left = above + 1;
    else left = Math.min(unreachable, diagonal + (word === target[j - 1] ? 0 : 1), above + 1, left + 1);
    values[j - from] = left;
    diagonal = above;
  }
}

/** How words and target stand to each other on the best path. */
interface Alignment {
  /** For each target word the last word aligned at or before it, -1 for none. [target] */
  align: Int32Array;
  /** 1 where a word is wrong. [words] */
  wordErrors: Uint8Array;
  /** 1 where a target word is missing or wrong. [target] */
  targetErrors: Uint8Array;
}

/** Traces the best path back; a match or substitution goes before a deletion, and that before an insertion. */
function traceBack(words: Int32Array, target: Int32Array, { rows }: EditTable): Alignment {
  const align = new Int32Array(target.length);
  const wordErrors = new Uint8Array(words.length);
  const targetErrors = new Uint8Array(target.length);
  let i = words.length;
  let j = target.length;
  while (i > 0 || j > 0) {
    const cost = distanceAt(rows[i], j);
    const matched = i > 0 && j > 0 && words[i - 1] === target[j - 1];
    if (i > 0 && j > 0 && cost === distanceAt(rows[i - 1], j - 1) + (matched ? 0 : 1)) {
      i--;
      j--;
      align[j] = i;
      if (!matched) {
        wordErrors[i] = 1;
        targetErrors[j] = 1;
      }
    } else if (i > 0 && cost === distanceAt(rows[i - 1], j) + 1) {
      i--;
      wordErrors[i] = 1;
    } else {
      j--;
      align[j] = i - 1;
      targetErrors[j] = 1;
    }
  }
  return { align, wordErrors, targetErrors };
}

interface Shift {
  /** By how much the edit distance falls. */
  gain: number;
  length: number;
  start: number;
  to: number;
  /** Shifts tried so far for this hypothesis. */
  candidates: number;
}

/** The shift that gains most; of equals the longest, then the first by place and by goal. */
function bestShift(words: Int32Array, target: Int32Array, table: EditTable, tried: number): Shift {
  const { align, wordErrors, targetErrors } = traceBack(words, target, table);
  const best: Shift = { gain: Number.NEGATIVE_INFINITY, length: 0, start: 0, to: 0, candidates: tried };
  const measure = shiftMeasure(words, target, table);
  for (const [start, at, length] of matchingRuns(words, target)) {
    if (!hasError(wordErrors, start, length) || !hasError(targetErrors, at, length)) continue;
    if (start <= align[at] && align[at] < start + length) continue;
    let previous = -1;
    for (let offset = -1; offset < length && at + offset < target.length; offset++) {
      const to = at + offset < 0 ? 0 : align[at + offset] + 1;
      if (to === previous) continue;
      previous = to;
      const gain = table.distance - measure(start, length, to);
      best.candidates++;
      if (isBetter(gain, length, start, to, best)) Object.assign(best, { gain, length, start, to });
    }
    if (best.candidates >= maxShiftCandidates) break;
  }
  return best;
}

function isBetter(gain: number, length: number, start: number, to: number, best: Shift): boolean {
  if (gain !== best.gain) return gain > best.gain;
  if (length !== best.length) return length > best.length;
  return start !== best.start ? start < best.start : to < best.to;
}

function hasError(errors: Uint8Array, start: number, length: number): boolean {
  for (let i = start; i < start + length; i++) if (errors[i]) return true;
  return false;
}

/** Runs of words that the target has too: [start, start in target, length], each length up to the longest. */
function* matchingRuns(words: Int32Array, target: Int32Array): Generator<[number, number, number]> {
  for (let start = 0; start < words.length; start++) {
    const last = Math.min(target.length - 1, start + maxShiftDistance);
    for (let at = Math.max(0, start - maxShiftDistance); at <= last; at++) {
      const most = Math.min(maxShiftSize, words.length - start, target.length - at);
      for (
        let length = 1;
        length <= most && words[start + length - 1] === target[at + length - 1];
        length++
      ) {
        yield [start, at, length];
      }
    }
  }
}

/** Edit distances after a shift; the rows of the words before it are those of the table. */
function shiftMeasure(words: Int32Array, target: Int32Array, { rows, width }: EditTable) {
  const buffers = [0, 1].map((): Row => ({ from: 0, count: 0, values: new Int32Array(target.length + 1) }));
  return (start: number, length: number, to: number): number => {
    const shifted = shiftWords(words, start, length, to);
    let before = rows[Math.min(start, to)];
    for (let i = Math.min(start, to) + 1; i <= shifted.length; i++) {
      const row = buffers[i % 2];
      fillRow(row, before, shifted, i, target, width);
      before = row;
    }
    return distanceAt(before, target.length);
  };
}

/** The words with a run moved before the word at `to`, or, where that lies in the run, as far behind its place. */
function shiftWords(words: Int32Array, start: number, length: number, to: number): Int32Array<ArrayBuffer> {
  const run = words.subarray(start, start + length);
  const end = start + length;
  if (to < start) return join(words.subarray(0, to), run, words.subarray(to, start), words.subarray(end));
  const goal = to > end ? to : length + to;
  return join(words.subarray(0, start), words.subarray(end, goal), run, words.subarray(Math.max(end, goal)));
}

function join(...parts: Int32Array[]): Int32Array<ArrayBuffer> {
  const joined = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
