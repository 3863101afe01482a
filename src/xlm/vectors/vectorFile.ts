import { PolybeamError } from '../../errors.js';
import { fileAccess } from '../../files.js';
import { readUnpacked } from '../../gzip.js';
import { requireText, wrongInput } from '../../inputs.js';
import { refuseLfsPointer } from '../../lfsPointer.js';
import { ngramJoiner } from '../words.js';
import { openFastText } from './fastTextModel.js';
import { requireVectors, type WordVectors } from './wordVectors.js';
import { readWord, writeWord } from './writtenWords.js';

/**
 * Reads vectors in the text format of word2vec and fastText (`.vec`, perhaps gzipped): a line of two counts, then a word and its
 * numbers a line; or those of the words of a fastText model (`.bin`). Of a word that comes several times the first vector counts.
 * @param limit words to read at most, from the first; default all
 * @param onWarning told of words that come several times
 * @throws FILE_NOT_FOUND; FILE_CORRUPT naming the line; WEIGHT_DTYPE for a quantized model
 */
export async function readVectors(
  path: string,
  limit = Number.POSITIVE_INFINITY,
  onWarning?: (message: string) => void,
): Promise<WordVectors> {
  requireText(path, 'path');
  if (typeof limit !== 'number' || !(limit > 0)) throw wrongInput('limit', limit, 'give a number of words');
  if (/\.(bin|ftz)$/.test(path)) {
    const model = await openFastText(path);
    return model.vectors(model.words.slice(0, Math.min(limit, model.words.length)));
  }
  await refuseLfsPointer(path);
  const bytes = await readUnpacked(path);
  const lines = linesOf(bytes);
  const [count, size] = header(lines.next().value, path);
  const rows = Math.min(count, limit);
  // A letter and its line end, and a blank and a digit for each number: what cannot be there takes no memory.
  if (rows * (2 * size + 2) > bytes.length + 1) throw endsEarly(path, lines, 1, count);
  const words: string[] = [];
  const values = new Float32Array(rows * size);
  for (let row = 0; row < rows; row++) {
    const line = lines.next().value;
    if (line === undefined) throw endsEarly(path, lines, row + 1, count);
    const cells = line.trimEnd().split(' ');
    if (cells.length !== size + 1) {
      throw corrupt(path, `line ${row + 2} has ${cells.length - 1} numbers, line 1 promised ${size}`);
    }
    words.push(readWord(cells[0]));
    for (let at = 0; at < size; at++) {
      const value = cells[at + 1] === '' ? Number.NaN : Math.fround(Number(cells[at + 1]));
      if (!Number.isFinite(value)) {
        throw corrupt(
          path,
          `line ${row + 2} has ${JSON.stringify(cells[at + 1].slice(0, 40))} where a number should be`,
        );
      }
      values[row * size + at] = value;
    }
  }
  return withoutRepeated({ words, size, values }, path, onWarning);
}

/** Vectors of each word once: the first, which is that of the most frequent. */
function withoutRepeated(
  vectors: WordVectors,
  path: string,
  onWarning?: (message: string) => void,
): WordVectors {
  const { words, size, values } = vectors;
  const seen = new Set<string>();
  const kept: number[] = [];
  let example: string | undefined;
  words.forEach((word, row) => {
    if (seen.has(word)) example ??= word;
    else kept.push(row);
    seen.add(word);
  });
  if (kept.length === words.length) return vectors;
  const again = words.length - kept.length;
  onWarning?.(
    `${path} has ${again} ${again === 1 ? 'vector' : 'vectors'} of words that it has before, such as ${JSON.stringify(example)}: the first of each is taken.`,
  );
  const own = new Float32Array(kept.length * size);
  kept.forEach((row, place) => {
    own.set(values.subarray(row * size, (row + 1) * size), place * size);
  });
  return { words: kept.map((row) => words[row]), size, values: own };
}

/** For a file that was cut short: it names the last line that is there. */
function endsEarly(
  path: string,
  lines: Iterator<string, undefined>,
  read: number,
  count: number,
): PolybeamError {
  let last = read;
  while (!lines.next().done) last++;
  return corrupt(path, `it ends after line ${last}, and line 1 promised ${count} words, so it was cut short`);
}

/**
 * Writes vectors as `readVectors` reads them, with six significant digits.
 * @throws FILE_WRITE; INPUT_INVALID for a word that would not come back, such as one with a line feed or with two blanks in a row
 */
export async function writeVectors(path: string, vectors: WordVectors): Promise<void> {
  requireText(path, 'path');
  requireVectors(vectors, 'vectors');
  const odd = vectors.words.find((word) => writeWord(word) === undefined);
  if (odd !== undefined) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `The n-gram ${JSON.stringify(odd)} cannot be written to a file of vectors: give words with one space between them and ` +
        `without ${ngramJoiner}, which stands for that space.`,
    );
  }
  await fileAccess().writeAtomic(path, vectorLines(vectors));
}

function* vectorLines({ words, size, values }: WordVectors): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  let lines = `${words.length} ${size}\n`;
  for (let row = 0; row < words.length; row++) {
    lines += writeWord(words[row]);
    for (let at = row * size; at < (row + 1) * size; at++) lines += ` ${Number(values[at].toPrecision(6))}`;
    lines += '\n';
    // Many small writes would take longer than the numbers.
    if (lines.length < 1 << 20) continue;
    yield encoder.encode(lines);
    lines = '';
  }
  yield encoder.encode(lines);
}

/** Lines one by one: a file of vectors is larger than a string may be. */
function* linesOf(bytes: Uint8Array): Generator<string, undefined> {
  // Decoded line by line, each would lose a mark that its word begins with.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(10, from);
    const until = end < 0 ? bytes.length : end;
    yield decoder.decode(bytes.subarray(from, until));
    from = until + 1;
  }
}

function header(line: string | undefined, path: string): [number, number] {
  const numbers =
    line
      ?.replace(/^\ufeff/, '')
      .trim()
      .split(' ')
      .map(Number) ?? [];
  if (numbers.length === 2 && numbers.every((value) => Number.isInteger(value) && value > 0))
    return [numbers[0], numbers[1]];
  throw corrupt(path, `its first line is ${JSON.stringify(line?.slice(0, 40) ?? '')} and not two counts`);
}

function corrupt(path: string, what: string): PolybeamError {
  return new PolybeamError(
    'FILE_CORRUPT',
    `${path} is no file of vectors: ${what}; make it again, or give a .vec file of fastText.`,
  );
}
