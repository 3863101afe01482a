import { PolybeamError } from '../../errors.js';
import type { Texts } from '../texts.js';
import { ngramJoiner, wordsIn } from '../words.js';
import { hashNgram, NgramTable } from './ngramTable.js';

/** The words of texts that are frequent enough. */
export interface WordCounts {
  /** Most frequent first, equally frequent ones by code units; a word's place is its id. */
  words: string[];
  counts: number[];
  /** All words of the texts, the rare ones too. */
  tokens: number;
  /** The most frequent word, frequent enough or not; undefined where there is no word. */
  top?: { word: string; count: number };
}

/** What the counting of n-grams is told. */
export interface CountLimits {
  lowercase: boolean;
  /** What occurs fewer times is not counted. */
  minCount: number;
  /** Words or n-grams in memory at once, at most. */
  tableSize: number;
}

/** Told of every part of texts that was read. */
export type CountProgress = (pass: { length: number; texts: number }) => void;

/**
 * Counts the words of texts. Counts are exact; where a table of `tableSize` words does not hold them all, it goes on with half of them
 * (by hash) and the texts are read again for the other half. The sign that joins n-grams in files, ␣, is no word.
 */
export async function countWords(
  texts: Texts,
  { lowercase, minCount, tableSize }: CountLimits,
  onProgress?: CountProgress,
): Promise<WordCounts> {
  const frequent: [string, number][] = [];
  let tokens = 0;
  let top: WordCounts['top'];
  const parts = new Parts();
  while (parts.next()) {
    const counts = new Map<string, number>();
    tokens = 0;
    await eachText(texts, 1, onProgress, (text) => {
      for (const word of wordsIn(lowercase ? text.toLowerCase() : text)) {
        tokens++;
        if (word === ngramJoiner || !parts.has(hashWord(word))) continue;
        const count = counts.get(word) ?? 0;
        while (count === 0 && counts.size >= tableSize) {
          parts.halve(tableSize);
          for (const other of counts.keys()) if (!parts.has(hashWord(other))) counts.delete(other);
        }
        if (parts.has(hashWord(word))) counts.set(word, count + 1);
      }
    });
    for (const [word, count] of counts) {
      if (count > (top?.count ?? 0)) top = { word, count };
      if (count >= minCount) frequent.push([word, count]);
    }
  }
  frequent.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return {
    words: frequent.map(([word]) => word),
    counts: frequent.map(([, count]) => count),
    tokens,
    top,
  };
}

/** Told of an n-gram that is frequent enough; `words` is valid during the call only. */
export type NgramListener = (words: Int32Array, count: number) => void;

/**
 * Counts the n-grams of 2, 3 ... `maxLength` words, exactly: as words are counted, by parts where they are more than `tableSize`. An
 * n-gram can be frequent only where both n-grams of one word less are (Agrawal and Srikant 1994), so only such ones are counted; which
 * these are is remembered in a filter of bits, whose mistakes let in what then turns out to be rare.
 *
 * @param ids - of the words that n-grams may have
 */
export async function countNgrams(
  texts: Texts,
  ids: ReadonlyMap<string, number>,
  maxLength: number,
  limits: CountLimits,
  onNgram: NgramListener,
  onProgress?: CountProgress,
): Promise<void> {
  let shorter: HashFilter | undefined;
  for (let length = 2; length <= maxLength; length++) {
    const frequent = new HashFilter(limits.tableSize * 16);
    const listen: NgramListener = (words, count) => {
      frequent.add(hashNgram(words, 0, length));
      onNgram(words, count);
    };
    await countLength(texts, ids, length, shorter, limits, listen, onProgress);
    shorter = frequent;
  }
}

async function countLength(
  texts: Texts,
  ids: ReadonlyMap<string, number>,
  length: number,
  shorter: HashFilter | undefined,
  { lowercase, minCount, tableSize }: CountLimits,
  onNgram: NgramListener,
  onProgress?: CountProgress,
): Promise<void> {
  const parts = new Parts();
  while (parts.next()) {
    const table = new NgramTable(length, tableSize);
    const count = (words: Int32Array, at: number) => {
      if (shorter && !hasShorter(shorter, words, at, length)) return;
      const hash = hashNgram(words, at, length);
      while (parts.has(hash) && !table.add(words, at, hash)) {
        parts.halve(tableSize);
        table.keep((other) => parts.has(other));
      }
    };
    await eachText(texts, length, onProgress, (text) => {
      const words = Int32Array.from(
        wordsIn(lowercase ? text.toLowerCase() : text),
        (word) => ids.get(word) ?? -1,
      );
      // Where the last word stands that no n-gram may have.
      let border = -1;
      for (let end = 0; end < words.length; end++) {
        if (words[end] < 0) border = end;
        else if (end - border >= length) count(words, end - length + 1);
      }
    });
    for (let ngram = 0; ngram < table.size; ngram++) {
      if (table.counts[ngram] >= minCount) onNgram(table.wordsOf(ngram), table.counts[ngram]);
    }
  }
}

function hasShorter(shorter: HashFilter, words: Int32Array, at: number, length: number): boolean {
  return shorter.has(hashNgram(words, at, length - 1)) && shorter.has(hashNgram(words, at + 1, length - 1));
}

async function eachText(
  texts: Texts,
  length: number,
  onProgress: CountProgress | undefined,
  use: (text: string) => void,
): Promise<void> {
  let done = 0;
  for await (const lines of texts()) {
    for (const line of lines) use(line);
    done += lines.length;
    onProgress?.({ length, texts: done });
  }
}

/** What is counted pass after pass: everything, or a part of a power of two of parts, told by the upper bits of a hash. */
class Parts {
  private readonly waiting: [of: number, which: number][] = [[1, 0]];
  private of = 1;
  private which = 0;

  /** Goes on to the next part; false where none is left. */
  next(): boolean {
    const part = this.waiting.shift();
    if (part) [this.of, this.which] = part;
    return part !== undefined;
  }

  has(hash: number): boolean {
    return ((hash >>> 16) & (this.of - 1)) === this.which;
  }

  /** Leaves half of the present part to a later pass. */
  halve(tableSize: number): void {
    if (this.of === 65536) {
      throw new PolybeamError(
        'OPTION_INVALID',
        `tableSize ${tableSize} is too small for these texts even if they are read 65,536 times: raise it.`,
      );
    }
    this.waiting.push([this.of * 2, this.which + this.of]);
    this.of *= 2;
  }
}

/** A set of hashes of 32 bits that may hold some that were never added. */
class HashFilter {
  private readonly bits: Uint32Array;

  /** @param size bits, at least; at most 2^32 are used */
  constructor(size: number) {
    const bits = 2 ** Math.min(32, Math.max(10, Math.ceil(Math.log2(size))));
    this.bits = new Uint32Array(bits / 32);
  }

  add(hash: number): void {
    this.bits[(hash >>> 5) & (this.bits.length - 1)] |= 1 << (hash & 31);
  }

  has(hash: number): boolean {
    return (this.bits[(hash >>> 5) & (this.bits.length - 1)] & (1 << (hash & 31))) !== 0;
  }
}

/** FNV-1a over UTF-16 units, mixed. */
function hashWord(word: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (hash ^ (hash >>> 16)) >>> 0;
}
