import { requireList, wrongInput } from '../inputs.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { wordsOf, wordsOfDecoding, wordsOfEncoding } from '../text/words.js';
import type { ModelParts } from './modelParts.js';

/** A source and a target position that belong together, from 0. */
export type AlignmentLink = readonly [source: number, target: number];

/**
 * For each token of an output the one of the source that it reads most. Tokens that stand for no part of a text, such as
 * end tokens, are passed over on both sides.
 *
 * @param attention [target][source]
 * @returns at most one link for each target token, in order; the earlier of equal source tokens
 */
export function hardAlignment(
  attention: readonly ArrayLike<number>[],
  inputIds: readonly number[],
  ids: readonly number[],
  silent: ReadonlySet<number>,
): AlignmentLink[] {
  const links: AlignmentLink[] = [];
  for (const [target, weights] of attention.entries()) {
    if (silent.has(ids[target])) continue;
    let best = -1;
    for (let source = 0; source < inputIds.length; source++) {
      if (!silent.has(inputIds[source]) && (best < 0 || weights[source] > weights[best])) best = source;
    }
    if (best >= 0) links.push([best, target]);
  }
  return links;
}

/**
 * Links between tokens as links between their words, each once, sorted by source word.
 *
 * @param sourceWords word of each source token, -1 for none; `targetWords` likewise
 */
export function wordAlignment(
  links: readonly AlignmentLink[],
  sourceWords: ArrayLike<number>,
  targetWords: ArrayLike<number>,
): AlignmentLink[] {
  const found = new Map<string, AlignmentLink>();
  for (const [source, target] of links) {
    const link = [sourceWords[source], targetWords[target]] as const;
    if (link[0] >= 0 && link[1] >= 0) found.set(link.join('-'), link);
  }
  return [...found.values()].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

/**
 * Attention between words: that over a source word is the sum over its tokens, that of a target word the mean of its
 * tokens'. What is read from tokens that are no part of a word is left out.
 *
 * @param attention [target tokens][source tokens]
 * @param sizes how many words there are of source and target
 * @returns [target words][source words]
 */
export function wordAttention(
  attention: readonly ArrayLike<number>[],
  sourceWords: ArrayLike<number>,
  targetWords: ArrayLike<number>,
  sizes: readonly [number, number],
): number[][] {
  const sums = Array.from({ length: sizes[1] }, () => new Array<number>(sizes[0]).fill(0));
  const tokens = sums.map(() => 0);
  for (const [target, weights] of attention.entries()) {
    const row = sums[targetWords[target]];
    if (!row) continue;
    tokens[targetWords[target]]++;
    for (let source = 0; source < weights.length; source++) {
      if (sourceWords[source] >= 0) row[sourceWords[source]] += weights[source];
    }
  }
  return sums.map((row, word) => row.map((sum) => sum / Math.max(1, tokens[word])));
}

/** Links in Pharaoh's format, `0-0 1-2`: source, hyphen, target. */
export function pharaoh(links: readonly AlignmentLink[]): string {
  requireList(links, 'links', 'pairs of numbers');
  const isLink = (link: unknown) => Array.isArray(link) && link.every((place) => Number.isInteger(place));
  const bad = Array.from(links).findIndex((link) => !isLink(link));
  if (bad >= 0) throw wrongInput(`links[${bad}]`, links[bad], 'give a pair of numbers');
  return links.map((link) => link.join('-')).join(' ');
}

/** How the words of an output and of its source belong together. Words are what white space separates. */
export interface WordAlignment {
  /** Links of tokens as links of words, each once, sorted by source word. */
  alignment: AlignmentLink[];
  /** For each word of the output, how it reads each of the source. [target words][source words] */
  attention: number[][];
}

/** The tokens that stand for no part of a text: those that begin or end it, fill it up, or name a language. */
function silentTokens({ generation, tokenizer, languages }: ModelParts): Set<number> {
  const { unk: _, mask: __, ...roles } = tokenizer?.specialIds ?? {};
  const { eosTokenIds = [], padTokenId, decoderStartTokenId } = generation?.rules ?? {};
  const ids = [...eosTokenIds, padTokenId, decoderStartTokenId, ...Object.values(roles)];
  return new Set([...ids.filter((id) => id !== undefined), ...languages.tokenIds.values()]);
}

/** Attention with the hard alignment that follows from it. */
export function alignTokens(
  parts: ModelParts,
  attention: Float32Array[],
  inputIds: readonly number[],
  ids: readonly number[],
): { attention: Float32Array[]; alignment: AlignmentLink[] } {
  return { attention, alignment: hardAlignment(attention, inputIds, ids, silentTokens(parts)) };
}

/** A text as the model read it, after `prefix`, which tells the model something and has no words of its own. */
export interface ReadText {
  text: string;
  prefix: string;
  ids: readonly number[];
}

/** Word of the text for each of its tokens; -1 for none, and for those of the prefix. */
export async function wordsOfSource(
  tokenizer: Tokenizer,
  { text, prefix, ids }: ReadText,
): Promise<Int32Array> {
  const before = wordsOf(prefix).length;
  const words = await wordsOfEncoding(tokenizer, prefix + text, ids);
  return words.map((word) => Math.max(-1, word - before));
}

/**
 * The alignment of words that follows from attention between tokens.
 *
 * @param target its `words` where they are known: the word of each token, -1 for none
 * @param given whether the target's ids were made from its text, and not the text from the ids
 * @returns undefined without a tokenizer
 */
export async function alignWords(
  parts: ModelParts,
  attention: readonly Float32Array[],
  source: ReadText,
  target: { text?: string; ids: readonly number[]; words?: Int32Array },
  given = false,
): Promise<WordAlignment | undefined> {
  const { tokenizer } = parts;
  if (!tokenizer || target.text === undefined) return undefined;
  const sourceWords = await wordsOfSource(tokenizer, source);
  const targetWords = given
    ? await wordsOfEncoding(tokenizer, target.text, target.ids, 'target')
    : (target.words ?? (await wordsOfDecoding(tokenizer, target.ids)));
  const links = hardAlignment(attention, source.ids, target.ids, silentTokens(parts));
  const sizes = [wordsOf(source.text).length, wordsOf(target.text).length] as const;
  return {
    alignment: wordAlignment(links, sourceWords, targetWords),
    attention: wordAttention(attention, sourceWords, targetWords, sizes),
  };
}
