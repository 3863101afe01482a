import { PolybeamError } from '../../errors.js';
import { fileAccess } from '../../files.js';
import { readUnpacked } from '../../gzip.js';
import {
  requireFunction,
  requireList,
  requireObject,
  requireObjects,
  requireText,
  requireTexts,
  wrongInput,
} from '../../inputs.js';

/*
 * A translation table is a plain text file that sorts and diffs: lines of a source n-gram, a tab, a target n-gram, a tab and a
 * probability; the words of an n-gram are separated by one space. Lines are sorted by the bytes of the source (as `LC_ALL=C sort`
 * does, which is the order of code points), those of a source by falling probability, and the probabilities of a source sum to 1.
 *
 * Node maps no files into memory without a native package. The table is held as the bytes of its file, outside the heap, and
 * one number for each source; a lookup is a binary search over those bytes, and only the lines that it finds become objects.
 */

/** A translation of an n-gram. */
export interface Translation {
  target: string;
  /** Greater than 0; those of a source sum to 1. */
  probability: number;
}

/** Translations of n-grams, whose words are separated by one space. */
export interface TranslationTable {
  /** Source n-grams. */
  readonly size: number;
  /** Words of the longest source n-gram. */
  readonly longestSource: number;
  /** The translations of an n-gram, most probable first; none where the table does not have it. */
  get(source: string): readonly Translation[];
  has(source: string): boolean;
  /** All source n-grams, in the order of the table. */
  sources(): Iterable<string>;
}

/** The lines of a table, as they lie in its file. */
interface TableLines {
  bytes: Uint8Array;
  /** Where the lines of each source begin, and where the last ends. [sources + 1] */
  starts: Uint32Array;
  longestSource: number;
}

/** Where the columns of a line are. */
interface Line {
  start: number;
  /** Of the tabs; -1 where there is none. */
  first: number;
  second: number;
  /** Of the line feed, or the end of the file. */
  end: number;
}

const lineFeed = 10;
const tab = 9;
const space = 32;
const encoder = new TextEncoder();
// Decoded piece by piece, each would lose a mark that it begins with.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** How far the sum of a source's probabilities may be from 1: they are written with few digits. */
const sumTolerance = 1e-3;

/** @throws INPUT_INVALID for what is no translation table */
export function requireTable(value: unknown): void {
  requireObject(value, 'table', 'the functions of a table, as openTable gives it');
  requireFunction((value as Partial<TranslationTable>).get, 'table.get');
}

/**
 * A table of a file (perhaps gzipped), which is checked as a whole: a million lines take 0.15 s and their bytes in memory (39 MB).
 * `has` takes a microsecond, `get` half of one more for each translation, so that training needs no other form.
 *
 * @throws FILE_NOT_FOUND; FILE_CORRUPT naming the line and what is wrong
 */
export async function openTable(path: string): Promise<TranslationTable> {
  requireText(path, 'path');
  const bytes = await readUnpacked(path);
  const lines = indexLines(bytes, path);
  const { starts } = lines;
  const find = createFinder(lines);
  return {
    size: starts.length - 1,
    longestSource: lines.longestSource,
    get: (source) => {
      const place = find(source);
      return place < 0 ? [] : translationsAt(bytes, starts[place], starts[place + 1]);
    },
    has: (source) => find(source) >= 0,
    sources: () => sourcesOf(lines),
  };
}

/**
 * A table of entries in memory.
 *
 * @throws INPUT_INVALID where an entry has no translations, comes twice, or its probabilities are not falling and sum to 1
 */
export function createTable(entries: Iterable<readonly [string, readonly Translation[]]>): TranslationTable {
  if (typeof entries !== 'object' || entries === null || !(Symbol.iterator in entries)) {
    throw wrongInput('entries', entries, 'give pairs of an n-gram and its translations');
  }
  const bySource = new Map<string, readonly Translation[]>();
  let longestSource = 0;
  for (const entry of entries) {
    requireList(entry, 'An entry', 'an n-gram and its translations');
    const [source, translations] = entry;
    requireText(source, 'The n-gram of an entry');
    requireObjects(translations, 'The translations of an entry', 'translations');
    if (bySource.has(source)) throw badEntry(source, 'comes twice');
    checkTranslations(source, translations);
    bySource.set(source, translations);
    longestSource = Math.max(longestSource, source.split(' ').length);
  }
  const none: readonly Translation[] = [];
  return {
    size: bySource.size,
    longestSource,
    get: (source) => bySource.get(source) ?? none,
    has: (source) => bySource.has(source),
    sources: () => bySource.keys(),
  };
}

/**
 * Writes a table, sorted, with six significant digits.
 *
 * @param sources n-grams in any order, each once
 * @param translationsOf the translations of the n-gram at an index, most probable first, whose probabilities sum to 1; an n-gram
 * without any is left out
 * @throws INPUT_INVALID for entries that a table cannot hold; FILE_WRITE
 */
export async function writeTable(
  path: string,
  sources: readonly string[],
  translationsOf: (index: number) => readonly Translation[],
): Promise<void> {
  requireText(path, 'path');
  requireTexts(sources, 'sources');
  requireFunction(translationsOf, 'translationsOf');
  await fileAccess().writeAtomic(path, tableLines(sources, translationsOf));
}

/** Bytes that are handed on together. */
const chunkLength = 1 << 16;

function* tableLines(
  sources: readonly string[],
  translationsOf: (index: number) => readonly Translation[],
): Generator<Uint8Array> {
  const order = sources.map((_, index) => index).sort((a, b) => compareCodePoints(sources[a], sources[b]));
  let text = '';
  for (const [place, index] of order.entries()) {
    const source = sources[index];
    if (place > 0 && sources[order[place - 1]] === source) throw badEntry(source, 'comes twice');
    const translations = translationsOf(index);
    if (translations.length === 0) continue;
    checkTranslations(source, translations);
    for (const { target, probability } of translations) {
      text += `${source}\t${target}\t${Number(probability.toPrecision(6))}\n`;
    }
    if (text.length < chunkLength) continue;
    yield encoder.encode(text);
    text = '';
  }
  yield encoder.encode(text);
}

/** The order of code points, which is that of UTF-8's bytes; `<` of strings compares halves of surrogate pairs. */
function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left === right) continue;
    const surrogates = Number(isSurrogate(left)) - Number(isSurrogate(right));
    return surrogates || left - right;
  }
  return a.length - b.length;
}

const isSurrogate = (unit: number) => unit >= 0xd800 && unit <= 0xdfff;

/** Whether a table can hold an n-gram: tabs and line feeds are what separates them. */
export function isNgram(text: string): boolean {
  return text !== '' && !/[\t\n]/.test(text);
}

function checkTranslations(source: string, translations: readonly Translation[]): void {
  const wrong = [source, ...translations.map(({ target }) => target)].find((ngram) => !isNgram(ngram));
  if (wrong !== undefined) throw badEntry(source, `holds ${JSON.stringify(wrong)}, which is no n-gram`);
  let sum = 0;
  translations.forEach(({ target, probability }, rank) => {
    if (!(probability > 0 && probability <= 1)) {
      throw badEntry(source, `gives "${target}" the probability ${probability}`);
    }
    if (rank > 0 && probability > translations[rank - 1].probability) {
      throw badEntry(source, `has "${target}" after a less probable translation`);
    }
    sum += probability;
  });
  if (Math.abs(sum - 1) > sumTolerance) throw badEntry(source, `has probabilities that sum to ${sum}`);
}

function badEntry(source: string, what: string): PolybeamError {
  return new PolybeamError(
    'INPUT_INVALID',
    `The entry "${source}" of a translation table ${what}; give each n-gram once, with translations whose probabilities fall and sum to 1.`,
  );
}

/** Finds the place of a source among the sources; -1 where it is not there. */
function createFinder({ bytes, starts }: TableLines): (source: string) => number {
  let wanted = new Uint8Array(256);
  return (source) => {
    // A UTF-16 unit takes three bytes at most.
    if (3 * source.length > wanted.length) wanted = new Uint8Array(6 * source.length);
    const { written } = encoder.encodeInto(source, wanted);
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      const order = compareToSource(wanted, 0, written, bytes, starts[middle]);
      if (order === 0) return middle;
      if (order < 0) high = middle;
      else low = middle + 1;
    }
    return -1;
  };
}

/** Below 0 where `length` bytes of `wanted` come before the source of the line that begins at `at`, 0 where they are it. */
function compareToSource(
  wanted: Uint8Array,
  from: number,
  length: number,
  bytes: Uint8Array,
  at: number,
): number {
  for (let i = 0; i < length; i++) {
    const byte = bytes[at + i];
    if (wanted[from + i] !== byte) return byte === tab ? 1 : wanted[from + i] - byte;
  }
  return bytes[at + length] === tab ? 0 : -1;
}

function translationsAt(bytes: Uint8Array, from: number, to: number): Translation[] {
  const translations: Translation[] = [];
  for (let at = from; at < to; ) {
    const line = readLine(bytes, at);
    translations.push({
      target: decoder.decode(bytes.subarray(line.first + 1, line.second)),
      probability: parseNumber(bytes, line.second + 1, line.end),
    });
    at = line.end + 1;
  }
  return translations;
}

function* sourcesOf({ bytes, starts }: TableLines): Generator<string> {
  for (let place = 0; place + 1 < starts.length; place++) {
    const { start, first } = readLine(bytes, starts[place]);
    yield decoder.decode(bytes.subarray(start, first));
  }
}

function readLine(bytes: Uint8Array, start: number): Line {
  let first = -1;
  let second = -1;
  let end = start;
  for (; end < bytes.length && bytes[end] !== lineFeed; end++) {
    if (bytes[end] !== tab) continue;
    if (first < 0) first = end;
    else if (second < 0) second = end;
  }
  return { start, first, second, end };
}

/** Reads every line once: where sources begin, and whether all is as a table must be. */
function indexLines(bytes: Uint8Array, path: string): TableLines {
  if (bytes.length >= 2 ** 32) {
    throw new PolybeamError('FILE_CORRUPT', `${path} has 4 GiB or more; build the table with fewer n-grams.`);
  }
  const starts: number[] = [];
  let longestSource = 0;
  let before: Line | undefined;
  let beforeProbability = 0;
  let sum = 1;
  let number = 0;
  for (let at = 0; at < bytes.length; number++) {
    const line = readLine(bytes, at);
    const probability = line.second < 0 ? Number.NaN : parseNumber(bytes, line.second + 1, line.end);
    const order = before ? compareToSource(bytes, before.start, before.first - before.start, bytes, at) : -1;
    const fault = faultOf(line, probability, order, beforeProbability);
    if (fault) throw corruptLine(path, number + 1, bytes, line, fault);
    if (order < 0) {
      if (Math.abs(sum - 1) > sumTolerance) throw sumOff(path, number, bytes, before!, sum);
      sum = 0;
      starts.push(at);
      longestSource = Math.max(longestSource, wordsOf(bytes, line));
    }
    sum += probability;
    before = line;
    beforeProbability = probability;
    at = line.end + 1;
  }
  if (!before) throw new PolybeamError('FILE_CORRUPT', `${path} is an empty translation table; ${remedy}.`);
  if (Math.abs(sum - 1) > sumTolerance) throw sumOff(path, number, bytes, before, sum);
  return { bytes, starts: Uint32Array.from([...starts, bytes.length]), longestSource };
}

/** @param order below 0 where the line has a new source, 0 where it has that of the line above */
function faultOf(
  { start, first, second }: Line,
  probability: number,
  order: number,
  probabilityAbove: number,
): string | undefined {
  if (second < 0) return 'has fewer than three columns';
  if (first === start || second === first + 1) return 'has an empty source or target';
  if (!(probability > 0 && probability <= 1)) {
    return 'does not end with a probability greater than 0 and at most 1';
  }
  if (order > 0) return 'has a source that comes before that of the line above it: lines are not sorted';
  if (order === 0 && probability > probabilityAbove) {
    return 'is more probable than the line above it: lines of a source are not sorted';
  }
  return undefined;
}

function wordsOf(bytes: Uint8Array, { start, first }: Line): number {
  let words = 1;
  for (let at = start; at < first; at++) if (bytes[at] === space) words++;
  return words;
}

/** The number that digits, a point and an exponent spell; NaN for anything else. */
function parseNumber(bytes: Uint8Array, from: number, to: number): number {
  let digits = 0;
  let decimals = 0;
  let point = false;
  let mantissa = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at];
    if (byte >= 48 && byte <= 57) {
      mantissa = 10 * mantissa + byte - 48;
      digits++;
      if (point) decimals++;
    } else if (byte === 46 && !point) {
      point = true;
    } else {
      // What is rare, such as an exponent, need not be fast.
      const text = decoder.decode(bytes.subarray(from, to));
      return /^(\d+\.?\d*|\.\d+)e[-+]?\d+\r?$/i.test(text) || /^[\d.]+\r$/.test(text)
        ? Number(text)
        : Number.NaN;
    }
  }
  // Exact up to 15 digits.
  return digits > 0 ? mantissa / 10 ** decimals : Number.NaN;
}

const remedy = 'build it by polybeam xlm table build';

function corruptLine(
  path: string,
  number: number,
  bytes: Uint8Array,
  { start, end }: Line,
  what: string,
): PolybeamError {
  const text = decoder.decode(bytes.subarray(start, Math.min(end, start + 80)));
  return new PolybeamError(
    'FILE_CORRUPT',
    `${path} is no translation table: line ${number}, ${JSON.stringify(text)}, ${what}; ${remedy}, or sort it by LC_ALL=C sort -t $'\\t' -k1,1 -k3,3gr.`,
  );
}

function sumOff(path: string, number: number, bytes: Uint8Array, line: Line, sum: number): PolybeamError {
  const source = decoder.decode(bytes.subarray(line.start, line.first));
  return new PolybeamError(
    'FILE_CORRUPT',
    `${path} is no translation table: the probabilities of "${source}", whose last line is ${number}, sum to ${sum.toPrecision(4)} and not to 1; ${remedy}.`,
  );
}
