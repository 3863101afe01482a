import { chooseAlphabet } from './alphabet.js';
import { learnMerges } from './mergeTrainer.js';
import { distinct, requireRoom } from './trainBpe.js';

/** What `trainWordPiece` is given. */
export interface WordPieceTrainingOptions {
  /** Tokens in the vocabulary at most, special tokens and alphabet included. */
  size: number;
  /** First in the vocabulary, in this order. */
  specialTokens: readonly string[];
  /** Pairs seen fewer times are not merged. */
  minFrequency: number;
  /** Characters in the alphabet at most; the rarest are left out. Infinity for no limit. */
  limitAlphabet: number;
  /** Characters in a token at most, `##` not counted; Infinity for no limit. */
  maxTokenLength: number;
  /** Called now and then with the size reached. */
  onProgress?: (size: number) => void;
}

/** Written before every token that does not begin a word. */
export const continuingPrefix = '##';

/**
 * Learns a WordPiece vocabulary: tokens in id order. As in Hugging Face's `WordPieceTrainer` it is grown by the most
 * frequent pair (not by likelihood, Schuster & Nakajima 2012), with `##` before symbols inside a word. Ids: special
 * tokens, alphabet by code point, the `##` forms seen by code point, merges. That trainer numbers the `##` forms
 * in random order, so its ties differ from run to run; ours do not.
 *
 * @throws OPTION_INVALID where the alphabet alone is larger than `size`
 */
export function trainWordPiece(
  words: ReadonlyMap<string, number>,
  options: WordPieceTrainingOptions,
): string[] {
  const alphabet = chooseAlphabet(words, options.limitAlphabet);
  const inside = new Set<string>();
  for (const word of words.keys()) for (const char of [...word].slice(1)) inside.add(char);
  const continuing = alphabet.filter((char) => inside.has(char)).map((char) => continuingPrefix + char);
  const initialVocabulary = distinct([...options.specialTokens, ...alphabet, ...continuing]);
  requireRoom(initialVocabulary.length, options.size);
  return learnMerges(words, { ...options, initialVocabulary, continuingPrefix }).vocabulary;
}
