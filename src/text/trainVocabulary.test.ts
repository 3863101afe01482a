import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { corpus, readFixture, strings, temporaryDirectory, useDisk } from './tokenizer.contract.js';
import { makeTokenizerJson } from './tokenizerJson.js';
import { readTextFiles, trainVocabulary } from './trainVocabulary.js';
import { trainWordPiece } from './trainWordPiece.js';
import type { VocabularyOptions } from './vocabularyOptions.js';

interface Trained {
  vocab: Record<string, number>;
  merges: [string, string][];
  ids: number[][];
  decoded: string[];
}

async function encodeAll(options: VocabularyOptions, texts: string[], add = true) {
  const tokenizer = await makeTokenizerJson(JSON.stringify(await trainVocabulary(corpus, options)));
  const ids = (await tokenizer.encodeBatch(texts, { addSpecialTokens: add })).map((encoded) => encoded.ids);
  return { tokenizer, ids, decoded: await tokenizer.decodeBatch(ids) };
}

describe('trainVocabulary', () => {
  beforeAll(useDisk);

  const cases: [string, VocabularyOptions][] = [
    ['bpeMetaspace', { size: 250 }],
    [
      'bpeByteLevel',
      {
        size: 380,
        pretokenizer: 'byteLevel',
        specialTokens: ['<pad>', '</s>'],
        unicodeNormalization: 'nfc',
        lowercase: true,
      },
    ],
  ];
  for (const [name, options] of cases) {
    it(`learns and encodes as Python's tokenizers, ${name}`, async () => {
      const expected = readFixture<Trained>(`${name}.json`);
      const trained = await trainVocabulary(corpus, options);
      expect(trained.model.merges).toEqual(expected.merges);
      expect(trained.model.vocab).toEqual(expected.vocab);
      const { ids, decoded } = await encodeAll(options, strings);
      for (const [at, text] of strings.entries())
        expect(ids[at], JSON.stringify(text)).toEqual(expected.ids[at]);
      expect(decoded).toEqual(expected.decoded);
    });
  }

  it("learns WordPiece as Python's trainer where nothing ties", () => {
    const { counts, vocab } = readFixture<{ counts: Record<string, number>; vocab: string[] }>(
      'wordPieceTraining.json',
    );
    const limits = { size: 60, minFrequency: 2, limitAlphabet: Infinity, maxTokenLength: Infinity };
    const specialTokens = ['[PAD]', '[UNK]'];
    const learned = trainWordPiece(new Map(Object.entries(counts)), { ...limits, specialTokens });
    expect(learned.sort()).toEqual(vocab);
  });

  it('spells any text with byteFallback, and gives it back', async () => {
    const options = {
      size: 600,
      byteFallback: true,
      limitAlphabet: 30,
      specialTokens: ['<pad>', '</s>', '<unk>'],
    };
    const { tokenizer, ids, decoded } = await encodeAll(options, ['zèbre 🤗 ŒUVRE 中']);
    expect(ids[0]).not.toContain(tokenizer.specialIds.unk);
    expect(decoded).toEqual(['zèbre 🤗 ŒUVRE 中']);
  });

  it('gives back the training texts, byteLevel and metaspace', async () => {
    for (const options of [{ size: 500, pretokenizer: 'byteLevel' as const }, { size: 300 }]) {
      expect((await encodeAll(options, corpus)).decoded).toEqual(corpus);
    }
    const options = { size: 500, pretokenizer: 'byteLevel' as const, addPrefixSpace: false };
    expect((await encodeAll(options, strings.slice(0, 4))).decoded).toEqual(strings.slice(0, 4));
  });

  it('writes the asked tokens around texts', async () => {
    const specialTokens = ['<pad>', '<s>', '</s>', '<unk>', '>>fr<<'];
    const around = async (options: VocabularyOptions) => {
      const { tokenizer, ids } = await encodeAll({ size: 300, specialTokens, ...options }, ['>>fr<< file']);
      return ids[0].map((id) => tokenizer.idToToken(id));
    };
    const bare = await around({ template: 'none' });
    expect(bare[0]).toBe('>>fr<<');
    expect(await around({})).toEqual([...bare, '</s>']);
    expect(await around({ template: 'bosEos' })).toEqual(['<s>', ...bare, '</s>']);
    const bert = await makeTokenizerJson(
      JSON.stringify(await trainVocabulary(corpus, { type: 'wordpiece', size: 200 })),
    );
    const { ids, tokenTypeIds } = await bert.encode('file', { pair: 'the' });
    expect([ids.at(0), ids.at(-1)]).toEqual([bert.specialIds.cls, bert.specialIds.sep]);
    expect(tokenTypeIds?.at(-1)).toBe(1);
  });

  it('keeps words, digits and lower case as asked', async () => {
    const tokens = async (options: VocabularyOptions) =>
      Object.keys((await trainVocabulary(corpus, { size: 2000, ...options })).model.vocab);
    expect(await tokens({})).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/\p{N}\p{N}|\p{L}[.']|[.']\p{L}/u)]),
    );
    expect(await tokens({ splitDigits: false })).toContain('▁34');
    expect(await tokens({ splitPunctuation: false })).toEqual(
      expect.arrayContaining([expect.stringMatching(/\p{L}'\p{L}/u)]),
    );
    expect((await tokens({ lowercase: true })).join('')).not.toMatch(/\p{Lu}/u);
    expect((await tokens({ stripAccents: true })).join('')).not.toMatch(/[éèê]/);
    expect(Math.max(...(await tokens({ maxTokenLength: 5 })).map((token) => token.length))).toBe(5);
    expect(await tokens({ type: 'wordpiece', stripAccents: true })).toContain('##e');
  });

  it('takes lines one by one from an asynchronous source and tells how far it is', async () => {
    async function* lines() {
      yield* corpus;
    }
    const stages: string[] = [];
    const streamed = await trainVocabulary(lines(), { size: 200 }, (stage, done) =>
      stages.push(`${stage} ${done}`),
    );
    expect(streamed).toEqual(await trainVocabulary(corpus, { size: 200 }));
    expect(stages.at(-1)).toBe('tokens 200');
  });

  it('refuses options that it would ignore or cannot meet', async () => {
    const refused: [VocabularyOptions, string, RegExp][] = [
      [{ size: 10 }, 'OPTION_INVALID', /size 10 cannot hold the \d+ special tokens/],
      [{ size: 0 }, 'OPTION_INVALID', /size/],
      [{ pretokenizer: 'byteLevel', byteFallback: true }, 'OPTION_CONFLICT', /byteFallback has no meaning/],
      [{ type: 'wordpiece', splitDigits: true }, 'OPTION_CONFLICT', /splitDigits has no meaning/],
      [{ specialTokens: ['<pad>', '</s>'] }, 'OPTION_CONFLICT', /no unk token.*add <unk>/],
      [{ specialTokens: ['<unk>'], template: 'eos' }, 'OPTION_CONFLICT', /no eos token/],
      [{ specialTokens: ['<unk>', '<unk>'] }, 'OPTION_INVALID', /listed twice/],
      [{ vocabSize: 5 } as VocabularyOptions, 'OPTION_UNKNOWN', /vocabSize/],
    ];
    for (const [options, code, message] of refused) {
      const error = await trainVocabulary(corpus, options).catch((thrown) => thrown);
      expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
    }
    await expect(trainVocabulary(['', ' '])).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});

describe('readTextFiles', () => {
  beforeAll(useDisk);

  it('reads plain and packed files, columns and invalid bytes', async () => {
    const directory = temporaryDirectory();
    const [plain, packed] = [`${directory}/a.tsv`, `${directory}/b.gz`];
    writeFileSync(plain, 'one\tun\r\ntwo\tdeux\n');
    writeFileSync(packed, gzipSync(Uint8Array.from([0x61, 0xff, 0x0a, 0x62, 0x09, 0x63])));
    expect(await readTextFiles([plain, packed])).toEqual({
      lines: ['one', 'un', 'two', 'deux', 'a\uFFFD', 'b', 'c'],
      invalidLines: 1,
    });
    expect((await readTextFiles([plain], [1])).lines).toEqual(['un', 'deux']);
    await expect(readTextFiles([plain], [2])).rejects.toThrow(
      /Line 1 of .* has 2 columns and none of number 2/,
    );
    writeFileSync(packed, 'not gzip');
    await expect(readTextFiles([packed])).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
  });
});
