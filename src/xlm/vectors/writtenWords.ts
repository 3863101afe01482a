import { ngramJoiner } from '../words.js';

/*
 * Words of a file of vectors: the blanks of n-grams are written as joiners, and all else as it is. White space other than the
 * blank and the line feed is a part of a word, as for word2vec and fastText: published files have no-break spaces in theirs.
 */

const joinerWithin = new RegExp(`(?<=[^${ngramJoiner}])${ngramJoiner}(?=[^${ngramJoiner}])`, 'gu');

/** A word or n-gram as a file of vectors has it. Joiners that join nothing, as where a word is one, stay. */
export function readWord(written: string): string {
  return written.includes(ngramJoiner) ? written.replace(joinerWithin, ' ') : written;
}

/** A word or n-gram for a file of vectors; undefined where it would not come back from there. */
export function writeWord(word: string): string | undefined {
  const written = word.replaceAll(' ', ngramJoiner);
  const comesBack =
    word !== '' && !word.includes('\n') && readWord(written) === word && !/\p{Surrogate}/u.test(word);
  return comesBack ? written : undefined;
}
