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
  const width = right.length + 1;
  // Of the rest of both texts, so that the earliest match is taken. [left + 1, right + 1]
  const table = new Int32Array((left.length + 1) * width);
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      const at = i * width + j;
      table[at] =
        left[i] === right[j] ? table[at + width + 1] + 1 : Math.max(table[at + width], table[at + 1]);
    }
  }
  const inLeft = left.map(() => false);
  const inRight = right.map(() => false);
  let i = 0;
  let j = 0;
  while (i < left.length && j < right.length) {
    const at = i * width + j;
    if (left[i] === right[j]) {
      inLeft[i++] = true;
      inRight[j++] = true;
    } else if (table[at + width] >= table[at + 1]) i++;
    else j++;
  }
  return [join(left, inLeft), join(right, inRight)];
}

/** Words of a text: what white space separates, as alignments count them. */
export function wordsOf(text: string): string[] {
  return text.match(/\S+/g) ?? [];
}

function join(words: readonly string[], common: readonly boolean[]): DiffPiece[] {
  const pieces: DiffPiece[] = [];
  for (const [i, word] of words.entries()) {
    const last = pieces.at(-1);
    if (last && last.common === common[i]) last.text += ` ${word}`;
    else pieces.push({ text: word, common: common[i] });
  }
  return pieces;
}
