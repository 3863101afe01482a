/**
 * Learns pair merges from word counts: the core that BPE and WordPiece vocabularies share (Sennrich et al. 2016,
 * section 3.2). Pair counts are updated only in the words that a merge touches, and a lazy priority queue finds the
 * next pair: an entry whose count is stale is put back with the current one.
 *
 * Ties go to the pair with the smaller left id, then the smaller right id, as in Hugging Face `tokenizers`; all
 * counts are exact, so the result does not depend on the order of words.
 */

/** What `learnMerges` is given. */
export interface MergeTrainingOptions {
  /** The vocabulary to begin with, in id order: special tokens, alphabet. It is not changed. */
  initialVocabulary: readonly string[];
  /** Tokens in the vocabulary, at most. */
  size: number;
  /** Pairs seen fewer times are not merged. */
  minFrequency: number;
  /** Characters in a token, at most (the continuing prefix not counted); Infinity for no limit. */
  maxTokenLength: number;
  /** Written before each symbol that does not begin a word, '' for none ('##' in WordPiece). */
  continuingPrefix: string;
  /** Called now and then with the size reached. */
  onProgress?: (size: number) => void;
}

/** A learned vocabulary. */
export interface LearnedMerges {
  /** Tokens in id order. */
  vocabulary: string[];
  /** Merges in the order they were learned: the left and the right token. */
  merges: [string, string][];
}

/**
 * Learns merges until `size` tokens are there or no pair is frequent enough.
 *
 * A character outside the initial vocabulary ends the run of symbols: no merge reaches across it.
 *
 * @param words - how often each word was seen; a word is a string of characters (code points)
 */
export function learnMerges(
  words: ReadonlyMap<string, number>,
  options: MergeTrainingOptions,
): LearnedMerges {
  const vocabulary = [...options.initialVocabulary];
  const lengths = vocabulary.map((token) => codePointLength(withoutPrefix(token, options.continuingPrefix)));
  const idOf = new Map(vocabulary.map((token, id) => [token, id]));
  const corpus = layOutWords(words, idOf, options.continuingPrefix);
  const pairs = new PairTable();
  countPairs(corpus, pairs);
  const queue = new PairQueue(pairs);
  for (let pair = 0; pair < pairs.size; pair++) queue.push(pair);

  const merges: [string, string][] = [];
  const merged = new Set<number>();
  while (vocabulary.length < options.size) {
    const pair = queue.pop();
    if (pair < 0 || pairs.counts[pair] < Math.max(1, options.minFrequency)) break;
    const left = pairs.lefts[pair];
    const right = pairs.rights[pair];
    const length = lengths[left] + lengths[right];
    if (length > options.maxTokenLength) continue;
    const token = vocabulary[left] + withoutPrefix(vocabulary[right], options.continuingPrefix);
    let id = idOf.get(token);
    if (id === undefined) {
      id = vocabulary.length;
      vocabulary.push(token);
      lengths.push(length);
      idOf.set(token, id);
    }
    // Two paths can spell one token; then a pair may come back after it was merged, and needs no second rule.
    if (!merged.has(pair)) merges.push([vocabulary[left], vocabulary[right]]);
    merged.add(pair);
    mergeEverywhere(corpus, pairs, queue, pair, id);
    if (merges.length % 1000 === 0) options.onProgress?.(vocabulary.length);
  }
  options.onProgress?.(vocabulary.length);
  return { vocabulary, merges };
}

/** Runs of symbols, end to end in one array; a merge shortens a run in place. */
interface Corpus {
  symbols: Int32Array;
  starts: Int32Array;
  lengths: Int32Array;
  counts: Float64Array;
}

function layOutWords(
  words: ReadonlyMap<string, number>,
  idOf: ReadonlyMap<string, number>,
  prefix: string,
): Corpus {
  const continuing = new Map<string, number | undefined>();
  const continuingId = (char: string) => {
    if (!continuing.has(char)) continuing.set(char, idOf.get(prefix + char));
    return continuing.get(char);
  };
  const symbols: number[] = [];
  const starts: number[] = [];
  const lengths: number[] = [];
  const counts: number[] = [];
  for (const [word, count] of words) {
    let start = symbols.length;
    const close = () => {
      // A single symbol has no pair: it needs no place.
      if (symbols.length - start > 1) {
        starts.push(start);
        lengths.push(symbols.length - start);
        counts.push(count);
      } else symbols.length = start;
      start = symbols.length;
    };
    let first = true;
    for (const char of word) {
      const id = first || !prefix ? idOf.get(char) : continuingId(char);
      if (id === undefined) close();
      else symbols.push(id);
      first = false;
    }
    close();
  }
  return {
    symbols: Int32Array.from(symbols),
    starts: Int32Array.from(starts),
    lengths: Int32Array.from(lengths),
    counts: Float64Array.from(counts),
  };
}

function countPairs(corpus: Corpus, pairs: PairTable): void {
  for (let word = 0; word < corpus.starts.length; word++) {
    const start = corpus.starts[word];
    const end = start + corpus.lengths[word] - 1;
    for (let i = start; i < end; i++) {
      const pair = pairs.find(corpus.symbols[i], corpus.symbols[i + 1]);
      pairs.counts[pair] += corpus.counts[word];
      pairs.addWord(pair, word);
    }
  }
}

function mergeEverywhere(
  corpus: Corpus,
  pairs: PairTable,
  queue: PairQueue,
  pair: number,
  replacement: number,
): void {
  const words = pairs.takeWords(pair);
  const left = pairs.lefts[pair];
  const right = pairs.rights[pair];
  const grown = new Set<number>();
  for (const word of words) mergeInWord(corpus, pairs, word, left, right, replacement, grown);
  pairs.counts[pair] = 0;
  for (const other of grown) if (pairs.counts[other] > 0) queue.push(other);
}

function mergeInWord(
  corpus: Corpus,
  pairs: PairTable,
  word: number,
  left: number,
  right: number,
  replacement: number,
  grown: Set<number>,
): void {
  const { symbols } = corpus;
  const start = corpus.starts[word];
  const end = start + corpus.lengths[word];
  const count = corpus.counts[word];
  const add = (a: number, b: number) => {
    const other = pairs.find(a, b);
    pairs.counts[other] += count;
    pairs.addWord(other, word);
    grown.add(other);
  };
  let to = start;
  for (let from = start; from < end; to++) {
    if (symbols[from] !== left || from + 1 >= end || symbols[from + 1] !== right) {
      symbols[to] = symbols[from++];
      continue;
    }
    if (to > start) {
      pairs.counts[pairs.find(symbols[to - 1], left)] -= count;
      add(symbols[to - 1], replacement);
    }
    if (from + 2 < end) {
      pairs.counts[pairs.find(right, symbols[from + 2])] -= count;
      add(replacement, symbols[from + 2]);
    }
    symbols[to] = replacement;
    from += 2;
  }
  corpus.lengths[word] = to - start;
}

/** Pairs of symbols under dense numbers, with their counts and the words they are in. */
class PairTable {
  size = 0;
  lefts = new Int32Array(1024);
  rights = new Int32Array(1024);
  counts = new Float64Array(1024);
  /** First link of each pair's list of words, or -1. */
  private heads = new Int32Array(1024);
  private linkWords = new Int32Array(4096);
  private linkNexts = new Int32Array(4096);
  private linkCount = 0;
  private freeLink = -1;
  /** Open addressing; -1 is an empty slot. */
  private slots = new Int32Array(4096).fill(-1);

  /** The number of a pair; a new pair has count 0. */
  find(left: number, right: number): number {
    const mask = this.slots.length - 1;
    let slot = hashPair(left, right) & mask;
    for (let pair = this.slots[slot]; pair >= 0; pair = this.slots[slot]) {
      if (this.lefts[pair] === left && this.rights[pair] === right) return pair;
      slot = (slot + 1) & mask;
    }
    const pair = this.size++;
    if (pair === this.lefts.length) this.growPairs();
    this.lefts[pair] = left;
    this.rights[pair] = right;
    this.heads[pair] = -1;
    this.slots[slot] = pair;
    if (this.size * 2 > this.slots.length) this.rehash();
    return pair;
  }

  addWord(pair: number, word: number): void {
    const head = this.heads[pair];
    if (head >= 0 && this.linkWords[head] === word) return;
    let link = this.freeLink;
    if (link >= 0) this.freeLink = this.linkNexts[link];
    else {
      link = this.linkCount++;
      if (link === this.linkWords.length) {
        this.linkWords = grow(this.linkWords);
        this.linkNexts = grow(this.linkNexts);
      }
    }
    this.linkWords[link] = word;
    this.linkNexts[link] = head;
    this.heads[pair] = link;
  }

  /** The words a pair may be in, and forgets them. A word that was merged since may no longer have the pair. */
  takeWords(pair: number): number[] {
    const words: number[] = [];
    for (let link = this.heads[pair]; link >= 0; ) {
      words.push(this.linkWords[link]);
      const next = this.linkNexts[link];
      this.linkNexts[link] = this.freeLink;
      this.freeLink = link;
      link = next;
    }
    this.heads[pair] = -1;
    return words;
  }

  private growPairs(): void {
    this.lefts = grow(this.lefts);
    this.rights = grow(this.rights);
    this.heads = grow(this.heads);
    const counts = new Float64Array(this.counts.length * 2);
    counts.set(this.counts);
    this.counts = counts;
  }

  private rehash(): void {
    this.slots = new Int32Array(this.slots.length * 2).fill(-1);
    const mask = this.slots.length - 1;
    for (let pair = 0; pair < this.size; pair++) {
      let slot = hashPair(this.lefts[pair], this.rights[pair]) & mask;
      while (this.slots[slot] >= 0) slot = (slot + 1) & mask;
      this.slots[slot] = pair;
    }
  }
}

/** A binary heap of (pair, count when it was pushed), the most frequent first, ties to the smaller ids. */
class PairQueue {
  private readonly heapPairs: number[] = [];
  private readonly heapCounts: number[] = [];

  constructor(private readonly pairs: PairTable) {}

  push(pair: number): void {
    this.heapPairs.push(pair);
    this.heapCounts.push(this.pairs.counts[pair]);
    this.siftUp(this.heapPairs.length - 1);
  }

  /** The pair with the largest current count, or -1 where none is left with a count above 0. */
  pop(): number {
    while (this.heapPairs.length > 0) {
      const pair = this.heapPairs[0];
      const count = this.heapCounts[0];
      const current = this.pairs.counts[pair];
      if (count !== current && current > 0 && current < count) {
        this.heapCounts[0] = current;
        this.siftDown(0);
        continue;
      }
      this.removeTop();
      // An entry below the current count is a duplicate: the one pushed when the count grew stands above it.
      if (count === current && current > 0) return pair;
    }
    return -1;
  }

  private removeTop(): void {
    const pair = this.heapPairs.pop()!;
    const count = this.heapCounts.pop()!;
    if (this.heapPairs.length === 0) return;
    this.heapPairs[0] = pair;
    this.heapCounts[0] = count;
    this.siftDown(0);
  }

  private before(a: number, b: number): boolean {
    if (this.heapCounts[a] !== this.heapCounts[b]) return this.heapCounts[a] > this.heapCounts[b];
    const { lefts, rights } = this.pairs;
    const pairA = this.heapPairs[a];
    const pairB = this.heapPairs[b];
    if (lefts[pairA] !== lefts[pairB]) return lefts[pairA] < lefts[pairB];
    return rights[pairA] < rights[pairB];
  }

  private siftUp(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.before(at, parent)) return;
      this.swap(at, parent);
      at = parent;
    }
  }

  private siftDown(from: number): void {
    const { length } = this.heapPairs;
    for (let at = from; ; ) {
      let best = at;
      const child = 2 * at + 1;
      if (child < length && this.before(child, best)) best = child;
      if (child + 1 < length && this.before(child + 1, best)) best = child + 1;
      if (best === at) return;
      this.swap(at, best);
      at = best;
    }
  }

  private swap(a: number, b: number): void {
    [this.heapPairs[a], this.heapPairs[b]] = [this.heapPairs[b], this.heapPairs[a]];
    [this.heapCounts[a], this.heapCounts[b]] = [this.heapCounts[b], this.heapCounts[a]];
  }
}

function hashPair(left: number, right: number): number {
  const mixed = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca77);
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) >>> 7;
}

function grow(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}

function codePointLength(text: string): number {
  return [...text].length;
}

function withoutPrefix(token: string, prefix: string): string {
  return prefix && token.startsWith(prefix) ? token.slice(prefix.length) : token;
}
