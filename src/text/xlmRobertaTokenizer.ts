import { makeAddedTokenSplitter } from './addedTokens.js';
import { loadSentencePieceFile } from './sentencePiece.js';
import type { SpecialTokens } from './specialTokens.js';
import { metaspace } from './splitWords.js';
import { makeTableTokenizer, type TemplatePlace } from './tableTokenizer.js';
import type { Tokenizer } from './tokenizer.js';
import { readTokenizerSettings } from './tokenizerConfig.js';

/** Name of the SentencePiece model of an XLM-RoBERTa directory. */
export const xlmRobertaFile = 'sentencepiece.bpe.model';

/** What fairseq puts in front, in place of the model's own three control pieces. */
const first = ['<s>', '<pad>', '</s>', '<unk>'];
const controlPieces = 3;

/** Whether a directory with `sentencepiece.bpe.model` says that its ids are XLM-RoBERTa's: other models have that file, too. */
export async function isXlmRoberta(directory: string): Promise<boolean> {
  return (await readTokenizerSettings(directory)).tokenizerClass === 'XLMRobertaTokenizer';
}

/**
 * Loads an XLM-RoBERTa directory without a tokenizer.json. Ids are those of fairseq: `<s> <pad> </s> <unk>`, then the model's
 * pieces, each one id later than in the model, and `<mask>`. Encodes as transformers' XLMRobertaTokenizer: `<s> text </s>`, and
 * a pair as `<s> A </s></s> B </s>`.
 *
 * @throws FILE_NOT_FOUND; TOKENIZER_INVALID for damaged files; RUNTIME_MISSING outside Node where no module was set
 */
export async function loadXlmRobertaTokenizer(directory: string): Promise<Tokenizer> {
  const settings = await readTokenizerSettings(directory);
  const { model, encoder } = await loadSentencePieceFile(`${directory}/${xlmRobertaFile}`);
  const tokens = [...first, ...model.pieces.slice(controlPieces)];
  const idOf = new Map(tokens.map((token, id) => [token, id]));
  const roles: Required<SpecialTokens> = {
    bos: '<s>',
    cls: '<s>',
    eos: '</s>',
    sep: '</s>',
    pad: '<pad>',
    unk: '<unk>',
    mask: '<mask>',
    ...settings.roles,
  };
  const add = (token: string, id = tokens.length) => {
    if (idOf.has(token)) return;
    tokens[id] = token;
    idOf.set(token, id);
  };
  add(roles.mask);
  for (const { token, id } of settings.added) add(token.content, id);
  const added = new Map(
    Object.values(roles).map((content) => [
      content,
      { content, lstrip: content === roles.mask, rstrip: false },
    ]),
  );
  for (const { token } of settings.added) {
    // The mask takes the space before it, unless files that say more than its name say otherwise.
    added.set(token.content, { ...token, lstrip: token.lstrip || added.get(token.content)?.lstrip === true });
  }
  const special = new Set(Object.values(roles));
  for (const { token, special: isSpecial } of settings.added) if (isSpecial) special.add(token.content);
  const split = makeAddedTokenSplitter([...added.values()]);
  const unk = idOf.get('<unk>')!;
  return makeTableTokenizer({
    idOf,
    tokenOf: (id) => tokens[id],
    vocabSize: tokens.length,
    addedTokens: [...added.keys()],
    roles,
    special,
    modelMaxLength: settings.modelMaxLength,
    cleanUpTokenizationSpaces: settings.cleanUpTokenizationSpaces ?? false,
    ...templates(idOf.get(roles.bos)!, idOf.get(roles.eos)!),
    encodeText: (text) =>
      split(text).flatMap((part) =>
        'added' in part
          ? [idOf.get(part.added)!]
          : encoder.encodePieces(part.text).map((piece) => idOf.get(piece) ?? unk),
      ),
    decodeTokens: (all) => all.join('').replaceAll(metaspace, ' ').trim(),
  });
}

function templates(bos: number, eos: number): { single: TemplatePlace[]; pair: TemplatePlace[] } {
  const token = (id: number): TemplatePlace => ({ token: id, type: 0 });
  const single: TemplatePlace[] = [token(bos), { text: 0, type: 0 }, token(eos)];
  return { single, pair: [...single, token(eos), { text: 1, type: 0 }, token(eos)] };
}
