import { BinaryReader } from '@bufbuild/protobuf/wire';
import { PolybeamError } from '../errors.js';
import { metaspace } from './splitWords.js';

/** Kinds of pieces, numbered as in sentencepiece_model.proto. */
export const pieceKind = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** What of a SentencePiece `.model` file its encoder does not tell: the table of pieces. */
export interface SentencePieceModel {
  /** Pieces in id order. */
  pieces: string[];
  /** Kind of each piece; see `pieceKind`. */
  kinds: number[];
  idOf: Map<string, number>;
  /** What an unknown piece decodes to, ` ⁇ ` unless the model says otherwise. */
  unknownSurface: string;
  addDummyPrefix: boolean;
  removeExtraWhitespaces: boolean;
}

/** Cuts text into the pieces of one SentencePiece model. */
export interface SentencePieceEncoder {
  encodePieces(text: string): string[];
}

/**
 * Reads the table of a SentencePiece `.model` file (sentencepiece_model.proto).
 *
 * @throws TOKENIZER_INVALID where the file is something else or cut off; `path` names it
 */
export function parseSentencePieceModel(bytes: Uint8Array, path: string): SentencePieceModel {
  const model: SentencePieceModel = {
    pieces: [],
    kinds: [],
    idOf: new Map(),
    unknownSurface: ' \u2047 ',
    addDummyPrefix: true,
    removeExtraWhitespaces: true,
  };
  try {
    readModel(new BinaryReader(bytes), model);
  } catch (cause) {
    throw notAModel(path, cause);
  }
  if (model.pieces.length === 0 || !model.kinds.includes(pieceKind.unknown)) throw notAModel(path);
  for (const [id, piece] of model.pieces.entries()) if (!model.idOf.has(piece)) model.idOf.set(piece, id);
  return model;
}

/**
 * Pieces to text as SentencePiece does it: the first space mark is dropped, byte pieces become UTF-8, control pieces
 * nothing, pieces that the model does not know stand as they are.
 */
export function decodePieces(pieces: readonly string[], model: SentencePieceModel): string {
  let text = '';
  let bytes: number[] = [];
  let consumedSpace = false;
  const flushBytes = () => {
    if (bytes.length > 0) text += decodeBytes(bytes);
    bytes = [];
  };
  for (const piece of pieces) {
    const id = model.idOf.get(piece);
    const kind = id === undefined ? undefined : model.kinds[id];
    if (kind === pieceKind.byte) {
      bytes.push(Number(piece.slice(1, -1)));
      continue;
    }
    flushBytes();
    if (kind === pieceKind.control) continue;
    if (kind === pieceKind.unknown) text += model.unknownSurface;
    else if (kind === undefined) text += piece;
    else {
      const atStart: boolean =
        text === '' && !consumedSpace && (model.addDummyPrefix || model.removeExtraWhitespaces);
      const drop: boolean = atStart && piece.startsWith(metaspace);
      consumedSpace = drop && !model.removeExtraWhitespaces;
      text += (drop ? piece.slice(metaspace.length) : piece).replaceAll(metaspace, ' ');
    }
  }
  flushBytes();
  return text;
}

// One U+FFFD per byte that is not part of a whole character.
function decodeBytes(bytes: readonly number[]): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes, at);
    text += length === 0 ? '\uFFFD' : strict.decode(Uint8Array.from(bytes.slice(at, at + length)));
    at += Math.max(1, length);
  }
  return text;
}

const strict = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

/** Bytes of the character that begins at `at`; 0 where none does. */
function characterLength(bytes: readonly number[], at: number): number {
  const first = bytes[at];
  const length =
    first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  try {
    strict.decode(Uint8Array.from(bytes.slice(at, at + length)));
    return at + length <= bytes.length ? length : 0;
  } catch {
    return 0;
  }
}

function readModel(reader: BinaryReader, model: SentencePieceModel): void {
  eachField(reader, (field, wireType) => {
    if (field === 1 && wireType === 2) readPiece(reader.bytes(), model);
    else if (field === 2 && wireType === 2) readTrainer(reader.bytes(), model);
    else if (field === 3 && wireType === 2) readNormalizer(reader.bytes(), model);
    else return false;
    return true;
  });
}

function readPiece(bytes: Uint8Array, model: SentencePieceModel): void {
  const reader = new BinaryReader(bytes);
  let piece = '';
  let kind: number = pieceKind.normal;
  eachField(reader, (field) => {
    if (field === 1) piece = reader.string();
    else if (field === 3) kind = reader.int32();
    else return false;
    return true;
  });
  model.pieces.push(piece);
  model.kinds.push(kind);
}

function readTrainer(bytes: Uint8Array, model: SentencePieceModel): void {
  const reader = new BinaryReader(bytes);
  eachField(reader, (field) => {
    if (field !== 44) return false;
    model.unknownSurface = reader.string();
    return true;
  });
}

function readNormalizer(bytes: Uint8Array, model: SentencePieceModel): void {
  const reader = new BinaryReader(bytes);
  eachField(reader, (field) => {
    if (field === 3) model.addDummyPrefix = reader.bool();
    else if (field === 4) model.removeExtraWhitespaces = reader.bool();
    else return false;
    return true;
  });
}

/** Calls `read` for each field; what it does not read is skipped. */
function eachField(reader: BinaryReader, read: (field: number, wireType: number) => boolean): void {
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (!read(field, wireType)) reader.skip(wireType, field);
  }
}

/** What is said of a file that is no SentencePiece model, or a damaged one. */
export function notAModel(path: string, cause?: unknown): PolybeamError {
  return new PolybeamError(
    'TOKENIZER_INVALID',
    `${path} is not a whole SentencePiece model: it is damaged or another kind of file, fetch it again.`,
    { cause },
  );
}
