import { cpSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadMarianTokenizer } from './marianTokenizer.js';
import {
  fixtures,
  readFixture,
  strings,
  temporaryDirectory,
  tokenizerContract,
  useDisk,
} from './tokenizer.contract.js';

interface Expected {
  source: number[][];
  target: number[][];
  randomIds: number[][];
  decoded: string[];
  decodedAll: string[];
  special: Record<string, number>;
}

tokenizerContract('Marian', () => loadMarianTokenizer(`${fixtures}/marian`), false);

describe('Marian', () => {
  beforeAll(useDisk);

  for (const name of ['marian', 'marian-separate']) {
    it(`encodes both sides and decodes as transformers' MarianTokenizer, ${name}`, async () => {
      const expected = readFixture<Expected>(`${name}/expected.json`);
      const tokenizer = await loadMarianTokenizer(`${fixtures}/${name}`);
      for (const side of ['source', 'target'] as const) {
        const encoded = await tokenizer.encodeBatch(strings, { side });
        for (const [at, text] of strings.entries()) {
          expect(encoded[at].ids, `${side} ${JSON.stringify(text)}`).toEqual(expected[side][at]);
        }
      }
      expect(await tokenizer.decodeBatch(expected.randomIds)).toEqual(expected.decoded);
      const all = await tokenizer.decodeBatch(expected.randomIds, { skipSpecialTokens: false });
      expect(all).toEqual(expected.decodedAll);
      expect(tokenizer.specialIds).toEqual(expected.special);
    });
  }

  it('lists the languages it can be told', async () => {
    const { languageTokens } = await loadMarianTokenizer(`${fixtures}/marian`);
    expect([...languageTokens]).toEqual([
      ['fr', '>>fr<<'],
      ['de', '>>de<<'],
    ]);
  });

  it('names what is wrong with its files', async () => {
    const directory = temporaryDirectory();
    cpSync(`${fixtures}/marian`, directory, { recursive: true });
    writeFileSync(`${directory}/vocab.json`, '{"</s>": 0}');
    await expect(loadMarianTokenizer(directory)).rejects.toThrow(/vocab\.json has no <unk>/);
    writeFileSync(`${directory}/vocab.json`, '{"</s>": 0, "<unk>": "x"}');
    await expect(loadMarianTokenizer(directory)).rejects.toThrow(/gives the token "<unk>" the id "x"/);
    writeFileSync(`${directory}/vocab.json`, '{"</s>": 0');
    await expect(loadMarianTokenizer(directory)).rejects.toMatchObject({ code: 'TOKENIZER_INVALID' });
  });
});
