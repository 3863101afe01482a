import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import { makeAddedTokenSplitter } from './addedTokens.js';
import { withShortForeignRuns } from './foreignRuns.js';
import {
  decodePieces,
  notAModel,
  parseSentencePieceModel,
  pieceKind,
  type SentencePieceEncoder,
  type SentencePieceModel,
} from './sentencePieceModel.js';
import { rolesByName, type SpecialTokens } from './specialTokens.js';
import { metaspace } from './splitWords.js';
import { makeTableTokenizer, type TemplatePlace } from './tableTokenizer.js';
import type { Tokenizer } from './tokenizer.js';
import { readTokenizerSettings, type TokenizerSettings } from './tokenizerConfig.js';

/** Makes encoders from the bytes of `.model` files. */
export interface SentencePieceModule {
  load(model: Uint8Array): Promise<SentencePieceEncoder>;
}

let sentencePieceModule: SentencePieceModule | undefined;

/** Sets what runs SentencePiece models; the Node entry sets it to npm `sentencepiece-js`. */
export function setSentencePieceModule(module: SentencePieceModule | undefined): void {
  sentencePieceModule = module;
}

/** A SentencePiece model: its table and its encoder. */
export interface LoadedSentencePiece {
  model: SentencePieceModel;
  encoder: SentencePieceEncoder;
}

/**
 * Loads a SentencePiece `.model` (or Marian's `.spm`) file.
 *
 * @throws FILE_NOT_FOUND; TOKENIZER_INVALID for a damaged file; RUNTIME_MISSING outside Node where no module was set
 */
export async function loadSentencePieceFile(path: string): Promise<LoadedSentencePiece> {
  if (!sentencePieceModule) {
    throw new PolybeamError(
      'RUNTIME_MISSING',
      `Nothing here reads ${path}: import polybeam in Node, or call setSentencePieceModule() with your own.`,
    );
  }
  const bytes = await fileAccess().read(path);
  const model = parseSentencePieceModel(bytes, path);
  const encoder = coded(await loadEncoder(sentencePieceModule, bytes, path), path);
  return { model, encoder: withShortForeignRuns(encoder, model) };
}

/** @throws TOKENIZER_INVALID where the module refuses the model, or makes no pieces of a letter */
async function loadEncoder(
  module: SentencePieceModule,
  bytes: Uint8Array,
  path: string,
): Promise<SentencePieceEncoder> {
  try {
    const encoder = await module.load(bytes);
    if (encoder.encodePieces('a').join('') !== '') return encoder;
  } catch (cause) {
    throw notAModel(path, cause);
  }
  throw notAModel(path);
}

/** The encoder, with what WebAssembly throws at a damaged model turned into errors that have a code. */
function coded(encoder: SentencePieceEncoder, path: string): SentencePieceEncoder {
  return {
    encodePieces(text) {
      try {
        return encoder.encodePieces(text);
      } catch (cause) {
        throw new PolybeamError(
          'TOKENIZER_INVALID',
          `${path} fails to encode a text of ${text.length} characters: it is damaged, fetch it again.`,
          { cause },
        );
      }
    },
  };
}

/** Names a SentencePiece model has in Hugging Face directories. */
export const sentencePieceNames = ['spiece.model', 'tokenizer.model', 'sentencepiece.model', 'spm.model'];

/**
 * Classes whose ids are the model's own, and what they write around a text. Others shift ids or rewrite text in their
 * code, so that reading the model alone would give wrong ids without a word.
 */
const knownClasses = new Map([
  ['BertGenerationTokenizer', { eos: false, extraIds: 0, trim: true }],
  ['T5Tokenizer', { eos: true, extraIds: 100, trim: false }],
]);

/** Classes without a SentencePiece model, which the type of a model may stand for: then the model is of no named class. */
const otherClasses = new Set(
  ['Bart', 'Bert', 'GPT2', 'Marian', 'RoFormer', 'XLM'].map((name) => `${name}Tokenizer`),
);

/**
 * Loads a directory with a SentencePiece model: that of BertGenerationTokenizer, T5Tokenizer (by `tokenizer_class` of
 * tokenizer_config.json or config.json, or by config.json's `model_type`), or of no class, where
 * `add_bos_token` and `add_eos_token` of tokenizer_config.json say what is written around a text (default neither).
 *
 * @throws TOKENIZER_INVALID for another class, whose ids are not the model's; see also `loadSentencePieceFile`
 */
export async function loadSentencePiece(directory: string, name = 'spiece.model'): Promise<Tokenizer> {
  const path = `${directory}/${name}`;
  const settings = await readTokenizerSettings(directory);
  const kind = describeClass(settings, path);
  const { model, encoder } = await loadSentencePieceFile(path);
  const pieces = [...model.pieces];
  const idOf = new Map(model.idOf);
  const add = (token: string, id = pieces.length) => {
    if (idOf.has(token)) return;
    pieces[id] = token;
    idOf.set(token, id);
  };
  // T5 numbers its sentinels backwards, after the model's pieces.
  const sentinels = Array.from({ length: kind.extraIds }, (_, i) => `<extra_id_${kind.extraIds - 1 - i}>`);
  for (const token of sentinels) add(token);
  for (const { token, id } of settings.added) add(token.content, id);
  const roles = modelRoles(model, settings.roles);
  const special = new Set([...Object.values(roles), ...sentinels]);
  for (const { token, special: isSpecial } of settings.added) if (isSpecial) special.add(token.content);
  const added = new Map([...special].map((content) => [content, { content, lstrip: false, rstrip: false }]));
  for (const { token } of settings.added) added.set(token.content, token);
  const known = [...added.values()].filter((token) => idOf.has(token.content));
  const split = makeAddedTokenSplitter(known);
  const unkId = model.kinds.indexOf(pieceKind.unknown);
  return makeTableTokenizer({
    idOf,
    tokenOf: (id) => pieces[id],
    vocabSize: pieces.length,
    addedTokens: known.map((token) => token.content),
    roles,
    special,
    modelMaxLength: settings.modelMaxLength,
    cleanUpTokenizationSpaces: settings.cleanUpTokenizationSpaces ?? false,
    ...templates(kind, roles, idOf, path),
    encodeText: (text) =>
      split(text).flatMap((part) =>
        'added' in part
          ? [idOf.get(part.added)!]
          : encoder.encodePieces(part.text).map((piece) => model.idOf.get(piece) ?? unkId),
      ),
    decodeTokens: (tokens) => joinPieces(tokens, model, kind.trim),
  });
}

function describeClass(settings: TokenizerSettings, path: string) {
  const { namedClass, raw } = settings;
  const isOther = namedClass === undefined && otherClasses.has(settings.tokenizerClass ?? '');
  const tokenizerClass = isOther ? undefined : settings.tokenizerClass;
  const known = knownClasses.get(tokenizerClass ?? '');
  if (tokenizerClass !== undefined && !known) {
    throw new PolybeamError(
      'TOKENIZER_INVALID',
      `${path} belongs to a ${tokenizerClass}, whose ids are not those of its model: add its tokenizer.json, which ` +
        'Python writes by AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR).',
    );
  }
  return {
    bos: raw.add_bos_token === true,
    eos: raw.add_eos_token === true || known?.eos === true,
    extraIds: typeof raw.extra_ids === 'number' ? raw.extra_ids : (known?.extraIds ?? 0),
    trim: known?.trim === true,
  };
}

/** The model's control pieces by their usual names, its unknown piece, and what the configuration names. */
function modelRoles(model: SentencePieceModel, named: SpecialTokens): SpecialTokens {
  const control = model.pieces.filter((_, id) => model.kinds[id] === pieceKind.control);
  const unk = model.pieces[model.kinds.indexOf(pieceKind.unknown)];
  return { ...rolesByName(control), unk, ...named };
}

function templates(
  kind: { bos: boolean; eos: boolean },
  roles: SpecialTokens,
  idOf: ReadonlyMap<string, number>,
  path: string,
): { single: TemplatePlace[]; pair: TemplatePlace[] } {
  const place = (role: 'bos' | 'eos'): TemplatePlace[] => {
    const id = idOf.get(roles[role] ?? '');
    if (id !== undefined) return [{ token: id, type: 0 }];
    throw new PolybeamError(
      'TOKENIZER_INVALID',
      `${path} has no ${role} token, which its configuration wants around texts: set add_${role}_token to false.`,
    );
  };
  const start = kind.bos ? place('bos') : [];
  const end = kind.eos ? place('eos') : [];
  const single: TemplatePlace[] = [...start, { text: 0, type: 0 }, ...end];
  return { single, pair: [...single, { text: 1, type: 0 }, ...end] };
}

/** As transformers joins pieces (some classes trim the text), and byte pieces as the characters they spell. */
function joinPieces(tokens: readonly string[], model: SentencePieceModel, trim: boolean): string {
  const text = decodeBytePieces(tokens, model).replaceAll(metaspace, ' ');
  return trim ? text.trim() : text.replace(/^ /, '');
}

function decodeBytePieces(tokens: readonly string[], model: SentencePieceModel): string {
  const isByte = (token: string) => model.kinds[model.idOf.get(token) ?? -1] === pieceKind.byte;
  if (!tokens.some(isByte)) return tokens.join('');
  let text = '';
  for (let at = 0; at < tokens.length; ) {
    let end = at;
    while (end < tokens.length && isByte(tokens[end])) end++;
    if (end > at) text += decodePieces(tokens.slice(at, end), model);
    else text += tokens[end++];
    at = end;
  }
  return text;
}
