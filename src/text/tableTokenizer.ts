import { PolybeamError } from '../errors.js';
import { type SpecialTokens, specialIdsOf } from './specialTokens.js';
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

/** One place of what is written around texts: a special token, or the first (0) or second (1) text. */
export type TemplatePlace = { token: number; type: 0 | 1 } | { text: 0 | 1; type: 0 | 1 };

/** What makes up a tokenizer whose vocabulary is a table in memory. */
export interface TokenizerTable {
  /** Id of each token. */
  idOf: ReadonlyMap<string, number>;
  /** Token of each id; a tokenizer with two vocabularies decodes with the target's. */
  tokenOf: (id: number) => string | undefined;
  vocabSize: number;
  /** Tokens found whole in raw text. */
  addedTokens: readonly string[];
  roles: SpecialTokens;
  /** Tokens that `skipSpecialTokens` leaves out. */
  special: ReadonlySet<string>;
  modelMaxLength: number | undefined;
  cleanUpTokenizationSpaces: boolean;
  /** What is written around one text, and around two; a pair is refused where `pair` is left out. */
  single: readonly TemplatePlace[];
  pair?: readonly TemplatePlace[];
  /** Ids of a text alone. */
  encodeText(text: string, side: 'source' | 'target'): number[];
  /** Text of tokens; none of them is to be left out. */
  decodeTokens(tokens: string[]): string;
}

/** The `Tokenizer` of a table: truncation, templates and batches are the same for all of them. */
export function makeTableTokenizer(table: TokenizerTable): Tokenizer {
  const { roles, idOf, tokenOf } = table;
  const encode = (text: string, options: EncodeOneOptions = {}) => encodeOne(table, text, options);
  const decode = (ids: Ids, options: DecodeOptions = {}) => decodeOne(table, ids, options);
  return {
    vocabSize: table.vocabSize,
    addedTokens: table.addedTokens,
    specialTokens: roles,
    specialIds: specialIdsOf(roles, (token) => idOf.get(token)),
    modelMaxLength: table.modelMaxLength,
    encode: async (text, options) => encode(text, options),
    encodeBatch: async (texts, options?: EncodeOptions) => texts.map((text) => encode(text, options)),
    decode: async (ids, options) => decode(ids, options),
    decodeBatch: async (sequences, options) => sequences.map((ids) => decode(ids, options)),
    tokenToId: (token) => idOf.get(token),
    idToToken: tokenOf,
  };
}

function encodeOne(table: TokenizerTable, text: string, options: EncodeOneOptions): EncodedText {
  const { addSpecialTokens = true, maxLength, pair, side = 'source' } = options;
  const texts = [table.encodeText(text, side)];
  if (pair !== undefined) texts.push(table.encodeText(pair, side));
  const template = addSpecialTokens ? chooseTemplate(table, pair !== undefined) : bare.slice(0, texts.length);
  const truncated = maxLength !== undefined && cut(texts, template, maxLength);
  const ids: number[] = [];
  const tokenTypeIds: number[] = [];
  for (const place of template) {
    const added = 'token' in place ? [place.token] : texts[place.text];
    for (const id of added) {
      ids.push(id);
      tokenTypeIds.push(place.type);
    }
  }
  return pair === undefined ? { ids, truncated } : { ids, tokenTypeIds, truncated };
}

const bare: TemplatePlace[] = [
  { text: 0, type: 0 },
  { text: 1, type: 1 },
];

function chooseTemplate(table: TokenizerTable, hasPair: boolean): readonly TemplatePlace[] {
  if (!hasPair) return table.single;
  if (table.pair) return table.pair;
  throw new PolybeamError('INPUT_INVALID', 'This tokenizer has no way to join two texts: leave pair out.');
}

/** Shortens the texts in place until they fit; whether it had to. */
function cut(texts: number[][], template: readonly TemplatePlace[], maxLength: number): boolean {
  const special = template.filter((place) => 'token' in place).length;
  const room = roomFor(special, maxLength);
  const [first, second] = truncateLongestFirst(texts[0].length, texts[1]?.length ?? 0, room);
  const truncated = first < texts[0].length || second < (texts[1]?.length ?? 0);
  if (truncated) {
    texts[0] = texts[0].slice(0, first);
    if (texts[1]) texts[1] = texts[1].slice(0, second);
  }
  return truncated;
}

/** Tokens that are left for text; throws OPTION_INVALID where the special tokens alone are too many. */
export function roomFor(special: number, maxLength: number): number {
  if (Number.isInteger(maxLength) && maxLength >= Math.max(1, special)) return maxLength - special;
  throw new PolybeamError(
    'OPTION_INVALID',
    `maxLength ${maxLength} leaves no room for the ${special} special tokens around a text: raise it.`,
  );
}

function decodeOne(table: TokenizerTable, ids: Ids, options: DecodeOptions): string {
  const { skipSpecialTokens = true, cleanUpTokenizationSpaces = table.cleanUpTokenizationSpaces } = options;
  const tokens: string[] = [];
  for (const id of ids) {
    const token = table.tokenOf(id);
    if (token === undefined || (skipSpecialTokens && table.special.has(token))) continue;
    tokens.push(token);
  }
  const text = table.decodeTokens(tokens);
  return cleanUpTokenizationSpaces ? cleanUpSpaces(text) : text;
}
