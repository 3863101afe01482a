import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryDirectory, useDisk } from './tokenizer.contract.js';
import { specialTokenJson } from './tokenizerFile.js';
import { loadTokenizerJson } from './tokenizerJson.js';

/** A tokenizer.json of words, in lower case or not, `[CLS] A [SEP]`. */
function wordPieces(normalizer: object) {
  const tokens = '[PAD] [UNK] [CLS] [SEP] [MASK] hello Hello there é e'.split(' ');
  const cls = { SpecialToken: { id: '[CLS]', type_id: 0 } };
  const sep = { SpecialToken: { id: '[SEP]', type_id: 0 } };
  const text = (id: string) => ({ Sequence: { id, type_id: 0 } });
  return {
    added_tokens: tokens.slice(0, 5).map(specialTokenJson),
    normalizer,
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [cls, text('A'), sep],
      pair: [cls, text('A'), sep, text('B'), sep],
      special_tokens: {
        '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
        '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
      },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
    },
  };
}

const bertNormalizer = (lowercase: boolean) => ({
  type: 'BertNormalizer',
  clean_text: true,
  handle_chinese_chars: true,
  strip_accents: null,
  lowercase,
});

/** A tokenizer.json of a translator with two languages, whose template is given as tokens around `A`. */
function translator(around: readonly string[], languages: readonly string[]) {
  const special = ['<s>', '<pad>', '</s>', '<unk>'];
  const tokens = [...special, '▁A', '▁', 'A', 'B', '▁B'];
  const idOf = (token: string) => [...tokens, ...languages].indexOf(token);
  const single = around.map((token) =>
    token === 'A' ? { Sequence: { id: 'A', type_id: 0 } } : { SpecialToken: { id: token, type_id: 0 } },
  );
  const entries = around
    .filter((token) => token !== 'A')
    .map((id) => [id, { id, ids: [idOf(id)], tokens: [id] }]);
  return {
    added_tokens: [...special, ...languages].map((token) => specialTokenJson(token, idOf(token))),
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    post_processor: {
      type: 'TemplateProcessing',
      single,
      pair: [...single, { Sequence: { id: 'B', type_id: 0 } }],
      special_tokens: Object.fromEntries(entries),
    },
    decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    model: {
      type: 'Unigram',
      unk_id: 3,
      vocab: tokens.map((token, id) => [token, -id]),
      byte_fallback: false,
    },
  };
}

/** A tokenizer.json of bytes, alone. */
function byteLevel(addPrefixSpace: boolean) {
  return {
    added_tokens: [],
    pre_tokenizer: {
      type: 'ByteLevel',
      add_prefix_space: addPrefixSpace,
      trim_offsets: true,
      use_regex: true,
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', vocab: { Ġ: 0, a: 1, b: 2 }, merges: [] },
  };
}

async function load(tokenizer: object, settings?: object, config?: object) {
  const directory = temporaryDirectory();
  const write = (name: string, value: object) => writeFileSync(`${directory}/${name}`, JSON.stringify(value));
  write('tokenizer.json', { version: '1.0', ...tokenizer });
  if (settings) write('tokenizer_config.json', settings);
  if (config) write('config.json', config);
  return loadTokenizerJson(directory);
}

const tokensOf = async (text: string, ...files: Parameters<typeof load>) => {
  const tokenizer = await load(...files);
  const { ids } = await tokenizer.encode(text);
  return ids.map((id) => tokenizer.idToToken(id)).join(' ');
};

// All expected tokens are those of transformers 5.23.
describe('tokenizer_config.json beside tokenizer.json', () => {
  beforeAll(useDisk);

  const cased = '[CLS] Hello there [UNK] hello [SEP]';
  const uncased = '[CLS] hello there e hello [SEP]';

  it.each<[object, object | undefined, object | undefined, string]>([
    [bertNormalizer(true), { tokenizer_class: 'BertTokenizer', do_lower_case: false }, undefined, cased],
    [bertNormalizer(true), { do_lower_case: false }, { model_type: 'bert' }, cased],
    [bertNormalizer(true), { do_lower_case: false }, undefined, cased],
    [{ type: 'Lowercase' }, { tokenizer_class: 'BertTokenizerFast', do_lower_case: false }, undefined, cased],
    [bertNormalizer(false), { tokenizer_class: 'BertTokenizer' }, undefined, uncased],
    [bertNormalizer(false), undefined, { model_type: 'bert' }, uncased],
    [
      bertNormalizer(true),
      { tokenizer_class: 'PreTrainedTokenizerFast', do_lower_case: false },
      undefined,
      uncased,
    ],
    [bertNormalizer(false), undefined, undefined, cased],
  ])(
    'says whether BERT lowers letters: %j with %j and %j',
    async (normalizer, settings, config, expected) => {
      expect(await tokensOf('Hello there É hello', wordPieces(normalizer), settings, config)).toBe(expected);
    },
  );

  const nllb = ['eng_Latn', 'fra_Latn'];
  const old = ['A', '</s>', 'eng_Latn'];

  it.each<[readonly string[], object, object | undefined, string]>([
    [old, { tokenizer_class: 'NllbTokenizer' }, undefined, 'eng_Latn ▁A ▁B </s>'],
    [old, { tokenizer_class: 'NllbTokenizerFast', src_lang: 'fra_Latn' }, undefined, 'fra_Latn ▁A ▁B </s>'],
    [old, {}, { model_type: 'm2m_100', tokenizer_class: 'NllbTokenizer' }, 'eng_Latn ▁A ▁B </s>'],
    [
      ['eng_Latn', 'A', '</s>'],
      { tokenizer_class: 'NllbTokenizer', legacy_behaviour: true, src_lang: 'fra_Latn' },
      undefined,
      '▁A ▁B </s> fra_Latn',
    ],
  ])(
    'says where the source language stands: NLLB, %j with %j and %j',
    async (around, settings, config, expected) => {
      expect(await tokensOf('A B', translator(around, nllb), settings, config)).toBe(expected);
    },
  );

  it.each([
    ['MBartTokenizer', 'fr_XX', '▁A ▁B </s> fr_XX'],
    ['MBartTokenizer', undefined, '▁A ▁B </s> en_XX'],
    ['MBart50Tokenizer', 'fr_XX', 'fr_XX ▁A ▁B </s>'],
    ['MBart50TokenizerFast', undefined, 'en_XX ▁A ▁B </s>'],
  ])('says where the source language stands: %s from %s', async (tokenizer_class, src_lang, expected) => {
    const tokenizer = translator(['A', '</s>'], ['en_XX', 'fr_XX']);
    expect(await tokensOf('A B', tokenizer, { tokenizer_class, src_lang })).toBe(expected);
  });

  it('leaves the template where only the type of the model is known', async () => {
    const tokenizer = translator(['en_XX', 'A', '</s>'], ['en_XX', 'fr_XX']);
    expect(await tokensOf('A B', tokenizer, undefined, { model_type: 'mbart' })).toBe('en_XX ▁A ▁B </s>');
  });

  it('refuses a source language that the tokenizer does not have', async () => {
    const settings = { tokenizer_class: 'NllbTokenizer', src_lang: 'xxx_Latn' };
    await expect(load(translator(old, nllb), settings)).rejects.toMatchObject({
      code: 'TOKENIZER_INVALID',
      message: expect.stringMatching(/has no token "xxx_Latn", .*src_lang "xxx_Latn"\): name a language/),
    });
  });

  it.each([
    [false, { tokenizer_class: 'BartTokenizer', add_prefix_space: true }, 'Ġ a Ġ b'],
    [true, { tokenizer_class: 'RobertaTokenizer' }, 'a Ġ b'],
    [true, { tokenizer_class: 'GPT2Tokenizer' }, 'a Ġ b'],
    [false, { tokenizer_class: 'PreTrainedTokenizerFast', add_prefix_space: true }, 'a Ġ b'],
  ])('says whether a space begins a text: %j with %j', async (file, settings, expected) => {
    expect(await tokensOf('a b', byteLevel(file), settings)).toBe(expected);
  });

  it('adds tokens and gives them flags', async () => {
    const flags = { special: false, normalized: true, lstrip: false, rstrip: false, single_word: false };
    const settings = {
      tokenizer_class: 'PreTrainedTokenizerFast',
      cls_token: '<cls>',
      additional_special_tokens: ['<<x>>'],
      added_tokens_decoder: {
        4: { ...flags, content: '[MASK]', lstrip: true, special: true, normalized: false },
        10: { ...flags, content: 'hello there' },
      },
    };
    const tokenizer = await load(wordPieces(bertNormalizer(true)), settings);
    expect((await tokenizer.encode('Hello there É hello')).ids).toEqual([2, 10, 9, 5, 3]);
    expect(['<cls>', '<<x>>', '[MASK]'].map((token) => tokenizer.tokenToId(token))).toEqual([11, 12, 4]);
    expect(tokenizer.vocabSize).toBe(13);
  });
});
