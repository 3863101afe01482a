import { createDraws } from '../../pretraining/draws.js';
import type { Texts } from '../texts.js';
import { wordsIn } from '../words.js';
import type { Ngram } from './ngrams.js';
import { NgramTable } from './ngramTable.js';

/** Words and n-grams as a trainer of vectors sees them: units that texts are cut into. Plain data that can be sent to a worker. */
export interface Units {
  /** Word ids of all units, end to end. */
  ids: Int32Array;
  /** Where each unit ends in `ids`. */
  ends: Int32Array;
  /** What stands for each unit in the texts that are trained on, without white space. */
  spellings: string[];
}

/** Texts as ids of words, each followed by `textEnd`; `noUnit` is a word that no unit has. */
export type WordIds = Int32Array;

const noUnit = -1;
const textEnd = -2;

/** How texts are cut. */
export interface CutOptions {
  /** Times that the texts are gone through, cut anew each time. */
  epochs: number;
  /** Probability that words which make an n-gram of the vocabulary are joined, where the text is not cut within them already. */
  join: number;
  /** Unsigned 32-bit. */
  seed: number;
}

/**
 * The units of a vocabulary, and the ids of their words.
 * @param spell what stands for a unit, from its words
 */
export function unitsOf(
  ngrams: readonly Ngram[],
  spell: (words: readonly string[]) => string,
): { units: Units; idOf: Map<string, number> } {
  const idOf = new Map<string, number>();
  const ids: number[] = [];
  const ends: number[] = [];
  const spellings: string[] = [];
  for (const { text } of ngrams) {
    const words = text.split(' ');
    for (const word of words) {
      if (!idOf.has(word)) idOf.set(word, idOf.size);
      ids.push(idOf.get(word)!);
    }
    ends.push(ids.length);
    spellings.push(spell(words));
  }
  return { units: { ids: Int32Array.from(ids), ends: Int32Array.from(ends), spellings }, idOf };
}

/** Texts as ids of words. */
export async function wordIdsOf(
  texts: Texts,
  idOf: ReadonlyMap<string, number>,
  lowercase: boolean,
  onProgress?: (texts: number) => void,
): Promise<WordIds> {
  let ids = new Int32Array(1 << 16);
  let size = 0;
  let done = 0;
  for await (const lines of texts()) {
    for (const line of lines) {
      const words = wordsIn(lowercase ? line.toLowerCase() : line);
      if (size + words.length + 1 > ids.length) ids = grown(ids, size + words.length + 1);
      for (const word of words) ids[size++] = idOf.get(word) ?? noUnit;
      ids[size++] = textEnd;
    }
    done += lines.length;
    onProgress?.(done);
  }
  return ids.slice(0, size);
}

/**
 * The texts as a trainer reads them: units with spaces between them, a line for each text that has a unit, in UTF-8. The texts come
 * `epochs` times, each time cut anew at random, so that the words around an n-gram meet both the n-gram and its words.
 */
export function* unitLines(words: WordIds, units: Units, options: CutOptions): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  const lexicon = new UnitLexicon(units);
  const spelled = units.spellings.map((spelling) => encoder.encode(spelling));
  const longest = spelled.reduce((most, { length }) => Math.max(most, length), 0);
  let chunk = new Uint8Array(chunkBytes);
  let size = 0;
  const write = (unit: number) => {
    if (size + longest + 1 > chunk.length) chunk = grownBytes(chunk, size + longest + 1);
    if (unit >= 0) {
      chunk.set(spelled[unit], size);
      size += spelled[unit].length;
      chunk[size++] = 32;
    } else if (size > 0 && chunk[size - 1] === 32) chunk[size - 1] = 10;
  };
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    for (let from = 0; from < words.length; ) {
      const to = endOfPortion(words, from);
      cutTexts(words, lexicon, options, epoch, write, from, to);
      if (size > 0) yield chunk.slice(0, size);
      size = 0;
      from = to;
    }
  }
}

const chunkBytes = 1 << 17;
/** Words whose lines are made at once. */
const portionWords = 8192;

function endOfPortion(words: WordIds, from: number): number {
  const end = words.indexOf(textEnd, from + portionWords);
  return end < 0 ? words.length : end + 1;
}

/** Cuts texts into units, and tells each unit, and -1 after each text. */
function cutTexts(
  words: WordIds,
  lexicon: UnitLexicon,
  { join, seed }: CutOptions,
  epoch: number,
  tell: (unit: number) => void,
  from = 0,
  to = words.length,
): void {
  for (let start = from; start < to; ) {
    const end = words.indexOf(textEnd, start);
    // The place of a text among all words stands for the text.
    const draws = createDraws(seed, 'units', epoch, start);
    for (let at = start; at < end; ) {
      const found = lexicon.ngramsAt(words, at, end);
      const joined = found.length > 0 && draws.uniform() < join;
      const unit = joined ? found[draws.below(found.length)] : lexicon.wordAt(words, at);
      if (unit >= 0) tell(unit);
      at += joined ? lexicon.lengthOf(unit) : 1;
    }
    tell(-1);
    start = end + 1;
  }
}

/** Finds the units that begin at a place of a text. */
class UnitLexicon {
  private readonly tables: NgramTable[] = [];
  /** The unit of each n-gram of a table. */
  private readonly unitsOf: number[][] = [];

  constructor(private readonly units: Units) {
    for (let unit = 0; unit < units.ends.length; unit++) {
      const length = this.lengthOf(unit);
      while (this.tables.length < length) {
        this.tables.push(new NgramTable(this.tables.length + 1, units.ends.length));
        this.unitsOf.push([]);
      }
      const table = this.tables[length - 1];
      const start = units.ends[unit] - length;
      if (table.find(units.ids, start) >= 0) continue;
      table.add(units.ids, start);
      this.unitsOf[length - 1].push(unit);
    }
  }

  lengthOf(unit: number): number {
    return this.units.ends[unit] - (unit === 0 ? 0 : this.units.ends[unit - 1]);
  }

  /** The unit that is a word alone, or -1. */
  wordAt(words: WordIds, at: number): number {
    const found = words[at] < 0 || this.tables.length === 0 ? -1 : this.tables[0].find(words, at);
    return found < 0 ? -1 : this.unitsOf[0][found];
  }

  /** Units of several words that begin at a place and end before `end`, shortest first. The array is used again. */
  ngramsAt(words: WordIds, at: number, end: number): readonly number[] {
    this.found.length = 0;
    if (words[at] < 0) return this.found;
    const longest = Math.min(this.tables.length, end - at);
    for (let length = 2; length <= longest; length++) {
      if (words[at + length - 1] < 0) break;
      const ngram = this.tables[length - 1].find(words, at);
      if (ngram >= 0) this.found.push(this.unitsOf[length - 1][ngram]);
    }
    return this.found;
  }

  private readonly found: number[] = [];
}

function grown(ids: Int32Array<ArrayBuffer>, needed: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(needed, ids.length * 2));
  larger.set(ids);
  return larger;
}

function grownBytes(bytes: Uint8Array<ArrayBuffer>, needed: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(needed, bytes.length * 2));
  larger.set(bytes);
  return larger;
}
