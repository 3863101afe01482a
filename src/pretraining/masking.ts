import type { Draws } from './draws.js';
import type { VocabularyFacts } from './vocabularyFacts.js';

/** What becomes of a token that is chosen to be predicted (Devlin et al. 2019, section 3.1). Shares add up to 1. */
export interface Replacement {
  /** Becomes [MASK]. BERT: 0.8. */
  mask: number;
  /** Stays as it is. BERT: 0.1. */
  keep: number;
  /** Becomes any other ordinary token. BERT: 0.1. */
  random: number;
}

/** What is put in the place of `id`. */
export function replaceToken(
  id: number,
  shares: Replacement,
  facts: Pick<VocabularyFacts, 'maskTokenId' | 'ordinary'>,
  draws: Draws,
): number {
  const at = draws.uniform();
  if (at < shares.mask) return facts.maskTokenId;
  if (at < shares.mask + shares.keep) return id;
  return facts.ordinary[draws.below(facts.ordinary.length)];
}

/** How tokens to predict are chosen. */
export interface MaskChoice {
  /** Share of the tokens to predict. */
  rate: number;
  /** Words are chosen whole, all their tokens together. */
  wholeWord: boolean;
  /** Share of the choices that are n-grams (of tokens, or words where `wholeWord`) instead of single ones. */
  ngramShare: number;
  /** Longest n-gram; each length from 2 on is as likely (UniLM: 3). */
  maxNgram: number;
  /** Tokens to predict at most; a guard for long rows. */
  maxPredictions?: number;
}

/**
 * Chooses positions to predict: units (tokens, words, or n-grams of them) in random order until `rate` of the tokens is
 * reached, at least one unit. A unit that would go beyond the number wanted is passed over, so that rates hold for long words too.
 * @param ids candidates are positions `from` (included) to `to` (excluded)
 * @returns positions, ascending
 */
export function chooseMasked(
  ids: ArrayLike<number>,
  from: number,
  to: number,
  choice: MaskChoice,
  facts: Pick<VocabularyFacts, 'startsWord'>,
  draws: Draws,
): number[] {
  const units = unitStarts(ids, from, to, choice.wholeWord, facts);
  if (units.length === 0) return [];
  const wanted = Math.min(
    Math.max(1, Math.round((to - from) * choice.rate)),
    choice.maxPredictions ?? Number.POSITIVE_INFINITY,
  );
  const endOf = (unit: number) => units[unit + 1] ?? to;
  const taken = new Uint8Array(to - from);
  let count = 0;
  for (const unit of randomOrder(units.length, draws)) {
    if (count >= wanted) break;
    const length = Math.min(ngramLength(choice, draws), units.length);
    // An n-gram that would reach beyond the text ends with it.
    const first = Math.min(unit, units.length - length);
    const [start, end] = [units[first], endOf(first + length - 1)];
    const overlaps = taken.subarray(start - from, end - from).some((flag) => flag === 1);
    if (overlaps || (count > 0 && count + end - start > wanted)) continue;
    taken.fill(1, start - from, end - from);
    count += end - start;
  }
  const positions: number[] = [];
  for (let at = from; at < to; at++) if (taken[at - from]) positions.push(at);
  return positions;
}

function unitStarts(
  ids: ArrayLike<number>,
  from: number,
  to: number,
  wholeWord: boolean,
  { startsWord }: Pick<VocabularyFacts, 'startsWord'>,
): number[] {
  const starts: number[] = [];
  for (let at = from; at < to; at++) if (at === from || !wholeWord || startsWord[ids[at]]) starts.push(at);
  return starts;
}

function ngramLength({ ngramShare, maxNgram }: MaskChoice, draws: Draws): number {
  if (ngramShare === 0 || maxNgram < 2 || draws.uniform() >= ngramShare) return 1;
  return 2 + draws.below(maxNgram - 1);
}

/** 0 to count - 1 in random order, drawn as far as it is read. */
export function* randomOrder(count: number, draws: Draws): Generator<number> {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = 0; i < count; i++) {
    const j = i + draws.below(count - i);
    [order[i], order[j]] = [order[j], order[i]];
    yield order[i];
  }
}
