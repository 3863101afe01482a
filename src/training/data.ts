import { PolybeamError } from '../errors.js';
import { readUnpacked } from '../gzip.js';
import { decodeUtf8Lines } from '../text/utf8.js';

/** Where parallel text is: two files of aligned lines, or two columns of one tab-separated file. Any may be gzipped. */
export interface DataSource {
  /** File of source lines; goes with `target`. */
  source?: string;
  /** File of target lines, one for each source line. */
  target?: string;
  /** Tab-separated file; goes without `source` and `target`. No quoting: a tab always separates. */
  tsv?: string;
  /** Column of the source in `tsv`, counted from 1. */
  sourceColumn: number;
  targetColumn: number;
}

/** Aligned text: source[i] translates to target[i], and neither is blank. */
export interface ParallelText {
  source: string[];
  target: string[];
  /** Pairs left out because a side was blank. */
  blank: number;
  /** Lines in which bytes that are not UTF-8 were replaced by U+FFFD. */
  invalidLines: number;
}

/**
 * Reads and joins parallel text.
 * Throws FILE_NOT_FOUND, FILE_CORRUPT (a damaged gzip file) and INPUT_INVALID (files of different length, a row with
 * too few columns).
 */
export async function readParallelText(sources: readonly DataSource[]): Promise<ParallelText> {
  const all: ParallelText = { source: [], target: [], blank: 0, invalidLines: 0 };
  for (const from of sources) {
    const { source, target, invalidLines } = from.tsv
      ? await readColumns(from.tsv, from)
      : await readAligned(from.source!, from.target!);
    all.invalidLines += invalidLines;
    source.forEach((line, at) => {
      if (line.trim() === '' || target[at].trim() === '') {
        all.blank++;
        return;
      }
      all.source.push(line);
      all.target.push(target[at]);
    });
  }
  return all;
}

type Aligned = Omit<ParallelText, 'blank'>;

async function readAligned(sourcePath: string, targetPath: string): Promise<Aligned> {
  const source = await readLines(sourcePath);
  const target = await readLines(targetPath);
  if (source.lines.length !== target.lines.length) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `${sourcePath} has ${source.lines.length} lines but ${targetPath} has ${target.lines.length}: parallel files ` +
        `need one target line for each source line.`,
    );
  }
  return {
    source: source.lines,
    target: target.lines,
    invalidLines: source.invalidLines + target.invalidLines,
  };
}

async function readColumns(path: string, { sourceColumn, targetColumn }: DataSource): Promise<Aligned> {
  const { lines, invalidLines } = await readLines(path);
  const read: Aligned = { source: [], target: [], invalidLines };
  const needed = Math.max(sourceColumn, targetColumn);
  lines.forEach((line, at) => {
    // A blank row is a blank pair, as a blank line is in aligned files.
    const columns = line === '' ? new Array<string>(needed).fill('') : line.split('\t');
    if (columns.length < needed) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `Line ${at + 1} of ${path} has ${columns.length} tab-separated column${columns.length === 1 ? '' : 's'} but ` +
          `column ${needed} is wanted: correct the line, or sourceColumn and targetColumn.`,
      );
    }
    read.source.push(columns[sourceColumn - 1]);
    read.target.push(columns[targetColumn - 1]);
  });
  return read;
}

/**
 * Lines of a text file, gzipped or not. Lines end at LF or CRLF and nowhere else (other Unicode line separators are
 * text, or aligned files would drift apart); a byte order mark is dropped.
 */
export async function readLines(path: string): Promise<{ lines: string[]; invalidLines: number }> {
  const { lines, invalidLines } = decodeUtf8Lines(await readUnpacked(path));
  return { lines, invalidLines };
}
