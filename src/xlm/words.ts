/** What stands between the words of an n-gram where white space separates columns: U+2423, the sign of a space. */
export const ngramJoiner = '␣';

/** A word of a text, and where it stands. */
export interface TextWord {
  text: string;
  /** Index of its first UTF-16 unit in the text, and the index after its last. */
  start: number;
  end: number;
}

const pattern = /[\p{L}\p{M}]+|\p{N}+|[^\s\p{L}\p{M}\p{N}]/gu;

/**
 * The words that n-grams are made of: runs of letters, runs of digits, and any other character by itself. Vocabularies that split
 * punctuation and digits (the default of BPE) never have a token that crosses such a border, so that tokens can be told to belong
 * to words.
 */
export function splitIntoWords(text: string): TextWord[] {
  return Array.from(text.matchAll(pattern), ({ 0: word, index }) => ({
    text: word,
    start: index,
    end: index + word.length,
  }));
}

/** The words of a text alone, faster than with their places. */
export function wordsIn(text: string): string[] {
  return text.match(pattern) ?? [];
}
