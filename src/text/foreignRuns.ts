import { pieceKind, type SentencePieceEncoder, type SentencePieceModel } from './sentencePieceModel.js';
import { metaspace } from './splitWords.js';

/** Code units in a block, and how many of them the next block repeats: more than a rule of normalization spans. */
const usualSizes = { block: 2048, overlap: 32 };

/** Stands for the middle of a run: a character of private use, which no rule of normalization touches. */
const placeholder = '\uE000';

/**
 * An encoder with the same ids that takes linear time. SentencePiece joins unknown characters in a row to one piece, and
 * copies that piece with each character: a million of them take a minute. This one first cuts a long text into overlapping
 * blocks. Where three or more blocks in a row hold nothing but characters of no piece, one character replaces all but the first
 * and the last of them, since the whole run is one unknown piece, however long it is.
 */
export function withShortForeignRuns(
  encoder: SentencePieceEncoder,
  model: SentencePieceModel,
  sizes = usualSizes,
): SentencePieceEncoder {
  const isForeign = foreignTest(encoder, model);
  return {
    encodePieces(text) {
      const isLong = text.length > 4 * sizes.block;
      return encoder.encodePieces(isLong && isForeign('') ? shorten(text, isForeign, sizes) : text);
    },
  };
}

/** Whether a part of a text becomes characters that stand in no piece, with no space among them. */
function foreignTest(encoder: SentencePieceEncoder, model: SentencePieceModel): (part: string) => boolean {
  let known: Set<string> | undefined;
  return (part) => {
    known ??= charactersOf(model);
    // Between placeholders no space of the part is at an end, where SentencePiece would strip it.
    const pieces = encoder.encodePieces(placeholder + part + placeholder);
    if (pieces[0] === metaspace) pieces.shift();
    return pieces.length === 1 && Array.from(pieces[0]).every((character) => !known!.has(character));
  };
}

function charactersOf({ pieces, kinds }: SentencePieceModel): Set<string> {
  const notOfText: number[] = [pieceKind.unknown, pieceKind.control, pieceKind.byte];
  const known = new Set([metaspace]);
  for (const [id, piece] of pieces.entries()) {
    if (!notOfText.includes(kinds[id])) for (const character of piece) known.add(character);
  }
  return known;
}

function shorten(text: string, isForeign: (part: string) => boolean, sizes: typeof usualSizes): string {
  const starts: number[] = [];
  for (let at = 0; at < text.length; at += sizes.block) starts.push(wholeCharacter(text, at));
  const endOf = (block: number) => starts[block + 1] ?? text.length;
  const foreign = starts.map((start, block) =>
    isForeign(text.slice(start, wholeCharacter(text, endOf(block) + sizes.overlap))),
  );
  let short = '';
  for (let block = 0; block < starts.length; block++) {
    const inner = foreign[block] && foreign[block - 1] && foreign[block + 1];
    if (!inner) short += text.slice(starts[block], endOf(block));
    else if (!short.endsWith(placeholder)) short += placeholder;
  }
  return short;
}

/** The place, or the one before it where it would cut a surrogate pair. */
function wholeCharacter(text: string, at: number): number {
  const before = text.charCodeAt(at - 1);
  return before >= 0xd800 && before < 0xdc00 ? at - 1 : at;
}
