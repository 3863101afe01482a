import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import { rolesByName, type SpecialTokens, specialIdsOf } from './specialTokens.js';
import { roomFor } from './tableTokenizer.js';
import {
  cleanUpSpaces,
  type DecodeOptions,
  type EncodedText,
  type EncodeOneOptions,
  type EncodeOptions,
  type Ids,
  type Tokenizer,
  truncateLongestFirst,
} from './tokenizer.js';
import { readTokenizerSettings, type TokenizerSettings } from './tokenizerConfig.js';
import type { AddedTokenJson } from './tokenizerFile.js';
import { checkTokenizerJson } from './tokenizerJsonCheck.js';
import { withSettings } from './tokenizerJsonSettings.js';

/** An encoding of npm `tokenizers`, as far as it is used here. */
export interface NativeEncoding {
  getIds(): number[];
  getTypeIds(): number[];
  getLength(): number;
  /** `direction` is the side tokens are dropped from; the package's default is the left. */
  truncate(length: number, stride: number, direction: 'left' | 'right'): void;
}

/** A tokenizer of npm `tokenizers`, as far as it is used here. */
export interface NativeTokenizer<E extends NativeEncoding = NativeEncoding> {
  encode(text: string, pair?: string | null, options?: { addSpecialTokens?: boolean }): Promise<E>;
  encodeBatch(texts: string[], options?: { addSpecialTokens?: boolean }): Promise<E[]>;
  postProcess(encoding: E, pair?: E | null, addSpecialTokens?: boolean): E;
  decode(ids: number[], skipSpecialTokens: boolean): Promise<string>;
  decodeBatch(sequences: number[][], skipSpecialTokens: boolean): Promise<string[]>;
  getVocabSize(withAddedTokens?: boolean): number;
  idToToken(id: number): string | null;
  tokenToId(token: string): number | null;
  getNormalizer?(): { normalizeString(text: string): string } | null;
}

/** The npm package `tokenizers`, or something of its shape. */
export interface TokenizersModule {
  Tokenizer: { fromString(json: string): NativeTokenizer };
}

let importModule: (() => Promise<TokenizersModule>) | undefined;

/**
 * Sets how to get the package that reads tokenizer.json; it is called when the first one is loaded. The Node entry sets
 * npm `tokenizers`.
 */
export function setTokenizersModule(load: (() => Promise<TokenizersModule>) | undefined): void {
  importModule = load;
}

/**
 * Loads `tokenizer.json` with what tokenizer_config.json and special_tokens_map.json say of it.
 *
 * @throws FILE_NOT_FOUND; TOKENIZER_INVALID for a damaged file; RUNTIME_MISSING outside Node where no package was set
 */
export async function loadTokenizerJson(directory: string): Promise<Tokenizer> {
  const path = `${directory}/tokenizer.json`;
  const text = new TextDecoder().decode(await fileAccess().read(path));
  return makeTokenizerJson(text, await readTokenizerSettings(directory), path);
}

/**
 * The tokenizer of a tokenizer.json in memory; `path` names it in errors. Padding and truncation stored in the file are
 * not used: the caller asks for `maxLength`, and pads.
 */
export async function makeTokenizerJson(
  json: string,
  settings: Partial<TokenizerSettings> = {},
  path = 'tokenizer.json',
): Promise<Tokenizer> {
  const { native, added, special, isBpe, vocabSize } = parse(json, settings, path, await nativeModule(path));
  const idOf = (token: string) => native.tokenToId(token) ?? undefined;
  const roles: SpecialTokens = { ...rolesByName(special), ...settings.roles };
  const cleanUp = !isBpe && settings.cleanUpTokenizationSpaces === true;
  const cleaned = (text: string, options: DecodeOptions) =>
    (options.cleanUpTokenizationSpaces ?? cleanUp) ? cleanUpSpaces(text) : text;
  const plain = (ids: Ids) => Array.from(ids);
  return {
    vocabSize,
    specialTokens: roles,
    specialIds: specialIdsOf(roles, idOf),
    addedTokens: added,
    modelMaxLength: settings.modelMaxLength,
    async encode(text, options = {}) {
      requireLength(options);
      return encodeOne(native, text, options);
    },
    async encodeBatch(texts, options = {}) {
      requireLength(options);
      const encoded: EncodedText[] = [];
      for (let at = 0; at < texts.length; at += batchSize) {
        encoded.push(...(await encodeChunk(native, texts.slice(at, at + batchSize), options)));
      }
      return encoded;
    },
    async decode(ids, options = {}) {
      return cleaned(await native.decode(plain(ids), options.skipSpecialTokens ?? true), options);
    },
    async decodeBatch(sequences, options = {}) {
      const texts = await native.decodeBatch(sequences.map(plain), options.skipSpecialTokens ?? true);
      return texts.map((text) => cleaned(text, options));
    },
    tokenToId: idOf,
    idToToken: (id) => native.idToToken(id) ?? undefined,
  };
}

function requireLength({ maxLength }: EncodeOptions): void {
  if (maxLength !== undefined) roomFor(0, maxLength);
}

/** Encodings hold much more than ids: this many are alive at a time. */
const batchSize = 4096;

async function encodeChunk(
  native: NativeTokenizer,
  texts: string[],
  options: EncodeOptions,
): Promise<EncodedText[]> {
  const { addSpecialTokens = true, maxLength = Infinity } = options;
  const encoded = await native.encodeBatch(texts, { addSpecialTokens });
  return Promise.all(
    encoded.map((encoding, at): EncodedText | Promise<EncodedText> => {
      if (encoding.getLength() > maxLength) return encodeOne(native, texts[at], options);
      return { ids: encoding.getIds(), truncated: false };
    }),
  );
}

async function encodeOne(
  native: NativeTokenizer,
  text: string,
  { pair, addSpecialTokens = true, maxLength }: EncodeOneOptions,
): Promise<EncodedText> {
  const whole = await native.encode(text, pair ?? null, { addSpecialTokens });
  if (maxLength === undefined || whole.getLength() <= maxLength)
    return result(whole, pair !== undefined, false);
  // Cut the texts alone, then let the template write its special tokens around them.
  const first = await native.encode(text, null, { addSpecialTokens: false });
  const second =
    pair === undefined ? undefined : await native.encode(pair, null, { addSpecialTokens: false });
  const lengths: [number, number] = [first.getLength(), second?.getLength() ?? 0];
  const room = roomFor(whole.getLength() - lengths[0] - lengths[1], maxLength);
  const [firstLength, secondLength] = truncateLongestFirst(...lengths, room);
  first.truncate(firstLength, 0, 'right');
  second?.truncate(secondLength, 0, 'right');
  return result(native.postProcess(first, second, addSpecialTokens), pair !== undefined, true);
}

function result(encoding: NativeEncoding, hasPair: boolean, truncated: boolean): EncodedText {
  const ids = encoding.getIds();
  return hasPair ? { ids, tokenTypeIds: encoding.getTypeIds(), truncated } : { ids, truncated };
}

async function nativeModule(path: string): Promise<TokenizersModule> {
  if (!importModule) {
    throw new PolybeamError(
      'RUNTIME_MISSING',
      `Nothing here reads ${path}: import polybeam in Node, or call setTokenizersModule() with npm tokenizers.`,
    );
  }
  try {
    return await importModule();
  } catch (cause) {
    throw new PolybeamError(
      'RUNTIME_MISSING',
      `npm tokenizers, which reads ${path}, does not load on this platform (${reasonOf(cause)}): run npm install again.`,
      { cause },
    );
  }
}

/** The native tokenizer of a tokenizer.json, and what its file and those beside it list. @throws TOKENIZER_INVALID */
function parse(json: string, settings: Partial<TokenizerSettings>, path: string, module: TokenizersModule) {
  try {
    return makeNative(json, settings, path, module);
  } catch (cause) {
    throw cause instanceof PolybeamError ? cause : unreadable(path, reasonOf(cause), cause);
  }
}

function makeNative(
  json: string,
  settings: Partial<TokenizerSettings>,
  path: string,
  module: TokenizersModule,
) {
  const file: unknown = JSON.parse(json);
  checkTokenizerJson(file, path);
  const content = withSettings(file, settings, path);
  const tokens = content.added_tokens as AddedTokenJson[];
  const native = module.Tokenizer.fromString(JSON.stringify({ ...content, padding: null, truncation: null }));
  const emptied = tokens.find(
    (token) => token.normalized && native.getNormalizer?.()?.normalizeString(token.content) === '',
  );
  if (emptied) {
    // It would be found between any two bytes of a text, and end the process.
    throw unreadable(
      path,
      `the normalizer removes all of the added token ${JSON.stringify(emptied.content)}`,
    );
  }
  const added = tokens.map((token) => token.content);
  const special = tokens.filter((token) => token.special).map((token) => token.content);
  const { type, vocab = {} } = content.model as { type?: string; vocab?: object };
  const vocabSize = sizeOf(vocab, added, native);
  return { native: withCodes(native, path), added, special, isBpe: type === 'BPE', vocabSize };
}

/** The tokenizer, with failures that have a code: it may lack the unknown token that a text needs. */
function withCodes(native: NativeTokenizer, path: string): NativeTokenizer {
  const coded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      throw new PolybeamError(
        'TOKENIZER_INVALID',
        `${path} fails at a text (${reasonOf(cause)}): fetch it or save the tokenizer again.`,
        { cause },
      );
    }
  };
  return {
    encode: (...given) => coded(() => native.encode(...given)),
    encodeBatch: (...given) => coded(() => native.encodeBatch(...given)),
    decode: (...given) => coded(() => native.decode(...given)),
    decodeBatch: (...given) => coded(() => native.decodeBatch(...given)),
    postProcess: (...given) => native.postProcess(...given),
    getVocabSize: (...given) => native.getVocabSize(...given),
    idToToken: (id) => native.idToToken(id),
    tokenToId: (token) => native.tokenToId(token),
  };
}

function unreadable(path: string, reason: string, cause?: unknown): PolybeamError {
  return new PolybeamError(
    'TOKENIZER_INVALID',
    `${path} cannot be read as a tokenizer (${reason}): fetch it or save the tokenizer again.`,
    { cause },
  );
}

/** One more than the largest id: ids may have gaps. */
function sizeOf(vocab: object, added: readonly string[], native: NativeTokenizer): number {
  const ids: number[] = Array.isArray(vocab) ? [vocab.length - 1] : Object.values(vocab);
  for (const token of added) ids.push(native.tokenToId(token) ?? -1);
  return ids.reduce((largest, id) => Math.max(largest, id), -1) + 1;
}

function reasonOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).trim();
}
