import type { Tokenizer } from './tokenizer.js';

/** Which tokens stay of a text that has more: the first `head` and the last `tail`, special tokens not counted. */
export interface TruncationRule {
  head: number;
  tail: number;
}

/** How many special tokens the tokenizer writes before and after each text. */
export interface SpecialEnds {
  before: number;
  after: number;
}

/** @param encode encodes a text with special tokens */
export async function specialEnds({ encode }: Pick<Tokenizer, 'encode'>): Promise<SpecialEnds> {
  const { ids: none } = await encode('');
  const { ids: some } = await encode('a');
  let before = 0;
  while (before < none.length && none[before] === some[before]) before++;
  return { before, after: none.length - before };
}

/** Keeps what the rule says of an encoded text, and its special tokens (Sun et al. 2019, section 5.3.1). */
export function truncateIds(
  ids: readonly number[],
  { before, after }: SpecialEnds,
  { head, tail }: TruncationRule,
): number[] {
  const end = ids.length - after;
  if (end - before <= head + tail) return [...ids];
  return [...ids.slice(0, before + head), ...ids.slice(end - tail, end), ...ids.slice(end)];
}
