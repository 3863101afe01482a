import { cpSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  fixtures,
  readFixture,
  strings,
  temporaryDirectory,
  tokenizerContract,
  useDisk,
} from './tokenizer.contract.js';
import { readTokenizerSettings } from './tokenizerConfig.js';
import { loadWordPiece, makeWordPiece } from './wordPiece.js';

interface Variant {
  settings: Record<string, boolean>;
  ids: number[][];
  decoded: string[];
  cleaned: string[];
}

interface Encoded {
  input_ids: number[];
  token_type_ids: number[];
}

tokenizerContract('WordPiece', () => loadWordPiece(`${fixtures}/bert`), true);

describe('WordPiece', () => {
  beforeAll(useDisk);
  const expected = readFixture<Record<string, Variant>>('bert/expected.json');

  for (const [name, variant] of Object.entries(expected)) {
    it(`encodes and decodes as transformers' BertTokenizer, ${name}`, async () => {
      const vocabulary = (await loadWordPiece(`${fixtures}/bert`)).vocabSize;
      const base = await loadWordPiece(`${fixtures}/bert`);
      const tokens = Array.from({ length: vocabulary }, (_, id) => base.idToToken(id)!);
      const settings = { ...(await readTokenizerSettings('nowhere')), raw: variant.settings };
      const tokenizer = makeWordPiece(tokens, settings, 'vocab.txt');
      const encoded = await tokenizer.encodeBatch(strings);
      for (const [at, text] of strings.entries()) {
        expect(encoded[at].ids, JSON.stringify(text)).toEqual(variant.ids[at]);
      }
      expect(await tokenizer.decodeBatch(variant.ids)).toEqual(variant.decoded);
      const options = { cleanUpTokenizationSpaces: true, skipSpecialTokens: false };
      expect(await tokenizer.decodeBatch(variant.ids.slice(0, 31), options)).toEqual(variant.cleaned);
    });
  }

  it('joins and cuts pairs as BertTokenizer', async () => {
    const tokenizer = await loadWordPiece(`${fixtures}/bert`);
    const { pair, cut } = expected.uncased as unknown as {
      pair: Encoded;
      cut: (Encoded & { maxLength: number })[];
    };
    const texts = ['the editor', 'does not open a small file'] as const;
    const whole = await tokenizer.encode(texts[0], { pair: texts[1] });
    expect([whole.ids, whole.tokenTypeIds]).toEqual([pair.input_ids, pair.token_type_ids]);
    for (const { maxLength, input_ids, token_type_ids } of cut) {
      const { ids, tokenTypeIds } = await tokenizer.encode(texts[0], { pair: texts[1], maxLength });
      expect([ids, tokenTypeIds], `maxLength ${maxLength}`).toEqual([input_ids, token_type_ids]);
    }
  });

  it('finds added tokens as BertTokenizer, normalized or alone', async () => {
    const directory = temporaryDirectory();
    const vocabulary = '[PAD] [UNK] [CLS] [SEP] [MASK] hello there world'.replaceAll(' ', '\n');
    writeFileSync(`${directory}/vocab.txt`, vocabulary);
    const flags = { single_word: true, lstrip: false, rstrip: false, normalized: false, special: false };
    const added_tokens_decoder = {
      8: { ...flags, content: 'hello there', single_word: false, normalized: true },
      9: { ...flags, content: 'World' },
      10: { ...flags, content: 'Wé', lstrip: true, rstrip: true, normalized: true },
    };
    writeFileSync(`${directory}/tokenizer_config.json`, JSON.stringify({ added_tokens_decoder }));
    const tokenizer = await loadWordPiece(directory);
    // What transformers 5.23 says.
    const expected = {
      'Hello there': [2, 8, 3],
      'hello theres World Worldy World, _World WE we wé  wé_ WORLD hello there中World': [
        2, 8, 1, 9, 1, 9, 1, 1, 7, 10, 10, 10, 1, 1, 7, 8, 1, 7, 3,
      ],
      'x hello  there': [2, 1, 5, 6, 3],
      'aWorld wéwé': [2, 1, 1, 3],
      ' wé  hello': [2, 10, 5, 3],
    };
    for (const [text, ids] of Object.entries(expected)) {
      expect((await tokenizer.encode(text)).ids, text).toEqual(ids);
    }
  });

  it.each<[object, object, RegExp | undefined]>([
    [
      { tokenizer_class: 'RoFormerTokenizer' },
      {},
      /belongs to a RoFormerTokenizer, which cuts words otherwise/,
    ],
    [{}, { model_type: 'roformer' }, /belongs to a RoFormerTokenizer/],
    [
      {},
      { model_type: 'bert', tokenizer_class: 'BertJapaneseTokenizer' },
      /belongs to a BertJapaneseTokenizer/,
    ],
    [{ word_tokenizer_type: 'mecab' }, { model_type: 'bert' }, /belongs to a tokenizer with mecab/],
    [
      { tokenizer_class: 'BertTokenizer', subword_tokenizer_type: 'character' },
      {},
      /BertTokenizer with character/,
    ],
    [{ tokenizer_class: 'BertTokenizer' }, { model_type: 'roformer' }, undefined],
    [{ tokenizer_class: 'ElectraTokenizerFast', word_tokenizer_type: 'basic' }, {}, undefined],
    [{}, { model_type: 'bart' }, undefined],
  ])('serves the classes that cut as BERT does: %j with %j', async (settings, config, refusal) => {
    const directory = temporaryDirectory();
    cpSync(`${fixtures}/bert/vocab.txt`, `${directory}/vocab.txt`);
    writeFileSync(`${directory}/tokenizer_config.json`, JSON.stringify(settings));
    writeFileSync(`${directory}/config.json`, JSON.stringify(config));
    const loaded = loadWordPiece(directory);
    if (refusal === undefined) await expect(loaded).resolves.toHaveProperty('vocabSize');
    else
      await expect(loaded).rejects.toMatchObject({
        code: 'TOKENIZER_INVALID',
        message: expect.stringMatching(refusal),
      });
  });

  it('refuses ids that no token can have', async () => {
    const directory = temporaryDirectory();
    cpSync(`${fixtures}/bert/vocab.txt`, `${directory}/vocab.txt`);
    for (const id of [-0.5, 2 ** 32, -1, '7', null]) {
      writeFileSync(`${directory}/added_tokens.json`, JSON.stringify({ '<new>': id }));
      await expect(loadWordPiece(directory)).rejects.toMatchObject({
        code: 'TOKENIZER_INVALID',
        message: expect.stringContaining(
          `added_tokens.json gives the token "<new>" the id ${JSON.stringify(id)}`,
        ),
      });
    }
    writeFileSync(`${directory}/added_tokens.json`, '{}');
    for (const id of ['-0.5', '4294967296', 'constructor', '']) {
      const added_tokens_decoder = { [id]: { content: '<new>' } };
      writeFileSync(`${directory}/tokenizer_config.json`, JSON.stringify({ added_tokens_decoder }));
      await expect(loadWordPiece(directory)).rejects.toMatchObject({ code: 'TOKENIZER_INVALID' });
    }
  });

  it('drops any number of accents in linear time', async () => {
    const tokenizer = await loadWordPiece(`${fixtures}/bert`);
    const plain = await tokenizer.encode('a the');
    // The two marks are in the wrong order, so that sorting 400,000 of them by insertion takes a minute.
    const text = `a${'\u0301\u0323'.repeat(200_000)} the`;
    const start = performance.now();
    expect(await tokenizer.encode(text)).toEqual(plain);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  describe('cuts texts at added tokens as BertTokenizer of transformers 5.23', () => {
    const vocabulary = '[PAD] [UNK] [CLS] [SEP] [MASK] hello there ##s the cat 中 x'.split(' ');
    const texts = [
      'Hello there',
      'hello theres',
      'xhello there',
      'Hello thére',
      'x hello there中cat',
      'hello there_ the',
    ];
    const token = (content: string, normalized: boolean, singleWord = false) => ({
      token: { content, lstrip: false, rstrip: false, normalized, singleWord },
      id: undefined,
      special: false,
      flagged: true,
    });
    const words = [
      [5, 6],
      [5, 6, 7],
      [1, 6],
      [5, 6],
      [11, 5, 6, 10, 9],
      [5, 6, 1, 8],
    ];
    const found = [[12], [12, 1], [11, 12], [12], [11, 12, 10, 9], [12, 1, 8]];
    const whole = [[12], [5, 6, 7], [1, 6], [12], [11, 12, 10, 9], [5, 6, 1, 8]];
    const raw = [
      [5, 6],
      [12, 1],
      [11, 12],
      [5, 6],
      [11, 12, 10, 9],
      [12, 1, 8],
    ];

    it.each([
      ['normalized', [token('hello there', true)], true, found],
      ['normalized, in capitals', [token('Hello There', true)], true, found],
      ['normalized, a single word', [token('hello there', true, true)], true, whole],
      ['not normalized', [token('hello there', false)], true, raw],
      ['not normalized, a single word', [token('hello there', false, true)], true, words],
      ['the longest of two', [token('hello', true, true), token('hello there', true, true)], true, whole],
      // Padded by spaces, an ideograph is a word.
      ['with an ideograph', [token('中cat', true)], true, words.with(4, [11, 5, 6, 12])],
      // What is not normalized goes first.
      [
        'with another',
        [token('hello there', true), token('there', false)],
        true,
        [...[[5, 6], [5, 6, 1], [1, 6], [12], [11, 5, 6, 10, 9], [5, 6, 1, 8]]],
      ],
      [
        'normalized, with capitals kept',
        [token('hello there', true)],
        false,
        [
          ...[
            [1, 6],
            [12, 1],
            [11, 12],
            [1, 1],
            [11, 12, 10, 9],
            [12, 1, 8],
          ],
        ],
      ],
    ])('%s', async (_, added, lowercase, wanted) => {
      const settings = await readTokenizerSettings('nowhere');
      const own = { ...settings, added, raw: { do_lower_case: lowercase } };
      const tokenizer = makeWordPiece(vocabulary, own, 'vocab.txt');
      const encoded = await tokenizer.encodeBatch(texts, { addSpecialTokens: false });
      expect(encoded.map(({ ids }) => ids)).toEqual(wanted);
    });

    it('says what files say of them', async () => {
      const directory = temporaryDirectory();
      const decoder = {
        '4': { content: '[MASK]', lstrip: true, normalized: false, special: true },
        '12': { content: 'hello there', single_word: true, normalized: true },
        '13': { content: 'raw', normalized: false },
      };
      writeFileSync(`${directory}/vocab.txt`, vocabulary.join('\n'));
      writeFileSync(
        `${directory}/tokenizer_config.json`,
        JSON.stringify({ added_tokens_decoder: decoder, mask_token: '[MASK]' }),
      );
      writeFileSync(`${directory}/added_tokens.json`, JSON.stringify({ older: 14, '[SEP]': 3 }));
      writeFileSync(`${directory}/special_tokens_map.json`, JSON.stringify({ sep_token: '[SEP]' }));
      const { added } = await readTokenizerSettings(directory);
      expect(
        added.map(({ token: { content, normalized, singleWord } }) => [content, normalized, singleWord]),
      ).toEqual([
        ['[MASK]', false, false],
        ['hello there', true, true],
        ['raw', false, false],
        ['older', true, false],
        ['[SEP]', false, false],
      ]);
      expect((await (await loadWordPiece(directory)).encode('Hello there')).ids).toEqual([2, 12, 3]);
    });
  });

  it('names the special token that a vocabulary lacks', async () => {
    const settings = await readTokenizerSettings('nowhere');
    expect(() => makeWordPiece(['a', '[CLS]', '[SEP]'], settings, 'here/vocab.txt')).toThrow(
      /here\/vocab\.txt has no unk token \[UNK\]/,
    );
  });
});
