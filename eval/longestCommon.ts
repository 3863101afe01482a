/**
 * Longest common subsequences of words, as ROUGE-L counts them (Lin 2004, section 3).
 *
 * Rows of the usual table T[i][j], the length for the first i and j words, rise by 0 or 1 from place to place, so a row is a bit for
 * each place and the next row one addition (Hyyrö 2004): 32 places at a time, and words are touched only where they match. Rows
 * that are needed again are made again from a few that were kept, so memory grows as n sqrt(n) bits, not as n^2 numbers.
 */

/** Length of the longest common subsequence of two sequences of words. */
export function lcsLength(a: readonly string[], b: readonly string[]): number {
  const [left, right] = toIds(a, b);
  const row = firstRow(right.length);
  const masks = masksOf(right);
  for (const word of left) advance(row, masks.get(word));
  return countZeros(row, right.length);
}

/**
 * Which places of two sequences belong to one longest common subsequence, traced from the ends: a match is taken; where there is none
 * the last word of `b` is dropped only if that leaves more than dropping the last of `a`.
 * @returns 1 for each place that belongs to it: [a.length], [b.length]
 */
export function commonPlaces(a: readonly string[], b: readonly string[]): [Uint8Array, Uint8Array] {
  const [left, right] = toIds(a, b);
  const [inLeft, inRight] = [new Uint8Array(left.length), new Uint8Array(right.length)];
  const rows = rowsOnDemand(left, right);
  let i = left.length;
  let j = right.length;
  // T[i][j] and T[i - 1][j].
  let [here, above] = i > 0 ? [countZeros(rows(i), j), countZeros(rows(i - 1), j)] : [0, 0];
  while (i > 0 && j > 0) {
    const [row, rowAbove] = [rows(i), rows(i - 1)];
    if (left[i - 1] === right[j - 1]) {
      inLeft[--i] = 1;
      inRight[--j] = 1;
      here = above - stepAt(rowAbove, j);
      if (i > 0) above = countZeros(rows(i - 1), j);
    } else if (here - stepAt(row, j - 1) > above) {
      j--;
      here -= stepAt(row, j);
      above -= stepAt(rowAbove, j);
    } else {
      i--;
      here = above;
      if (i > 0) above = countZeros(rows(i - 1), j);
    }
  }
  return [inLeft, inRight];
}

/**
 * Words of a reference that ROUGE-L counts for a summary of several sentences (Lin 2004, section 3.2): for each sentence of the
 * reference the union of its longest common subsequences with all sentences of the hypothesis. No word counts more
 * often than both sides have it, as in ROUGE 1.5.5.
 *
 * Which of several longest subsequences is taken changes the union; it is the one that rouge-score takes.
 *
 * @param reference sentences, each a list of words
 * @param hypothesis sentences, each a list of words
 */
export function unionLcsHits(
  reference: readonly (readonly string[])[],
  hypothesis: readonly (readonly string[])[],
): number {
  const leftInReference = countWords(reference);
  const leftInHypothesis = countWords(hypothesis);
  let hits = 0;
  for (const sentence of reference) {
    const inUnion = new Uint8Array(sentence.length);
    for (const other of hypothesis) {
      const [places] = commonPlaces(sentence, other);
      for (const [i, isIn] of places.entries()) inUnion[i] |= isIn;
    }
    for (const [i, word] of sentence.entries()) {
      if (!inUnion[i]) continue;
      const here = leftInReference.get(word)!;
      const there = leftInHypothesis.get(word) ?? 0;
      if (here === 0 || there === 0) continue;
      hits++;
      leftInReference.set(word, here - 1);
      leftInHypothesis.set(word, there - 1);
    }
  }
  return hits;
}

/** A row of the table: bit j is 0 where T[i][j + 1] is one more than T[i][j]. */
type Row = Int32Array;

function firstRow(places: number): Row {
  return new Int32Array(Math.ceil(places / 32)).fill(-1);
}

/** Where a word stands: blocks of 32 places, and the bits in each. */
interface Mask {
  blocks: number[];
  bits: number[];
}

function masksOf(words: Int32Array): Map<number, Mask> {
  const masks = new Map<number, Mask>();
  for (const [place, word] of words.entries()) {
    const mask = masks.get(word) ?? { blocks: [], bits: [] };
    masks.set(word, mask);
    const block = place >>> 5;
    const last = mask.blocks.length - 1;
    if (mask.blocks[last] === block) mask.bits[last] |= 1 << (place & 31);
    else {
      mask.blocks.push(block);
      mask.bits.push(1 << (place & 31));
    }
  }
  return masks;
}

/** Makes the next row of a row, where it lies: V = (V + (V & M)) | (V & ~M). A carry runs on until a block takes it. */
function advance(row: Row, mask: Mask | undefined): void {
  if (!mask) return;
  const { blocks, bits } = mask;
  let carry = 0;
  let block = 0;
  for (let at = 0; at < blocks.length; at++) {
    for (; carry && block < blocks[at]; block++) carry = add(row, block, 0, carry);
    block = blocks[at];
    carry = add(row, block, bits[at], carry);
    block++;
  }
  for (; carry && block < row.length; block++) carry = add(row, block, 0, carry);
}

function add(row: Row, block: number, mask: number, carry: number): number {
  const value = row[block];
  const sum = (value >>> 0) + ((value & mask) >>> 0) + carry;
  row[block] = sum | 0 | (value & ~mask);
  return sum > 0xffffffff ? 1 : 0;
}

/** Rows 0 to left.length, of which few are held. @returns those of one stretch stay as they are until another stretch is asked for */
function rowsOnDemand(left: Int32Array, right: Int32Array): (i: number) => Row {
  const masks = masksOf(right);
  const stretch = Math.ceil(Math.sqrt(left.length + 1));
  const kept: Row[] = [];
  const row = firstRow(right.length);
  for (let i = 0; i <= left.length; i++) {
    if (i % stretch === 0) kept.push(row.slice());
    if (i < left.length) advance(row, masks.get(left[i]));
  }
  const made = new Map<number, Row[]>();
  const rowsOf = (number: number): Row[] => {
    let rows = made.get(number);
    if (rows) return rows;
    // Two neighboring rows may lie in two stretches.
    for (const other of made.keys()) if (other > number + 1) made.delete(other);
    const next = kept[number].slice();
    rows = [kept[number]];
    const first = number * stretch;
    for (let i = first; i < Math.min(first + stretch - 1, left.length); i++) {
      advance(next, masks.get(left[i]));
      rows.push(next.slice());
    }
    made.set(number, rows);
    return rows;
  };
  return (i) => rowsOf(Math.floor(i / stretch))[i % stretch];
}

/** By how much a row rises from place j to the next. */
function stepAt(row: Row, j: number): number {
  return 1 - ((row[j >>> 5] >>> (j & 31)) & 1);
}

/** T[i][places]: the zeros among the first bits of a row. */
function countZeros(row: Row, places: number): number {
  let ones = 0;
  const whole = places >>> 5;
  for (let block = 0; block < whole; block++) ones += bitCount(row[block]);
  if (places & 31) ones += bitCount(row[whole] & ((1 << (places & 31)) - 1));
  return places - ones;
}

function bitCount(value: number): number {
  const pairs = value - ((value >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Words as small integers, which compare faster. */
function toIds(a: readonly string[], b: readonly string[]): [Int32Array, Int32Array] {
  const ids = new Map<string, number>();
  const id = (word: string) => {
    let known = ids.get(word);
    if (known === undefined) {
      known = ids.size;
      ids.set(word, known);
    }
    return known;
  };
  return [Int32Array.from(a, id), Int32Array.from(b, id)];
}

function countWords(sentences: readonly (readonly string[])[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const words of sentences) {
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}
