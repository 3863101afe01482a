import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import { makeAddedTokenSplitter } from './addedTokens.js';
import { type BasicTokenizeOptions, basicNormalize, splitBasicWords } from './basicTokenize.js';
import type { SpecialTokens } from './specialTokens.js';
import { makeTableTokenizer, type TemplatePlace } from './tableTokenizer.js';
import { cleanUpSpaces, type Tokenizer } from './tokenizer.js';
import { readTokenizerSettings, type TokenizerSettings } from './tokenizerConfig.js';
import { bertClasses } from './tokenizerJsonSettings.js';
import { continuingPrefix } from './trainWordPiece.js';
import { splitLines } from './utf8.js';

/** A word with more characters is unknown. */
const maxWordLength = 100;

/** Code units of the longest words that are remembered: any longer one has more characters, and is unknown. */
const longestCached = 2 * maxWordLength;

/** Words whose pieces are remembered; beyond that the memory is emptied. */
const cacheLimit = 200_000;

const usualRoles: SpecialTokens = {
  unk: '[UNK]',
  sep: '[SEP]',
  pad: '[PAD]',
  cls: '[CLS]',
  mask: '[MASK]',
};

/**
 * Loads a BERT vocabulary: `vocab.txt`, a token a line, with tokenizer_config.json's `do_lower_case` (default true),
 * `strip_accents` (default: as do_lower_case) and `tokenize_chinese_chars` (default true). Encodes as transformers'
 * BertTokenizer: `[CLS] A [SEP]`, `[CLS] A [SEP] B [SEP]`.
 *
 * @throws FILE_NOT_FOUND; TOKENIZER_INVALID where the vocabulary lacks a special token, or is of a class that cuts otherwise
 */
export async function loadWordPiece(directory: string): Promise<Tokenizer> {
  const bytes = await fileAccess().read(`${directory}/vocab.txt`);
  const vocabulary = splitLines(new TextDecoder().decode(bytes));
  const settings = await readTokenizerSettings(directory);
  requireBertClass(settings, `${directory}/vocab.txt`);
  return makeWordPiece(vocabulary, settings, `${directory}/vocab.txt`);
}

/** Class names that do not determine how a text is split. */
const generalClasses = new Set(['PreTrainedTokenizer', 'PythonBackend', 'TokenizersBackend']);

/** @throws TOKENIZER_INVALID where the vocabulary belongs to a tokenizer that cuts words by a program of its own */
function requireBertClass({ namedClass, tokenizerClass, raw }: TokenizerSettings, path: string): void {
  // Any model may have a BERT vocabulary beside it; RoFormer's own needs jieba.
  const unlike = tokenizerClass === 'RoFormerTokenizer' ? tokenizerClass : namedClass;
  const isBert = unlike === undefined || bertClasses.has(unlike) || generalClasses.has(unlike);
  const words = [raw.word_tokenizer_type, raw.subword_tokenizer_type].find(
    (type) => typeof type === 'string' && type !== 'basic' && type !== 'wordpiece',
  );
  if (isBert && words === undefined) return;
  throw new PolybeamError(
    'TOKENIZER_INVALID',
    `${path} belongs to a ${unlike ?? 'tokenizer'}${words === undefined ? '' : ` with ${String(words)}`}, which cuts words otherwise ` +
      "than BERT (RoFormerTokenizer by jieba, for one): add its tokenizer.json, or give token ids; where BERT's way is right, " +
      'tokenizer_config.json says "tokenizer_class": "BertTokenizer".',
  );
}

/** The tokenizer of a BERT vocabulary in memory; `path` names it in errors. */
export function makeWordPiece(
  vocabulary: readonly string[],
  settings: TokenizerSettings,
  path: string,
): Tokenizer {
  const idOf = new Map(vocabulary.map((token, id) => [token, id]));
  const tokenOf = [...vocabulary];
  const roles = { ...usualRoles, ...settings.roles };
  for (const { token, id } of settings.added) {
    if (idOf.has(token.content)) continue;
    idOf.set(token.content, id ?? tokenOf.length);
    tokenOf[id ?? tokenOf.length] = token.content;
  }
  const specialId = (role: 'unk' | 'cls' | 'sep') =>
    idOf.get(roles[role]!) ?? missing(path, role, roles[role]!);
  const unkId = specialId('unk');
  const [cls, sep] = [specialId('cls'), specialId('sep')];
  const clean = cleaning(settings.raw);
  const added = new Map(settings.added.map(({ token }) => [token.content, token]));
  for (const content of Object.values(roles)) {
    if (idOf.has(content) && !added.has(content))
      added.set(content, { content, lstrip: false, rstrip: false });
  }
  const split = makeAddedTokenSplitter([...added.values()], (text) => basicNormalize(text, clean));
  const encodeWord = cached((word) => wordPieces(word, idOf, unkId));
  const single: TemplatePlace[] = [
    { token: cls, type: 0 },
    { text: 0, type: 0 },
    { token: sep, type: 0 },
  ];
  const special = settings.added.filter((entry) => entry.special).map((entry) => entry.token.content);
  return makeTableTokenizer({
    idOf,
    tokenOf: (id) => tokenOf[id],
    vocabSize: tokenOf.length,
    addedTokens: [...added.keys()],
    roles,
    special: new Set([...Object.values(roles), ...special]),
    modelMaxLength: settings.modelMaxLength,
    cleanUpTokenizationSpaces: settings.cleanUpTokenizationSpaces ?? false,
    single,
    pair: [...single, { text: 1, type: 1 }, { token: sep, type: 1 }],
    encodeText: (text) =>
      split(text).flatMap((part) =>
        'added' in part ? [idOf.get(part.added)!] : splitBasicWords(part.text).flatMap(encodeWord),
      ),
    decodeTokens: joinPieces,
  });
}

function cleaning(raw: Record<string, unknown>): BasicTokenizeOptions {
  const lowercase = raw.do_lower_case !== false;
  const stripAccents = typeof raw.strip_accents === 'boolean' ? raw.strip_accents : lowercase;
  return { lowercase, stripAccents, splitCjk: raw.tokenize_chinese_chars !== false };
}

/** Greedy, longest piece first (Wu et al. 2016, as in BERT); the whole word is unknown where a part has no piece. */
function wordPieces(word: string, idOf: ReadonlyMap<string, number>, unkId: number): number[] {
  const characters = [...word.slice(0, longestCached + 1)];
  if (characters.length > maxWordLength) return [unkId];
  const ids: number[] = [];
  for (let start = 0; start < characters.length; ) {
    const prefix = start > 0 ? continuingPrefix : '';
    let end = characters.length;
    let id: number | undefined;
    for (; end > start; end--) {
      id = idOf.get(prefix + characters.slice(start, end).join(''));
      if (id !== undefined) break;
    }
    if (id === undefined) return [unkId];
    ids.push(id);
    start = end;
  }
  return ids;
}

/** Pieces to text, a space between words, as `decoders.WordPiece` with its clean-up of each token. */
function joinPieces(tokens: string[]): string {
  let text = '';
  for (const [at, token] of tokens.entries()) {
    const spaced = token.startsWith(continuingPrefix) ? token.slice(continuingPrefix.length) : ` ${token}`;
    text += cleanUpSpaces(at === 0 ? token : spaced).replaceAll(' do not', " don't");
  }
  return text;
}

function cached(encode: (word: string) => number[]): (word: string) => number[] {
  const known = new Map<string, number[]>();
  return (word) => {
    if (word.length > longestCached) return encode(word);
    let ids = known.get(word);
    if (!ids) {
      if (known.size >= cacheLimit) known.clear();
      ids = encode(word);
      known.set(word, ids);
    }
    return ids;
  };
}

function missing(path: string, role: string, token: string): never {
  throw new PolybeamError(
    'TOKENIZER_INVALID',
    `${path} has no ${role} token ${token}: name the right one as ${role}_token in tokenizer_config.json.`,
  );
}
