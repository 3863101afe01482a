import { PolybeamError } from '../../errors.js';
import { tokenizeDocuments } from '../../pretraining/corpus.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import { fingerprintPairs, type TokenPair } from '../../training/batching.js';
import type { LanguageLines } from '../languageLines.js';
import type { XlmPretrainConfig } from './config.js';
import { streamRows } from './streams.js';

/** Texts of languages as tokens. */
export interface TokenizedData {
  /** Rows of `data.length` tokens. */
  streams: ReadonlyMap<string, readonly Int32Array[]>;
  /** Sides without special tokens. */
  pairs: readonly { from: string; to: string; pairs: TokenPair[] }[];
  /** Pairs with a side that is longer than `data.maxLength`, left out. */
  droppedLong: number;
}

/**
 * Tokenizes texts and cuts streams into rows.
 * @throws INPUT_INVALID where all pairs of two languages are too long
 */
export async function tokenizeLanguages(
  { texts, pairs }: LanguageLines,
  tokenizer: Tokenizer,
  endToken: number,
  { length, maxLength }: Pick<XlmPretrainConfig['data'], 'length' | 'maxLength'>,
): Promise<TokenizedData> {
  const rows = new Map<string, readonly Int32Array[]>();
  for (const [language, lines] of texts) {
    rows.set(language, streamRows(await tokenizeDocuments(lines, tokenizer), length, endToken));
  }
  const tokenized: TokenizedData['pairs'][number][] = [];
  let droppedLong = 0;
  for (const { from, to, source, target } of pairs) {
    const encode = (lines: readonly string[]) => tokenizer.encodeBatch(lines, { addSpecialTokens: false });
    const [sources, targets] = [await encode(source), await encode(target)];
    const all = sources.map(({ ids }, at): TokenPair => ({ source: ids, target: targets[at].ids }));
    const kept = all.filter((pair) => pair.source.length <= maxLength && pair.target.length <= maxLength);
    droppedLong += all.length - kept.length;
    if (kept.length === 0) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `All ${all.length} pairs of ${from}-${to} have more than ${maxLength} tokens on a side: raise data.maxLength, or give sentences.`,
      );
    }
    tokenized.push({ from, to, pairs: kept });
  }
  return { streams: rows, pairs: tokenized, droppedLong };
}

/** How often each token stands in the texts, by id. */
export function countTokens({ streams, pairs }: TokenizedData, vocabSize: number): Float64Array {
  const counts = new Float64Array(vocabSize);
  const add = (ids: ArrayLike<number>) => {
    for (let at = 0; at < ids.length; at++) counts[ids[at]]++;
  };
  for (const rows of streams.values()) rows.forEach(add);
  for (const { pairs: all } of pairs) {
    for (const { source, target } of all) {
      add(source);
      add(target);
    }
  }
  return counts;
}

/** Tells whether a run resumes on the data it began with. */
export function fingerprintLanguages({ streams, pairs }: TokenizedData): string {
  const rows = [...streams.values()].flat().map((ids): TokenPair => ({ source: ids, target: [] }));
  return fingerprintPairs([...rows, ...pairs.flatMap((one) => one.pairs)]);
}
