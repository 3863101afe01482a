import { cpSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTokenizer } from './loadTokenizer.js';
import { loadM2M100Tokenizer } from './m2m100Tokenizer.js';
import {
  fixtures,
  readFixture,
  strings,
  temporaryDirectory,
  tokenizerContract,
  useDisk,
} from './tokenizer.contract.js';

interface Expected {
  texts: string[];
  ids: number[][];
  randomIds: number[][];
  decoded: string[];
  decodedAll: string[];
  languages: Record<string, number>;
}

const directory = `${fixtures}/m2m100`;

tokenizerContract('M2M-100', () => loadM2M100Tokenizer(directory), false);

describe('M2M-100', () => {
  beforeAll(useDisk);

  it("encodes and decodes as transformers' M2M100Tokenizer", async () => {
    const expected = readFixture<Expected>('m2m100/expected.json');
    const tokenizer = await loadTokenizer(directory);
    const texts = [...strings, ...expected.texts];
    const encoded = await tokenizer.encodeBatch(texts);
    for (const [at, text] of texts.entries()) {
      expect(encoded[at].ids, JSON.stringify(text)).toEqual(expected.ids[at]);
    }
    expect(await tokenizer.decodeBatch(expected.randomIds)).toEqual(expected.decoded);
    const all = await tokenizer.decodeBatch(expected.randomIds, { skipSpecialTokens: false });
    expect(all).toEqual(expected.decodedAll);
    for (const [code, id] of Object.entries(expected.languages)) {
      expect(tokenizer.tokenToId(`__${code}__`)).toBe(id);
      expect(tokenizer.addedTokens).toContain(`__${code}__`);
    }
  });

  it('names what is wrong with its files', async () => {
    const copy = temporaryDirectory();
    cpSync(directory, copy, { recursive: true });
    writeFileSync(`${copy}/tokenizer_config.json`, '{"language_codes":"m2m101"}');
    await expect(loadM2M100Tokenizer(copy)).rejects.toThrow(
      /language_codes "m2m101": polybeam has m2m100 and wmt21/,
    );
    writeFileSync(`${copy}/tokenizer_config.json`, '{"language_codes":"constructor"}');
    await expect(loadM2M100Tokenizer(copy)).rejects.toThrow(/language_codes "constructor": polybeam has/);
    writeFileSync(`${copy}/tokenizer_config.json`, '{"src_lang":"constructor"}');
    await expect(loadM2M100Tokenizer(copy)).rejects.toThrow(/has no __constructor__, which/);
    writeFileSync(`${copy}/tokenizer_config.json`, '{"src_lang":"xx"}');
    await expect(loadM2M100Tokenizer(copy)).rejects.toMatchObject({ code: 'TOKENIZER_INVALID' });
    writeFileSync(`${copy}/vocab.json`, '{"<unk>":0}');
    writeFileSync(`${copy}/tokenizer_config.json`, '{}');
    await expect(loadM2M100Tokenizer(copy)).rejects.toThrow(/has no <\/s>/);
  });
});
