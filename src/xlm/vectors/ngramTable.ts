/**
 * Counts n-grams of one length in memory of a fixed size: a hash table (open addressing) of at most `capacity` n-grams, each a row of
 * word ids.
 */
export class NgramTable {
  /** N-grams in the table; they have the numbers from 0 on, in the order in which they came. */
  size = 0;
  /** How often each n-gram was added. */
  counts: Float64Array;
  /** [size, length] */
  private ids: Int32Array;
  /** Number of an n-gram, or -1 for an empty slot. */
  private slots: Int32Array;

  /**
   * @param length words of an n-gram
   * @param capacity n-grams at most
   */
  constructor(
    readonly length: number,
    readonly capacity: number,
  ) {
    const rows = Math.min(capacity, 1024);
    this.counts = new Float64Array(rows);
    this.ids = new Int32Array(rows * length);
    this.slots = new Int32Array(slotsFor(rows)).fill(-1);
  }

  /**
   * Adds to the count of the n-gram that begins at `at`.
   * @param hash what `hashNgram` gives for it
   * @returns false where the n-gram is new and there is no room for it
   */
  add(words: Int32Array, at: number, hash: number = hashNgram(words, at, this.length)): boolean {
    const slot = this.slotOf(words, at, hash);
    const found = this.slots[slot];
    if (found >= 0) {
      this.counts[found]++;
      return true;
    }
    if (this.size === this.capacity) return false;
    this.insert(words, at, slot);
    return true;
  }

  /** Number of the n-gram that begins at `at`, or -1. */
  find(words: Int32Array, at: number, hash: number = hashNgram(words, at, this.length)): number {
    return this.slots[this.slotOf(words, at, hash)];
  }

  /** The word ids of an n-gram. */
  wordsOf(ngram: number): Int32Array {
    return this.ids.subarray(ngram * this.length, (ngram + 1) * this.length);
  }

  /** Forgets the n-grams whose hashes fail the test; the others get new numbers. */
  keep(test: (hash: number) => boolean): void {
    let kept = 0;
    for (let ngram = 0; ngram < this.size; ngram++) {
      if (!test(hashNgram(this.ids, ngram * this.length, this.length))) continue;
      this.counts[kept] = this.counts[ngram];
      this.ids.copyWithin(kept * this.length, ngram * this.length, (ngram + 1) * this.length);
      kept++;
    }
    this.size = kept;
    this.fillSlots();
  }

  private slotOf(words: Int32Array, at: number, hash: number): number {
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    for (let ngram = this.slots[slot]; ngram >= 0; ngram = this.slots[slot]) {
      if (this.isAt(ngram, words, at)) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private isAt(ngram: number, words: Int32Array, at: number): boolean {
    const start = ngram * this.length;
    for (let i = 0; i < this.length; i++) if (this.ids[start + i] !== words[at + i]) return false;
    return true;
  }

  private insert(words: Int32Array, at: number, slot: number): void {
    const ngram = this.size++;
    this.slots[slot] = ngram;
    if (ngram === this.counts.length) this.grow();
    this.counts[ngram] = 1;
    for (let i = 0; i < this.length; i++) this.ids[ngram * this.length + i] = words[at + i];
    if (this.size * 2 > this.slots.length) {
      this.slots = new Int32Array(this.slots.length * 2);
      this.fillSlots();
    }
  }

  private grow(): void {
    const rows = Math.min(this.capacity, this.counts.length * 2);
    const counts = new Float64Array(rows);
    counts.set(this.counts);
    this.counts = counts;
    const ids = new Int32Array(rows * this.length);
    ids.set(this.ids);
    this.ids = ids;
  }

  private fillSlots(): void {
    this.slots.fill(-1);
    const mask = this.slots.length - 1;
    for (let ngram = 0; ngram < this.size; ngram++) {
      let slot = hashNgram(this.ids, ngram * this.length, this.length) & mask;
      while (this.slots[slot] >= 0) slot = (slot + 1) & mask;
      this.slots[slot] = ngram;
    }
  }
}

/** A hash of the n-gram that begins at `at`: 32 well mixed bits, unsigned. */
export function hashNgram(words: Int32Array, at: number, length: number): number {
  let hash = length;
  for (let i = 0; i < length; i++) {
    hash = Math.imul(hash ^ words[at + i], 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 13), 0x85ebca6b);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A power of two, at least twice the n-grams. */
function slotsFor(ngrams: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2, ngrams * 2)));
}
