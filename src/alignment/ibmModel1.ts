/*
 * IBM Model 1 (Brown et al., "The mathematics of statistical machine translation", 1993, section 4.1): each target token
 * comes from one source token of the sentence, or from none, whatever the order; t(target | source) is learned by
 * expectation maximization from t = a constant, from where it finds the one maximum there is.
 */

/** One sentence and its translation, as token ids. */
export interface TokenPair {
  source: readonly number[];
  target: readonly number[];
}

/** t(target | source), an entry for each pair of tokens that shared a sentence. All arrays [entries]. */
export interface LexicalTable {
  source: Int32Array;
  target: Int32Array;
  probability: Float64Array;
}

/** How the model is trained. */
export interface IbmModel1Options {
  /** Rounds of expectation maximization, from 1. Default 5. */
  iterations?: number;
  /** Told after each round, and how often that is in all. */
  onIteration?: (done: number, total: number) => void;
}

/** Entries of the table while it is made, found by their two tokens. */
interface Entries {
  count: number;
  source: Int32Array;
  target: Int32Array;
  /** Entry + 1 of each slot, 0 where it is free; a power of two of them, at most half full. */
  slots: Int32Array;
}

/**
 * Learns t(target | source) from parallel text. Entries of the empty word, which any target token may come from as well,
 * are left out of the result, so that the probabilities of each source token's entries sum to one.
 *
 * @param pairs with ids from 0
 */
export function trainIbmModel1(
  pairs: readonly TokenPair[],
  { iterations = 5, onIteration }: IbmModel1Options = {},
): LexicalTable {
  const empty = pairs.reduce((most, { source }) => source.reduce((a, id) => Math.max(a, id + 1), most), 0);
  const entries: Entries = {
    count: 0,
    source: new Int32Array(1024),
    target: new Int32Array(1024),
    slots: new Int32Array(2048),
  };
  for (const pair of pairs) eachCell(pair, empty, (source, target) => findEntry(entries, source, target));
  let probability = new Float64Array(entries.count).fill(1);
  for (let round = 1; round <= iterations; round++) {
    probability = oneRound(pairs, empty, entries, probability);
    onIteration?.(round, iterations);
  }
  const kept = Array.from({ length: entries.count }, (_, entry) => entry).filter(
    (entry) => entries.source[entry] !== empty,
  );
  return {
    source: Int32Array.from(kept, (entry) => entries.source[entry]),
    target: Int32Array.from(kept, (entry) => entries.target[entry]),
    probability: Float64Array.from(kept, (entry) => probability[entry]),
  };
}

/** Expected counts under the present probabilities, and the probabilities that fit them best. */
function oneRound(
  pairs: readonly TokenPair[],
  empty: number,
  entries: Entries,
  probability: Float64Array,
): Float64Array<ArrayBuffer> {
  const counts = new Float64Array(entries.count);
  const totals = new Float64Array(empty + 1);
  let cells = new Int32Array(1024);
  for (const pair of pairs) {
    const width = pair.source.length + 1;
    if (width * pair.target.length > cells.length) cells = new Int32Array(2 * width * pair.target.length);
    let at = 0;
    eachCell(pair, empty, (source, target) => {
      cells[at++] = findEntry(entries, source, target);
    });
    for (let from = 0; from < at; from += width) {
      let sum = 0;
      for (let i = from; i < from + width; i++) sum += probability[cells[i]];
      for (let i = from; i < from + width; i++) {
        const part = probability[cells[i]] / sum;
        counts[cells[i]] += part;
        totals[entries.source[cells[i]]] += part;
      }
    }
  }
  return counts.map((count, entry) => count / totals[entries.source[entry]]);
}

/** Every target token with every source token, the empty word last. */
function eachCell(
  { source, target }: TokenPair,
  empty: number,
  visit: (source: number, target: number) => void,
): void {
  for (const to of target) {
    for (const from of source) visit(from, to);
    visit(empty, to);
  }
}

/** The entry of two tokens, which is made where it is new. */
function findEntry(entries: Entries, source: number, target: number): number {
  let slot = slotOf(entries, source, target);
  const known = entries.slots[slot];
  if (known !== 0) return known - 1;
  if (2 * (entries.count + 1) > entries.slots.length) {
    grow(entries);
    slot = slotOf(entries, source, target);
  }
  const entry = entries.count++;
  entries.source[entry] = source;
  entries.target[entry] = target;
  entries.slots[slot] = entry + 1;
  return entry;
}

/** Where two tokens are, or belong. */
function slotOf(
  { slots, source: sources, target: targets }: Entries,
  source: number,
  target: number,
): number {
  const mask = slots.length - 1;
  let hash = Math.imul(source + 1, 0x9e3779b1) ^ Math.imul(target + 1, 0x85ebca6b);
  hash ^= hash >>> 15;
  for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
    const entry = slots[slot] - 1;
    if (entry < 0 || (sources[entry] === source && targets[entry] === target)) return slot;
  }
}

function grow(entries: Entries): void {
  for (const name of ['source', 'target'] as const) {
    const larger = new Int32Array(entries.slots.length);
    larger.set(entries[name].subarray(0, entries.count));
    entries[name] = larger;
  }
  entries.slots = new Int32Array(2 * entries.slots.length);
  for (let entry = 0; entry < entries.count; entry++) {
    entries.slots[slotOf(entries, entries.source[entry], entries.target[entry])] = entry + 1;
  }
}
