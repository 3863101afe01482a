import { PolybeamError } from '../errors.js';
import { makeAddedTokenSplitter } from './addedTokens.js';
import { loadSentencePieceFile } from './sentencePiece.js';
import { decodePieces } from './sentencePieceModel.js';
import { makeTableTokenizer } from './tableTokenizer.js';
import type { Tokenizer } from './tokenizer.js';
import { readTokenizerSettings } from './tokenizerConfig.js';
import { readVocabulary } from './vocabularyFile.js';

/** Languages in the order of their ids, by `language_codes` of tokenizer_config.json (fairseq's lists). */
const languageCodes = new Map([
  [
    'm2m100',
    'af am ar ast az ba be bg bn br bs ca ceb cs cy da de el en es et fa ff fi fr fy ga gd gl gu ha he hi hr ht hu hy ' +
      'id ig ilo is it ja jv ka kk km kn ko lb lg ln lo lt lv mg mk ml mn mr ms my ne nl no ns oc or pa pl ps pt ro ru ' +
      'sd si sk sl so sq sr ss su sv sw ta th tl tn tr uk ur uz vi wo xh yi yo zh zu',
  ],
  ['wmt21', 'en ha is ja cs ru zh de'],
]);

/** Names of the files that make a directory M2M-100's. */
export const m2m100Files = { vocabulary: 'vocab.json', model: 'sentencepiece.bpe.model' };

/**
 * Loads an M2M-100 directory: `sentencepiece.bpe.model` cuts text into pieces, `vocab.json` numbers them, and languages
 * (`__fr__`) come after. Encodes as transformers' M2M100Tokenizer: the source language (`src_lang`, default English),
 * text, `</s>`.
 *
 * @throws FILE_NOT_FOUND; TOKENIZER_INVALID for damaged files, a list of languages that polybeam does not have, or a
 * vocabulary without `</s>` or `<unk>`
 */
export async function loadM2M100Tokenizer(directory: string): Promise<Tokenizer> {
  const settings = await readTokenizerSettings(directory);
  const vocabularyPath = `${directory}/${m2m100Files.vocabulary}`;
  const idOf = await readVocabulary(vocabularyPath);
  const { model, encoder } = await loadSentencePieceFile(`${directory}/${m2m100Files.model}`);
  const roles = { bos: '<s>', eos: '</s>', sep: '</s>', unk: '<unk>', pad: '<pad>', ...settings.roles };
  const languages = languageTokens(settings.raw.language_codes, directory);
  const first = idOf.size;
  languages.forEach((token, index) => {
    idOf.set(token, first + index);
  });
  const tokens: string[] = [];
  for (const [token, id] of idOf) tokens[id] = token;
  const required = (token: string): number => {
    const id = idOf.get(token);
    if (id !== undefined) return id;
    throw invalid(`${vocabularyPath} has no ${token}, which the tokenizer writes: fetch the file again`);
  };
  const language = required(
    `__${typeof settings.raw.src_lang === 'string' ? settings.raw.src_lang : 'en'}__`,
  );
  const unk = required(roles.unk);
  const added = [...new Set([...Object.values(roles), ...languages])].filter((token) => idOf.has(token));
  const special = new Set(added);
  const split = makeAddedTokenSplitter(added.map((content) => ({ content, lstrip: false, rstrip: false })));
  return makeTableTokenizer({
    idOf,
    tokenOf: (id) => tokens[id],
    vocabSize: tokens.length,
    addedTokens: added,
    roles,
    special,
    modelMaxLength: settings.modelMaxLength ?? 1024,
    cleanUpTokenizationSpaces: settings.cleanUpTokenizationSpaces ?? false,
    single: [
      { token: language, type: 0 },
      { text: 0, type: 0 },
      { token: required(roles.eos), type: 0 },
    ],
    encodeText: (text) =>
      split(text).flatMap((part) =>
        'added' in part
          ? [idOf.get(part.added)!]
          : encoder.encodePieces(part.text).map((piece) => idOf.get(piece) ?? unk),
      ),
    decodeTokens(all) {
      let text = '';
      let pieces: string[] = [];
      for (const token of all) {
        if (!special.has(token)) pieces.push(token);
        else {
          text += decodePieces(pieces, model) + token;
          pieces = [];
        }
      }
      return (text + decodePieces(pieces, model)).trim();
    },
  });
}

function languageTokens(name: unknown, directory: string): string[] {
  const codes = languageCodes.get(String(name ?? 'm2m100'));
  if (codes) return codes.split(' ').map((code) => `__${code}__`);
  throw invalid(
    `${directory}/tokenizer_config.json has language_codes ${JSON.stringify(name)}: polybeam has ` +
      [...languageCodes.keys()].join(' and '),
  );
}

function invalid(message: string): PolybeamError {
  return new PolybeamError('TOKENIZER_INVALID', `${message}.`);
}
