import { PolybeamError } from '../errors.js';
import { makeAddedTokenSplitter } from './addedTokens.js';
import { type LoadedSentencePiece, loadSentencePieceFile } from './sentencePiece.js';
import { decodePieces } from './sentencePieceModel.js';
import { metaspace } from './splitWords.js';
import { makeTableTokenizer } from './tableTokenizer.js';
import type { Tokenizer } from './tokenizer.js';
import { readTokenizerSettings, type TokenizerSettings } from './tokenizerConfig.js';
import { readVocabulary } from './vocabularyFile.js';

/** A Marian tokenizer, and the target languages that its source tokens select. */
export interface MarianTokenizer extends Tokenizer {
  /** Language tokens of the vocabulary such as `>>fr<<`, by what stands between the marks. */
  readonly languageTokens: ReadonlyMap<string, string>;
}

/**
 * Loads a Marian directory: `source.spm` and `target.spm` cut text into pieces, `vocab.json` numbers them
 * (`target_vocab.json` those of the target where tokenizer_config.json says `separate_vocabs`). Encodes as transformers'
 * MarianTokenizer: text, then `</s>`; a language token at the start (`>>fr<< text`) is kept whole.
 *
 * @throws FILE_NOT_FOUND; TOKENIZER_INVALID for damaged files or a vocabulary without `</s>` or `<unk>`
 */
export async function loadMarianTokenizer(directory: string): Promise<MarianTokenizer> {
  const settings = await readTokenizerSettings(directory);
  const separate = settings.raw.separate_vocabs === true;
  const sourcePath = `${directory}/vocab.json`;
  const sourceIds = await readVocabulary(sourcePath);
  const targetIds = separate ? await readVocabulary(`${directory}/target_vocab.json`) : sourceIds;
  const source = await loadSentencePieceFile(`${directory}/source.spm`);
  const target = await loadSentencePieceFile(`${directory}/target.spm`);
  const roles = { unk: '<unk>', eos: '</s>', pad: '<pad>', ...settings.roles };
  const added = addedTokens(Object.values(roles), settings, sourceIds);
  const tokens = invert(targetIds);
  for (const [token, id] of added.ids) tokens[id] = token;
  const idIn = (ids: ReadonlyMap<string, number>, token: string) => added.ids.get(token) ?? ids.get(token);
  const required = (ids: ReadonlyMap<string, number>, token: string, path: string) =>
    ids.get(token) ?? missing(path, token);
  const eos = required(sourceIds, roles.eos, sourcePath);
  const sides = {
    source: { ids: sourceIds, unk: required(sourceIds, roles.unk, sourcePath), piece: source },
    target: {
      ids: targetIds,
      unk: required(targetIds, roles.unk, `${directory}/target_vocab.json`),
      piece: target,
    },
  };
  const special = new Set<string>([...Object.values(roles), ...added.special]);
  // As transformers: with one vocabulary the source's pieces spell the text.
  const decoder = separate ? target : source;
  const sizes = { source: invert(new Map([...sourceIds, ...added.ids])).length, target: tokens.length };
  const tokenizer = makeTableTokenizer({
    idOf: new Map([...sourceIds, ...added.ids]),
    tokenOf: (id) => tokens[id],
    vocabSize: Math.max(sizes.source, sizes.target),
    addedTokens: [...added.ids.keys()],
    roles,
    special,
    modelMaxLength: settings.modelMaxLength ?? 512,
    cleanUpTokenizationSpaces: settings.cleanUpTokenizationSpaces ?? false,
    single: [
      { text: 0, type: 0 },
      { token: eos, type: 0 },
    ],
    encodeText(text, side) {
      const { ids, unk, piece } = sides[side];
      const cut = (part: string) => tokenize(part, piece).map((token) => idIn(ids, token) ?? unk);
      return added
        .split(text)
        .flatMap((part) => ('added' in part ? [idIn(ids, part.added)!] : cut(part.text)));
    },
    decodeTokens: (pieces) => joinPieces(pieces, special, decoder),
  });
  const sideSizes = separate ? { sideSizes: sizes } : {};
  return { ...tokenizer, ...sideSizes, languageTokens: findLanguages(sourceIds.keys()) };
}

/** A language token at the start, then pieces. */
function tokenize(text: string, { encoder }: LoadedSentencePiece): string[] {
  const end = text.startsWith('>>') ? text.indexOf('<<') : -1;
  if (end < 0) return encoder.encodePieces(text);
  return [text.slice(0, end + 2), ...encoder.encodePieces(text.slice(end + 2))];
}

function joinPieces(
  tokens: readonly string[],
  special: ReadonlySet<string>,
  decoder: LoadedSentencePiece,
): string {
  let text = '';
  let pieces: string[] = [];
  for (const token of tokens) {
    if (!special.has(token)) {
      pieces.push(token);
      continue;
    }
    text += `${decodePieces(pieces, decoder.model)}${token} `;
    pieces = [];
  }
  text += decodePieces(pieces, decoder.model);
  return text.replaceAll(metaspace, ' ').trim();
}

function addedTokens(
  roles: readonly string[],
  settings: TokenizerSettings,
  ids: ReadonlyMap<string, number>,
) {
  const found = new Map(roles.map((content) => [content, { content, lstrip: false, rstrip: false }]));
  for (const { token } of settings.added) found.set(token.content, token);
  const given = new Map(settings.added.map(({ token, id }) => [token.content, id]));
  const addedIds = new Map<string, number>();
  let next = ids.size;
  for (const content of found.keys()) {
    addedIds.set(content, given.get(content) ?? ids.get(content) ?? next++);
  }
  const special = settings.added.filter((entry) => entry.special).map((entry) => entry.token.content);
  return { ids: addedIds, special, split: makeAddedTokenSplitter([...found.values()]) };
}

function invert(ids: ReadonlyMap<string, number>): (string | undefined)[] {
  const tokens: (string | undefined)[] = [];
  for (const [token, id] of ids) tokens[id] = token;
  return tokens;
}

function findLanguages(tokens: Iterable<string>): Map<string, string> {
  const languages = new Map<string, string>();
  for (const token of tokens) {
    const code = /^>>(.+)<<$/.exec(token)?.[1];
    if (code) languages.set(code, token);
  }
  return languages;
}

function missing(path: string, token: string): never {
  throw new PolybeamError(
    'TOKENIZER_INVALID',
    `${path} has no ${token}, which Marian models need: fetch the file again.`,
  );
}
