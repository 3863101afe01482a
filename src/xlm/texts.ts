import { PolybeamError } from '../errors.js';
import { joined, unpackedChunks } from '../gzip.js';
import { requireObjects, requireText } from '../inputs.js';
import { decodeUtf8Lines } from '../text/utf8.js';

/** A file of texts, perhaps gzipped: one a line, or one column of a tab-separated file. */
export interface TextFile {
  path: string;
  /** Column of a tab-separated file, counted from 1; the whole line where left out. */
  column?: number;
}

/** Texts that can be read again and again, in parts of many lines. */
export type Texts = () => AsyncIterable<readonly string[]> | Iterable<readonly string[]>;

/** `train.tsv.gz:2` is column 2 of that file, any other name a whole file. */
export function parseTextFile(text: string): TextFile {
  const column = /^(.+):([1-9]\d*)$/.exec(text);
  return column ? { path: column[1], column: Number(column[2]) } : { path: text };
}

/**
 * Texts of files, read piece by piece, so that memory does not grow with them. Lines end at LF or CRLF; bytes that are not UTF-8
 * become U+FFFD.
 *
 * @param onInvalid told of each file that has such bytes, whenever it has been read: how many lines
 * @throws (while reading) FILE_NOT_FOUND; FILE_CORRUPT for damaged gzip; INPUT_INVALID naming a line that lacks the column
 */
export function textsOf(
  files: readonly TextFile[],
  onInvalid?: (path: string, lines: number) => void,
): Texts {
  requireObjects(files, 'files', 'files: path, and column where there are several');
  for (const [at, { path }] of files.entries()) requireText(path, `files[${at}].path`);
  return async function* read() {
    for (const { path, column } of files) {
      let done = 0;
      let invalid = 0;
      for await (const bytes of wholeLines(unpackedChunks(path))) {
        const { lines, invalidLines } = decodeUtf8Lines(bytes);
        yield column === undefined ? lines : lines.map((line, at) => cell(line, column, path, done + at + 1));
        done += lines.length;
        invalid += invalidLines;
      }
      if (invalid > 0) onInvalid?.(path, invalid);
    }
  };
}

function cell(line: string, column: number, path: string, number: number): string {
  if (line === '') return '';
  const cells = line.split('\t');
  if (cells.length >= column) return cells[column - 1];
  throw new PolybeamError(
    'INPUT_INVALID',
    `Line ${number} of ${path} has ${cells.length} tab-separated column${cells.length === 1 ? '' : 's'} but column ` +
      `${column} is wanted: correct the line, or the number behind the file's name.`,
  );
}

/** The same bytes in pieces that end where a line does. */
async function* wholeLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let begun: Uint8Array[] = [];
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(10) + 1;
    if (end > 0) {
      yield joined([...begun, chunk.subarray(0, end)]);
      begun = [];
    }
    if (end < chunk.length) begun.push(chunk.slice(end));
  }
  if (begun.length > 0) yield joined(begun);
}
