import { PolybeamError } from '../../errors.js';
import { tokenizeDocuments } from '../../pretraining/corpus.js';
import { readTexts } from '../../pretraining/texts.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import { fingerprintPairs, type TokenPair } from '../../training/batching.js';
import type { TrainOptions } from '../../training/train.js';
import type { LanguagePairSource, XlmPretrainConfig } from './config.js';
import { streamRows } from './streams.js';

/** Texts by language. */
export interface LanguageData {
  /** Running text. */
  streams: ReadonlyMap<string, readonly string[]>;
  /** Parallel text, all of the same two languages together. */
  pairs: readonly { from: string; to: string; source: string[]; target: string[] }[];
}

/** The same as tokens. */
export interface TokenizedData {
  /** Rows of `data.length` tokens. */
  streams: ReadonlyMap<string, readonly Int32Array[]>;
  /** Sides without special tokens. */
  pairs: readonly { from: string; to: string; pairs: TokenPair[] }[];
  /** Pairs with a side that is longer than `data.maxLength`, left out. */
  droppedLong: number;
}

/**
 * Reads texts of languages.
 * @throws FILE_NOT_FOUND, FILE_CORRUPT; INPUT_INVALID for a language without text
 */
export async function readLanguageData(
  texts: XlmPretrainConfig['data']['train'],
  pairs: readonly LanguagePairSource[] | undefined,
  options: Pick<TrainOptions, 'onWarning'>,
): Promise<LanguageData> {
  const streams = new Map<string, readonly string[]>();
  const named = (language: string) => ({
    onWarning: (message: string) => options.onWarning?.(`${language}: ${message}`),
  });
  for (const [language, sources] of Object.entries(texts ?? {})) {
    const { documents = [] } = await readTexts(sources, undefined, named(language));
    streams.set(language, documents);
  }
  const byLanguages = new Map<string, LanguageData['pairs'][number]>();
  for (const { from, to, ...source } of pairs ?? []) {
    const name = `${from}-${to}`;
    const read = (await readTexts(undefined, [source], named(name))).pairs!;
    const known = byLanguages.get(name) ?? { from, to, source: [], target: [] };
    byLanguages.set(name, {
      ...known,
      source: known.source.concat(read.source),
      target: known.target.concat(read.target),
    });
  }
  for (const [name, { source }] of byLanguages) {
    if (source.length > 0) continue;
    throw new PolybeamError(
      'INPUT_INVALID',
      `The parallel text of ${name} has no pair whose sides both hold text: give text on both sides, line by line.`,
    );
  }
  return { streams, pairs: [...byLanguages.values()] };
}

/** All texts of each language, sides of pairs too. */
export function textsByLanguage({ streams, pairs }: LanguageData): Record<string, string[]> {
  const all: Record<string, string[]> = {};
  const add = (language: string, texts: readonly string[]) => {
    all[language] = (all[language] ?? []).concat(texts);
  };
  for (const [language, texts] of streams) add(language, texts);
  for (const { from, to, source, target } of pairs) {
    add(from, source);
    add(to, target);
  }
  return all;
}

/**
 * Tokenizes texts and cuts streams into rows.
 * @throws INPUT_INVALID where all pairs of two languages are too long
 */
export async function tokenizeLanguageData(
  { streams, pairs }: LanguageData,
  tokenizer: Tokenizer,
  endToken: number,
  { length, maxLength }: Pick<XlmPretrainConfig['data'], 'length' | 'maxLength'>,
): Promise<TokenizedData> {
  const rows = new Map<string, readonly Int32Array[]>();
  for (const [language, texts] of streams) {
    rows.set(language, streamRows(await tokenizeDocuments(texts, tokenizer), length, endToken));
  }
  const tokenized: TokenizedData['pairs'][number][] = [];
  let droppedLong = 0;
  for (const { from, to, source, target } of pairs) {
    const encode = (texts: string[]) => tokenizer.encodeBatch(texts, { addSpecialTokens: false });
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
