import { PolybeamError } from '../../errors.js';
import { fileAccess } from '../../files.js';
import { requireText } from '../../inputs.js';
import { refuseLfsPointer } from '../../lfsPointer.js';
import { ngramJoiner } from '../words.js';
import type { WordVectors } from './wordVectors.js';
import { readWord } from './writtenWords.js';

/** A model of fastText (`.bin`), of which only the dictionary is in memory. */
export interface FastTextModel {
  /** Words of its dictionary, most frequent first; the words of an n-gram are separated by one space. */
  words: readonly string[];
  /** Dimension of the vectors. */
  size: number;
  /**
   * Vectors of words, in the order given; of words outside the dictionary the mean of the vectors of their parts.
   * @throws INPUT_INVALID for a word that is in neither; FILE_NOT_FOUND, FILE_CORRUPT
   */
  vectors(words: readonly string[]): Promise<WordVectors>;
}

const magicNumber = 793712314;

/**
 * Opens a model that fastText saved (`.bin`).
 * @throws FILE_NOT_FOUND; FILE_CORRUPT; WEIGHT_DTYPE for a quantized model
 */
export async function openFastText(path: string): Promise<FastTextModel> {
  requireText(path, 'path');
  await refuseLfsPointer(path);
  const source = await ByteSource.open(path);
  const header = readHeader(source);
  const { words, pruned } = await readDictionary(source);
  await source.fill(17);
  if (source.int8() !== 0 || pruned) {
    throw new PolybeamError(
      'WEIGHT_DTYPE',
      `${path} is a quantized model of fastText: give the .bin that it was made from, or its .vec.`,
    );
  }
  const rows = source.int64();
  const columns = source.int64();
  const model = { ...header, path, words, rows, start: source.position };
  const needed = words.length + (header.maxn > 0 ? header.bucket : 0);
  if (columns !== header.dim || rows < needed || model.start + rows * columns * 4 > source.size) {
    throw corrupt(
      path,
      `it should have ${needed} vectors of ${header.dim} numbers, and is too short or has other ones`,
    );
  }
  const idOf = new Map(words.map((word, id) => [word, id]));
  return {
    words: words.map(readWord),
    size: header.dim,
    vectors: (asked) => vectorsOf(model, idOf, asked),
  };
}

interface Header {
  dim: number;
  minn: number;
  maxn: number;
  bucket: number;
}

interface StoredModel extends Header {
  path: string;
  words: readonly string[];
  rows: number;
  /** Where the first vector begins. */
  start: number;
}

/** The head of the file: twelve integers and a float of options, of which a few matter here. */
function readHeader(source: ByteSource): Header {
  const [magic, version] = [source.int32(), source.int32()];
  if (magic !== magicNumber) throw corrupt(source.path, 'it does not begin as one');
  if (version !== 11 && version !== 12) throw corrupt(source.path, `it has version ${version}, not 11 or 12`);
  const [dim, , , , , , , model, bucket, minn, maxn] = Array.from({ length: 12 }, () => source.int32());
  source.skip(8);
  if (dim < 1 || bucket < 0 || (maxn > 0 && bucket === 0)) {
    throw corrupt(source.path, `its vectors have ${dim} numbers, and ${bucket} places for parts of words`);
  }
  // Models of version 11 that classify have no parts of words, whatever they say.
  const classifies = model === 3;
  return { dim, minn, maxn: version === 11 && classifies ? 0 : maxn, bucket };
}

/** The words, without the labels of a classifier that stand behind them, and whether parts of words were left out to make it small. */
async function readDictionary(source: ByteSource): Promise<{ words: string[]; pruned: boolean }> {
  const [entries, count] = [source.int32(), source.int32()];
  source.skip(4 + 8);
  const kept = source.int64();
  const words: string[] = [];
  for (let entry = 0; entry < entries; entry++) {
    await source.fill(65536);
    const word = source.text();
    source.skip(8 + 1);
    if (entry < count) words.push(word);
  }
  for (let part = 0; part < kept; part++) {
    await source.fill(8);
    source.skip(8);
  }
  return { words, pruned: kept >= 0 };
}

async function vectorsOf(
  model: StoredModel,
  idOf: ReadonlyMap<string, number>,
  asked: readonly string[],
): Promise<WordVectors> {
  const rowsOf = asked.map((word) => inputRows(model, idOf, word));
  const values = new Float32Array(asked.length * model.dim);
  const { starts, users } = usersOfRows(rowsOf, model.rows);
  for await (const { row, vector } of storedRows(model, starts)) {
    for (let at = starts[row]; at < starts[row + 1]; at++) {
      const user = users[at];
      const weight = 1 / rowsOf[user].length;
      const to = user * model.dim;
      for (let i = 0; i < model.dim; i++) values[to + i] += vector[i] * weight;
    }
  }
  return { words: [...asked], size: model.dim, values };
}

/** The rows whose mean is a word's vector: its own, and those of its parts. */
function inputRows(model: StoredModel, idOf: ReadonlyMap<string, number>, asked: string): number[] {
  const word = asked.replaceAll(' ', ngramJoiner);
  const id = idOf.get(word);
  const rows = id === undefined ? [] : [id];
  if (word !== '</s>') {
    for (const hash of partHashes(word, model)) rows.push(model.words.length + (hash % model.bucket));
  }
  if (rows.length > 0) return rows;
  throw new PolybeamError(
    'INPUT_INVALID',
    `"${asked}" is no word of ${model.path}, and has no parts with vectors: ask for words of the model.`,
  );
}

const encoder = new TextEncoder();

/** FNV-1a hashes of a word's character n-grams, with < before and > after the word, in fastText's order. */
function partHashes(word: string, { minn, maxn }: Header): number[] {
  const bytes = encoder.encode(`<${word}>`);
  const hashes: number[] = [];
  for (let start = 0; start < bytes.length; start++) {
    if (isContinuing(bytes[start])) continue;
    let hash = 2166136261;
    let end = start;
    for (let length = 1; end < bytes.length && length <= maxn; length++) {
      do {
        // fastText takes bytes for signed numbers.
        hash = Math.imul(hash ^ ((bytes[end] << 24) >> 24), 16777619);
        end++;
      } while (isContinuing(bytes[end]));
      const edge = length === 1 && (start === 0 || end === bytes.length);
      if (length >= minn && !edge) hashes.push(hash >>> 0);
    }
  }
  return hashes;
}

/** Whether a byte goes on with a character of UTF-8; false behind the end. */
function isContinuing(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** Which words use each row: those of row r are users[starts[r]] to users[starts[r + 1] - 1]. */
function usersOfRows(rowsOf: readonly number[][], rows: number): { starts: Int32Array; users: Int32Array } {
  const starts = new Int32Array(rows + 1);
  for (const list of rowsOf) for (const row of list) starts[row + 1]++;
  for (let row = 0; row < rows; row++) starts[row + 1] += starts[row];
  const users = new Int32Array(starts[rows]);
  const filled = starts.slice(0, rows);
  rowsOf.forEach((list, user) => {
    for (const row of list) users[filled[row]++] = user;
  });
  return { starts, users };
}

/** Bytes of vectors read at once. */
const portionBytes = 1 << 23;

/** The rows that are used, in the order of the file, read in portions. */
async function* storedRows(
  { path, rows, dim, start }: StoredModel,
  starts: Int32Array,
): AsyncGenerator<{ row: number; vector: Float32Array }> {
  const used = (row: number) => starts[row + 1] > starts[row];
  const most = Math.max(1, Math.floor(portionBytes / (dim * 4)));
  for (let first = 0; first < rows; ) {
    if (!used(first)) {
      first++;
      continue;
    }
    let end = first + 1;
    for (let row = end; row < Math.min(rows, first + most); row++) if (used(row)) end = row + 1;
    const bytes = await fileAccess().readRange(path, start + first * dim * 4, start + end * dim * 4);
    const values = new Float32Array(bytes.slice().buffer);
    for (let row = first; row < end; row++) {
      if (used(row)) yield { row, vector: values.subarray((row - first) * dim, (row - first + 1) * dim) };
    }
    first = end;
  }
}

/** Reads a file of little-endian values from its beginning on. */
class ByteSource {
  private bytes = new Uint8Array(0);
  private at = 0;
  private read = 0;

  private constructor(
    readonly path: string,
    readonly size: number,
  ) {}

  static async open(path: string): Promise<ByteSource> {
    const size = (await fileAccess().size(path)) ?? (await fileAccess().read(path)).length;
    const source = new ByteSource(path, size);
    await source.fill(1024);
    return source;
  }

  /** Bytes from the file's beginning to what comes next. */
  get position(): number {
    return this.read - this.bytes.length + this.at;
  }

  /** Sees to it that so many bytes are there, or all that the file has. */
  async fill(count: number): Promise<void> {
    if (this.bytes.length - this.at >= count || this.read === this.size) return;
    const rest = this.bytes.subarray(this.at);
    const end = Math.min(this.size, this.read + Math.max(count, 1 << 20));
    const more = await fileAccess().readRange(this.path, this.read, end);
    this.bytes = new Uint8Array(rest.length + more.length);
    this.bytes.set(rest);
    this.bytes.set(more, rest.length);
    this.at = 0;
    this.read = end;
  }

  int8(): number {
    return this.view(1).getInt8(0);
  }

  int32(): number {
    return this.view(4).getInt32(0, true);
  }

  int64(): number {
    return Number(this.view(8).getBigInt64(0, true));
  }

  /** UTF-8 up to a zero byte. */
  text(): string {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0) throw this.truncated();
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.bytes.subarray(this.at, end));
    this.at = end + 1;
    return text;
  }

  skip(count: number): void {
    this.view(count);
  }

  private view(count: number): DataView {
    if (this.at + count > this.bytes.length) throw this.truncated();
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.at, count);
    this.at += count;
    return view;
  }

  private truncated(): PolybeamError {
    return corrupt(this.path, 'it ends too early');
  }
}

function corrupt(path: string, what: string): PolybeamError {
  return new PolybeamError(
    'FILE_CORRUPT',
    `${path} is no whole model of fastText: ${what}; copy it again, or save it with fastText 0.2 or later.`,
  );
}
