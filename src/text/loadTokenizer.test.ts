import { cpSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTokenizer } from './loadTokenizer.js';
import { saveTokenizer } from './saveTokenizer.js';
import { corpus, fixtures, temporaryDirectory, useDisk } from './tokenizer.contract.js';
import { trainVocabulary } from './trainVocabulary.js';

describe('loadTokenizer', () => {
  beforeAll(useDisk);

  it('picks by the files that are there', async () => {
    const tokens = async (directory: string) => {
      const tokenizer = await loadTokenizer(directory);
      return (await tokenizer.encode('the')).ids.map((id) => tokenizer.idToToken(id));
    };
    expect(await tokens(`${fixtures}/bert`)).toEqual(['[CLS]', 'the', '[SEP]']);
    expect((await tokens(`${fixtures}/t5`)).at(-1)).toBe('</s>');
    expect((await tokens(`${fixtures}/bertGeneration`)).join('')).toBe('▁the');
    expect(await loadTokenizer(`${fixtures}/marian`)).toHaveProperty('languageTokens');
    const directory = temporaryDirectory();
    cpSync(`${fixtures}/bert/vocab.txt`, `${directory}/vocab.txt`);
    await saveTokenizer(directory, await trainVocabulary(corpus, { size: 300 }));
    expect((await tokens(directory)).at(-1)).toBe('</s>');
  });

  it('says what to do where there is nothing that it reads', async () => {
    const directory = temporaryDirectory();
    await expect(loadTokenizer(`${directory}/none`)).rejects.toMatchObject({ code: 'TOKENIZER_MISSING' });
    await expect(loadTokenizer(directory)).rejects.toThrow(
      /has no tokenizer .* give token ids instead of text/,
    );
    writeFileSync(`${directory}/vocab.json`, '{}');
    await expect(loadTokenizer(directory)).rejects.toThrow(
      /of a kind that polybeam does not read: add its tokenizer\.json/,
    );
  });

  it("names what Facebook's XLM does before its BPE", async () => {
    const directory = temporaryDirectory();
    for (const name of ['vocab.json', 'merges.txt']) writeFileSync(`${directory}/${name}`, '{}');
    writeFileSync(`${directory}/config.json`, '{"model_type": "xlm"}');
    await expect(loadTokenizer(directory)).rejects.toThrow(/XLM, which cuts each language .* give token ids/);
    await expect(loadTokenizer(directory)).rejects.toMatchObject({ code: 'TOKENIZER_MISSING' });
  });
});
