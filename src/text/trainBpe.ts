import { PolybeamError } from '../errors.js';
import { chooseAlphabet } from './alphabet.js';
import { type LearnedMerges, learnMerges } from './mergeTrainer.js';
import { byteCharacters, byteFallbackTokens } from './splitWords.js';

/** What `trainBpe` is given. */
export interface BpeTrainingOptions {
  /** Tokens in the vocabulary at most, special tokens and alphabet included. */
  size: number;
  /** First in the vocabulary, in this order. */
  specialTokens: readonly string[];
  /** Pairs seen fewer times are not merged. */
  minFrequency: number;
  /** Characters in the alphabet at most; the rarest are left out. Infinity for no limit. */
  limitAlphabet: number;
  /** Characters in a token at most; Infinity for no limit. */
  maxTokenLength: number;
  /** Words are spelled with byte characters: all 256 are in the alphabet. */
  byteLevel: boolean;
  /** 256 tokens for the bytes of characters that are not in the alphabet. */
  byteFallback: boolean;
  /** Called now and then with the size reached. */
  onProgress?: (size: number) => void;
}

/**
 * Learns a byte-pair vocabulary (Sennrich et al. 2016) from word counts. Ids: special tokens, byte fallback tokens,
 * alphabet by code point, merges. The same merges as Hugging Face's `BpeTrainer`, except where `limitAlphabet` leaves
 * characters out (ties there are random in that trainer, and it merges across the gap).
 *
 * @throws OPTION_INVALID where the alphabet alone is larger than `size`
 */
export function trainBpe(words: ReadonlyMap<string, number>, options: BpeTrainingOptions): LearnedMerges {
  const alphabet = chooseAlphabet(words, options.limitAlphabet, options.byteLevel ? byteCharacters : []);
  const initialVocabulary = distinct([
    ...options.specialTokens,
    ...(options.byteFallback ? byteFallbackTokens : []),
    ...alphabet,
  ]);
  requireRoom(initialVocabulary.length, options.size);
  return learnMerges(words, { ...options, initialVocabulary, continuingPrefix: '' });
}

/** Throws OPTION_INVALID where a vocabulary cannot hold what it must begin with. */
export function requireRoom(needed: number, size: number): void {
  if (needed <= size) return;
  throw new PolybeamError(
    'OPTION_INVALID',
    `A vocabulary of size ${size} cannot hold the ${needed} special tokens and characters it begins with: ` +
      'raise size, or lower limitAlphabet.',
  );
}

/** The values without repetitions, in order of first appearance. */
export function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}
