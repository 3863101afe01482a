import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { corpus, fixtures, useDisk } from './tokenizer.contract.js';
import type { TokenizerJson } from './tokenizerFile.js';
import { makeTokenizerJson } from './tokenizerJson.js';
import { trainVocabulary } from './trainVocabulary.js';

const charsmap = readFileSync(`${fixtures}/charsmap.bin`);
const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
const text = (id: string) => ({ Sequence: { id, type_id: 0 } });
const template = (single: object[], pair: object[], special_tokens: object = {}) => ({
  post_processor: { type: 'TemplateProcessing', single, pair, special_tokens },
});
const end = { id: '</s>', ids: [1], tokens: ['</s>'] };
const both = [text('A'), text('B')];
const precompiled = (map: unknown) => ({ normalizer: { type: 'Precompiled', precompiled_charsmap: map } });
const damaged = Uint8Array.from(charsmap);
damaged.set([0xff, 0xff, 0xff], 5);

/** Changes to a tokenizer.json with which npm tokenizers ends the process when it loads it or encodes or decodes a text. */
const fatal: [string, object, RegExp][] = [
  [
    'a template without its tokens',
    template([text('A'), special('</s>')], both),
    /names "<\/s>", which special_tokens lacks/,
  ],
  ['a pair template without its tokens', template([text('A')], [...both, special('x')]), /names "x"/],
  [
    'a token with fewer ids than names',
    template([text('A')], both, { '</s>': { ...end, ids: [] } }),
    /as many ids as tokens/,
  ],
  ['an empty template', template([], both), /for one text has no place for it/],
  ['a template with the second of one text', template([text('B')], both), /for one text has no place/],
  ['an empty template for two', template([text('A')], []), /for two texts has no place/],
  [
    'a template within a sequence',
    {
      post_processor: {
        type: 'Sequence',
        processors: [template([special('x'), text('A')], both).post_processor],
      },
    },
    /names "x"/,
  ],
  [
    'a template behind a template',
    {
      post_processor: {
        type: 'Sequence',
        processors: [1, 2].map(() => template([text('A')], both).post_processor),
      },
    },
    /TemplateProcessing follows a template/,
  ],
  ['a charsmap that is no base64', precompiled('AAAA!'), /precompiled_charsmap is not base64/],
  ['a charsmap that is no text', precompiled(3), /precompiled_charsmap is not base64/],
  ['a charsmap of no bytes', precompiled(''), /precompiled_charsmap has 0 bytes/],
  [
    'a charsmap that leads nowhere',
    precompiled(Buffer.from(damaged).toString('base64')),
    /charsmap leads from unit 0/,
  ],
  [
    'a charsmap within a sequence',
    { normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, precompiled('AAAA').normalizer] } },
    /precompiled_charsmap has 3 bytes/,
  ],
  ['pieces of no length', { pre_tokenizer: { type: 'FixedLength', length: 0 } }, /FixedLength has length 0/],
  [
    'a decoder that cuts ends',
    { decoder: { type: 'Strip', content: ' ', start: 0, stop: 1 } },
    /Strip has stop 1/,
  ],
  [
    'a merge without the prefix of its right side',
    {
      model: {
        type: 'BPE',
        vocab: { a: 0, b: 1, ab: 2 },
        merges: [['a', 'b']],
        continuing_subword_prefix: '##',
        unk_token: null,
      },
    },
    /the merge \["a","b"\] has a right side without the prefix "##"/,
  ],
  [
    'a merge whose result is no token',
    {
      model: {
        type: 'BPE',
        continuing_subword_prefix: null,
        vocab: { '<pad>': 0, '</s>': 1, '<unk>': 2, a: 3, bcd: 4 },
        merges: [['a', 'bcd']],
      },
    },
    /the merge \["a","bcd"\] needs the token "abcd", which vocab lacks/,
  ],
  [
    'an added token of which normalization leaves nothing',
    {
      normalizer: { type: 'Strip', strip_left: true, strip_right: true },
      added_tokens: [
        {
          id: 300,
          content: ' ',
          single_word: true,
          lstrip: false,
          rstrip: false,
          normalized: true,
          special: false,
        },
      ],
    },
    /the normalizer removes all of the added token " "/,
  ],
];

describe('a tokenizer.json that would end the process', () => {
  let base: TokenizerJson;
  beforeAll(async () => {
    useDisk();
    base = await trainVocabulary(corpus, { size: 300 });
  });

  it.each(fatal)('is refused: %s', async (_, change, message) => {
    await expect(makeTokenizerJson(JSON.stringify({ ...base, ...change }))).rejects.toMatchObject({
      code: 'TOKENIZER_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it('is refused: a template that calls itself one and lists steps as a sequence', async () => {
    const { post_processor } = template([text('A'), special('x')], both);
    const change = { post_processor: { ...post_processor, processors: [] } };
    await expect(makeTokenizerJson(JSON.stringify({ ...base, ...change }))).rejects.toThrow(/names "x"/);
  });

  it('is refused: sequences without end', async () => {
    const deep = '{"type":"Sequence","normalizers":['.repeat(20_000) + ']}'.repeat(20_000);
    const json = JSON.stringify(base).replace(/"normalizer":(?=[{n])/, `"normalizer":${deep},"other":`);
    await expect(makeTokenizerJson(json)).rejects.toMatchObject({ code: 'TOKENIZER_INVALID' });
  });

  it.each([-0.5, 2 ** 32, -1, '7', null])('is refused: the id %j', async (id) => {
    const vocab = { ...base.model.vocab, the: id };
    const added_tokens = base.added_tokens.map((token) => ({ ...token, id }));
    for (const change of [{ model: { ...base.model, vocab } }, { added_tokens }]) {
      await expect(makeTokenizerJson(JSON.stringify({ ...base, ...change }))).rejects.toMatchObject({
        code: 'TOKENIZER_INVALID',
        message: expect.stringContaining(`the id ${JSON.stringify(id)}`),
      });
    }
  });

  it('fails with a code where only some texts cannot be encoded', async () => {
    const model = {
      ...base.model,
      type: 'WordPiece',
      vocab: { a: 0 },
      unk_token: '[UNK]',
      merges: undefined,
    };
    const settings = { continuing_subword_prefix: '##', max_input_chars_per_word: 10 };
    const json = { ...base, added_tokens: [], post_processor: null, model: { ...model, ...settings } };
    const tokenizer = await makeTokenizerJson(JSON.stringify(json));
    for (const encode of [() => tokenizer.encode('zz'), () => tokenizer.encodeBatch(['zz'])]) {
      await expect(encode()).rejects.toMatchObject({
        code: 'TOKENIZER_INVALID',
        message: expect.stringMatching(/fails at a text \(WordPiece error: Missing \[UNK\] token/),
      });
    }
  });

  it('is not refused where all is right', async () => {
    const changes = [
      precompiled(charsmap.toString('base64')),
      template([text('A'), special('</s>')], [...both, special('</s>')], { '</s>': end }),
      { decoder: { type: 'Strip', content: ' ', start: 1, stop: 0 } },
    ];
    for (const change of changes) {
      const tokenizer = await makeTokenizerJson(JSON.stringify({ ...base, ...change }));
      const { ids } = await tokenizer.encode('ab the', { pair: 'file' });
      expect(await tokenizer.decode(ids)).toContain('the');
    }
  });
});
