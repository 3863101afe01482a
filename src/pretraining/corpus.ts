import { z } from 'zod';
import { PolybeamError } from '../errors.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { readLines } from '../training/data.js';

/** Where plain text is. */
export const textSourceSchema = z.strictObject({
  text: z.string().min(1).describe('Text file, UTF-8; may be gzipped.'),
  column: z
    .int()
    .min(1)
    .optional()
    .describe('Column of a tab-separated file, counted from 1. Default: the whole line.'),
  documents: z
    .enum(['lines', 'paragraphs'])
    .default('lines')
    .describe(
      'How the file is divided into documents: lines, or paragraphs between blank lines, whose lines are joined by spaces.',
    ),
});

/** One entry of `data.train` with its defaults. */
export type TextSource = z.output<typeof textSourceSchema>;

/** Texts of a corpus. */
export interface Documents {
  texts: string[];
  /** Lines (or paragraphs' columns) that were blank, and left out. */
  blank: number;
  /** Lines with bytes that are not UTF-8, replaced by U+FFFD. */
  invalidLines: number;
}

/**
 * Reads documents from text files.
 * @throws FILE_NOT_FOUND, FILE_CORRUPT; INPUT_INVALID where a line lacks the column, or nothing but blank lines is there
 */
export async function readDocuments(sources: readonly TextSource[]): Promise<Documents> {
  const all: Documents = { texts: [], blank: 0, invalidLines: 0 };
  for (const { text: path, column, documents } of sources) {
    const { lines, invalidLines } = await readLines(path);
    all.invalidLines += invalidLines;
    const cells = column === undefined ? lines : lines.map((line, at) => cell(line, column, at + 1, path));
    if (documents === 'paragraphs') {
      all.texts.push(...paragraphs(cells));
      continue;
    }
    for (const line of cells) {
      if (line.trim() === '') all.blank++;
      else all.texts.push(line);
    }
  }
  if (all.texts.length > 0) return all;
  const names = sources.map(({ text }) => text).join(', ');
  throw new PolybeamError('INPUT_INVALID', `${names} holds no text but ${all.blank} blank lines: give text.`);
}

function cell(line: string, column: number, number: number, path: string): string {
  if (line === '') return '';
  const cells = line.split('\t');
  if (cells.length >= column) return cells[column - 1];
  throw new PolybeamError(
    'INPUT_INVALID',
    `Line ${number} of ${path} has ${cells.length} tab-separated columns but column ${column} is wanted: correct the line, or column.`,
  );
}

function paragraphs(lines: readonly string[]): string[] {
  const found: string[][] = [[]];
  for (const line of lines) {
    if (line.trim() === '') found.push([]);
    else found[found.length - 1].push(line.trim());
  }
  return found.filter((parts) => parts.length > 0).map((parts) => parts.join(' '));
}

/** Tokenized documents, one behind the other. */
export interface TokenCorpus {
  ids: Int32Array;
  /** Document i is ids[starts[i]] to ids[starts[i + 1] - 1]. */
  starts: Int32Array;
}

/** Tokenizes documents without special tokens. */
export async function tokenizeDocuments(
  texts: readonly string[],
  tokenizer: Tokenizer,
  side: 'source' | 'target' = 'source',
): Promise<TokenCorpus> {
  const portion = 4096;
  const parts: number[][] = [];
  let total = 0;
  for (let from = 0; from < texts.length; from += portion) {
    const encoded = await tokenizer.encodeBatch(texts.slice(from, from + portion), {
      addSpecialTokens: false,
      side,
    });
    for (const { ids } of encoded) {
      parts.push(ids);
      total += ids.length;
    }
  }
  const corpus = { ids: new Int32Array(total), starts: new Int32Array(parts.length + 1) };
  let at = 0;
  parts.forEach((ids, document) => {
    corpus.ids.set(ids, at);
    at += ids.length;
    corpus.starts[document + 1] = at;
  });
  return corpus;
}

/** How documents become pieces to learn from. */
export interface Packing {
  /**
   * `single`: a piece is a document, or a part of one that is too long. `packed`: documents are joined, the separator
   * between them, and cut into pieces of `maxLength` tokens, so that no piece but the last is padded.
   */
  packing: 'single' | 'packed';
  /** Tokens of a piece at most, without special tokens. */
  maxLength: number;
  /** Pieces with fewer tokens are left out. */
  minLength: number;
  /** Put between documents that share a piece. */
  separator: number;
}

/** Pieces of a corpus; views, nothing is copied but for packing. */
export interface Pieces {
  pieces: Int32Array[];
  /** Pieces left out for having fewer tokens than `minLength`. */
  short: number;
}

/** Cuts documents into pieces. A long document gives parts of about equal length, so that its last part is no scrap. */
export function cutPieces(corpus: TokenCorpus, packing: Packing): Pieces {
  const all = packing.packing === 'packed' ? packed(corpus, packing) : single(corpus, packing);
  const pieces = all.filter((piece) => piece.length >= packing.minLength);
  return { pieces, short: all.length - pieces.length };
}

function single({ ids, starts }: TokenCorpus, { maxLength }: Packing): Int32Array[] {
  const pieces: Int32Array[] = [];
  for (let document = 0; document + 1 < starts.length; document++) {
    const [start, end] = [starts[document], starts[document + 1]];
    const parts = Math.max(1, Math.ceil((end - start) / maxLength));
    for (let part = 0; part < parts; part++) {
      const cut = (share: number) => start + Math.floor(((end - start) * share) / parts);
      pieces.push(ids.subarray(cut(part), cut(part + 1)));
    }
  }
  return pieces;
}

function packed({ ids, starts }: TokenCorpus, { maxLength, separator }: Packing): Int32Array[] {
  const joined = new Int32Array(ids.length + Math.max(0, starts.length - 2));
  let at = 0;
  for (let document = 0; document + 1 < starts.length; document++) {
    if (document > 0) joined[at++] = separator;
    joined.set(ids.subarray(starts[document], starts[document + 1]), at);
    at += starts[document + 1] - starts[document];
  }
  const pieces: Int32Array[] = [];
  for (let from = 0; from < joined.length; from += maxLength)
    pieces.push(joined.subarray(from, from + maxLength));
  return pieces;
}
