import { commonPlaces } from '../longestCommon.js';

/** A run of words of a text, and whether the other text has it in the same order. */
export interface DiffPiece {
  text: string;
  common: boolean;
}

/**
 * Cuts two texts into runs of words that both have in the same order (a longest common subsequence) and that only one has.
 *
 * @returns the pieces of each text, in order; joined by blanks they are its words
 */
export function wordDifferences(a: string, b: string): [DiffPiece[], DiffPiece[]] {
  const [left, right] = [wordsOf(a), wordsOf(b)];
  // Of both texts from their ends, so that the earliest match is taken.
  const [inLeft, inRight] = commonPlaces(left.toReversed(), right.toReversed());
  return [join(left, inLeft.reverse()), join(right, inRight.reverse())];
}

/** Words of a text: what white space separates, as alignments count them. */
export function wordsOf(text: string): string[] {
  return text.match(/\S+/g) ?? [];
}

function join(words: readonly string[], common: Uint8Array): DiffPiece[] {
  const pieces: DiffPiece[] = [];
  for (const [i, word] of words.entries()) {
    const last = pieces.at(-1);
    if (last && last.common === (common[i] === 1)) last.text += ` ${word}`;
    else pieces.push({ text: word, common: common[i] === 1 });
  }
  return pieces;
}
