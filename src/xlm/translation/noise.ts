import type { Draws } from '../../pretraining/draws.js';
import type { VocabularyFacts } from '../../pretraining/vocabularyFacts.js';

/** How a text is damaged before a model restores it (Lample et al. 2018, section 2.3). */
export interface NoiseOptions {
  /** Words move by fewer positions than this; 0 keeps their order. Default of the paper: 3. */
  shuffle: number;
  /** Probability that a word is removed; at least one is kept. Default of the paper's program: 0.1. */
  dropout: number;
  /** Probability that the tokens of a word become mask tokens. Default of the paper's program: 0.1. */
  blank: number;
}

/** What noise knows of a vocabulary. */
export type NoiseFacts = Pick<VocabularyFacts, 'startsWord' | 'maskTokenId'>;

type Word = readonly number[];

/**
 * A damaged text: words in another order, some left out, some blanked, in this order. Words move, go and are blanked whole, whatever
 * tokens they are spelled with.
 * @param ids without special tokens
 * @returns at least one token where there was one
 */
export function addNoise(
  ids: ArrayLike<number>,
  { shuffle, dropout, blank }: NoiseOptions,
  facts: NoiseFacts,
  draws: Draws,
): number[] {
  const shuffled = shuffleWords(wordsOf(ids, facts), shuffle, draws);
  const kept = dropWords(shuffled, dropout, draws);
  return blankWords(kept, blank, facts.maskTokenId, draws).flat();
}

/** The tokens of each word. */
function wordsOf(ids: ArrayLike<number>, { startsWord }: NoiseFacts): Word[] {
  const words: number[][] = [];
  for (let at = 0; at < ids.length; at++) {
    if (at === 0 || startsWord[ids[at]]) words.push([]);
    words[words.length - 1].push(ids[at]);
  }
  return words;
}

/** Sorts by place + U(0, distance): who is `distance` places behind another stays behind it. */
export function shuffleWords<T>(words: readonly T[], distance: number, draws: Draws): T[] {
  if (distance === 0) return [...words];
  const keyed = words.map((word, at) => ({ word, key: at + distance * draws.uniform() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ word }) => word);
}

/** Leaves words out; where none would stay, one that is drawn. */
export function dropWords<T>(words: readonly T[], rate: number, draws: Draws): T[] {
  if (rate === 0 || words.length === 0) return [...words];
  const kept = words.filter(() => draws.uniform() >= rate);
  return kept.length > 0 ? kept : [words[draws.below(words.length)]];
}

function blankWords(words: readonly Word[], rate: number, maskTokenId: number, draws: Draws): Word[] {
  if (rate === 0) return [...words];
  return words.map((word) => (draws.uniform() < rate ? word.map(() => maskTokenId) : word));
}
