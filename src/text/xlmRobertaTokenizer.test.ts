import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTokenizer } from './loadTokenizer.js';
import {
  fixtures,
  readFixture,
  strings,
  temporaryDirectory,
  tokenizerContract,
  useDisk,
} from './tokenizer.contract.js';
import { loadXlmRobertaTokenizer } from './xlmRobertaTokenizer.js';

interface Expected {
  size: number;
  texts: string[];
  ids: number[][];
  pair: number[];
  mask: number;
  randomIds: number[][];
  decoded: string[];
  decodedAll: string[];
}

const directory = `${fixtures}/xlmRoberta`;

tokenizerContract('XLM-RoBERTa', () => loadXlmRobertaTokenizer(directory), true);

describe('XLM-RoBERTa', () => {
  beforeAll(useDisk);

  it("encodes and decodes as transformers' XLMRobertaTokenizer", async () => {
    const expected = readFixture<Expected>('xlmRoberta/expected.json');
    const tokenizer = await loadTokenizer(directory);
    expect(tokenizer.vocabSize).toBe(expected.size);
    expect(tokenizer.specialIds).toMatchObject({ bos: 0, pad: 1, eos: 2, unk: 3, mask: expected.mask });
    expect(tokenizer.modelMaxLength).toBe(512);
    const texts = [...strings, ...expected.texts];
    const encoded = await tokenizer.encodeBatch(texts);
    for (const [at, text] of texts.entries()) {
      expect(encoded[at].ids, JSON.stringify(text)).toEqual(expected.ids[at]);
    }
    expect((await tokenizer.encode('The editor', { pair: 'opens' })).ids).toEqual(expected.pair);
    expect(await tokenizer.decodeBatch(expected.randomIds)).toEqual(expected.decoded);
    const all = await tokenizer.decodeBatch(expected.randomIds, { skipSpecialTokens: false });
    expect(all).toEqual(expected.decodedAll);
  });

  it('is taken for XLM-RoBERTa where the directory says so, and not otherwise', async () => {
    const copy = temporaryDirectory();
    cpSync(directory, copy, { recursive: true });
    rmSync(`${copy}/config.json`);
    await expect(loadTokenizer(copy)).rejects.toThrow(/of a kind that polybeam does not read/);
    writeFileSync(`${copy}/tokenizer_config.json`, '{"tokenizer_class": "XLMRobertaTokenizerFast"}');
    expect((await (await loadTokenizer(copy)).encode('')).ids).toEqual([0, 2]);
    writeFileSync(`${copy}/tokenizer_config.json`, '{"tokenizer_class": "MBartTokenizer"}');
    await expect(loadTokenizer(copy)).rejects.toMatchObject({ code: 'TOKENIZER_MISSING' });
  });
});
