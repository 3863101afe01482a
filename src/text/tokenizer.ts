import {
  requireFunction,
  requireIds,
  requireIntegerOption,
  requireList,
  requireObject,
  requireText,
  requireTexts,
} from '../inputs.js';
import type { SpecialTokens, TokenRole } from './specialTokens.js';

/** How a text is encoded. */
export interface EncodeOptions {
  /** Write the special tokens the model expects around a text (start, end, [CLS] ...). Default true. */
  addSpecialTokens?: boolean;
  /**
   * Tokens at most, special tokens included; what is beyond is cut from the end (of the longer text of a pair), never
   * a special token. Default: no limit; see `Tokenizer.modelMaxLength`.
   */
  maxLength?: number;
  /**
   * Which side of a translation the text is. Only tokenizers with two vocabularies or two segmenters (Marian) encode
   * the sides differently. Default 'source'.
   */
  side?: 'source' | 'target';
}

/** How one text is encoded. */
export interface EncodeOneOptions extends EncodeOptions {
  /** A second text, for models that read two. */
  pair?: string;
}

/** An encoded text. There is no padding, so its attention mask would be all ones. */
export interface EncodedText {
  ids: number[];
  /** 0 for tokens of the first text, 1 for the second where the model tells them apart; only where a pair was given. */
  tokenTypeIds?: number[];
  /** Whether tokens were cut off to keep to `maxLength`. */
  truncated: boolean;
}

/** How ids become text again. */
export interface DecodeOptions {
  /** Leave out special tokens (padding, end, unknown ...). Default true. */
  skipSpecialTokens?: boolean;
  /** Remove the spaces before English punctuation and contractions. Default: what tokenizer_config.json says. */
  cleanUpTokenizationSpaces?: boolean;
}

/** Text to ids and back: one interface over tokenizer.json, SentencePiece, Marian and BERT vocabularies. */
export interface Tokenizer {
  /** One more than the largest id, added tokens included. */
  readonly vocabSize: number;
  /** The same for each side of a translation, where the sides have vocabularies of their own. */
  readonly sideSizes?: { readonly source: number; readonly target: number };
  /** The token of each role, where there is one. */
  readonly specialTokens: Readonly<SpecialTokens>;
  /** The id of each role, where there is one. */
  readonly specialIds: Readonly<Partial<Record<TokenRole, number>>>;
  /** Tokens found whole in raw text, such as special tokens and those of languages; absent where nothing lists them. */
  readonly addedTokens?: readonly string[];
  /** Tokens in a text at most, as tokenizer_config.json says; undefined where it sets no limit. */
  readonly modelMaxLength: number | undefined;
  encode(text: string, options?: EncodeOneOptions): Promise<EncodedText>;
  /** Encodes many texts, faster than one by one. */
  encodeBatch(texts: readonly string[], options?: EncodeOptions): Promise<EncodedText[]>;
  decode(ids: Ids, options?: DecodeOptions): Promise<string>;
  decodeBatch(sequences: readonly Ids[], options?: DecodeOptions): Promise<string[]>;
  /** The id of a token, or undefined where it is not in the vocabulary. */
  tokenToId(token: string): number | undefined;
  /** The token of an id, or undefined where there is none. */
  idToToken(id: number): string | undefined;
}

/** @throws INPUT_INVALID for what `loadTokenizer` has not made */
export function requireTokenizer(value: unknown, name = 'tokenizer'): void {
  requireObject(value, name, 'the functions of a tokenizer, as loadTokenizer gives it');
  requireFunction((value as Partial<Tokenizer>).encodeBatch, `${name}.encodeBatch`);
}

/** The same tokenizer, which refuses what is no text and no id. */
export function checkedTokenizer<T extends Tokenizer>(tokenizer: T): T {
  return {
    ...tokenizer,
    encode: async (text, options) => {
      requireText(text, 'text');
      checkEncoding(options);
      return tokenizer.encode(text, options);
    },
    encodeBatch: async (texts, options) => {
      requireTexts(texts, 'texts');
      checkEncoding(options);
      return tokenizer.encodeBatch(texts, options);
    },
    decode: async (ids, options) => {
      requireTokenIds(ids, 'ids');
      if (options !== undefined) requireObject(options, 'options', 'options such as skipSpecialTokens');
      return tokenizer.decode(ids, options);
    },
    decodeBatch: async (sequences, options) => {
      requireList(sequences, 'sequences', 'lists of token ids');
      for (let at = 0; at < sequences.length; at++) requireTokenIds(sequences[at], `sequences[${at}]`);
      if (options !== undefined) requireObject(options, 'options', 'options such as skipSpecialTokens');
      return tokenizer.decodeBatch(sequences, options);
    },
    tokenToId: (token) => {
      requireText(token, 'token');
      return tokenizer.tokenToId(token);
    },
    idToToken: (id) => {
      requireTokenIds([id], 'id');
      return tokenizer.idToToken(id);
    },
  };
}

function requireTokenIds(ids: unknown, name: string): void {
  // Ids of 32 bits need no look at each.
  if (!(ids instanceof Int32Array)) requireIds(ids, name, 2 ** 31);
}

function checkEncoding(options: EncodeOneOptions | undefined): void {
  if (options === undefined) return;
  requireObject(options, 'options', 'options such as addSpecialTokens');
  if (options.pair !== undefined) requireText(options.pair, 'pair');
  requireIntegerOption('maxLength', options.maxLength, 0);
}

/** Token ids. */
export type Ids = readonly number[] | Int32Array;

/**
 * Removes the spaces that word-splitting tokenizers leave before English punctuation and contractions
 * (`clean_up_tokenization` of transformers).
 */
export function cleanUpSpaces(text: string): string {
  return text
    .replaceAll(' .', '.')
    .replaceAll(' ?', '?')
    .replaceAll(' !', '!')
    .replaceAll(' ,', ',')
    .replaceAll(" ' ", "'")
    .replaceAll(" n't", "n't")
    .replaceAll(" 'm", "'m")
    .replaceAll(" 's", "'s")
    .replaceAll(" 've", "'ve")
    .replaceAll(" 're", "'re");
}

/**
 * How many tokens of each text of a pair may stay so that both fit into `room`: tokens go from the longer text first.
 *
 * @returns lengths of the first and of the second text
 */
export function truncateLongestFirst(first: number, second: number, room: number): [number, number] {
  if (first + second <= room) return [first, second];
  const half = Math.floor(room / 2);
  if (first <= half) return [first, room - first];
  if (second <= half) return [room - second, second];
  return first <= second ? [half, room - half] : [room - half, half];
}
