import { beforeAll, describe, expect, it } from 'vitest';
import { fixtures, readFixture, strings, tokenizerContract, useDisk } from './tokenizer.contract.js';
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

  it('drops any number of accents in linear time', async () => {
    const tokenizer = await loadWordPiece(`${fixtures}/bert`);
    const plain = await tokenizer.encode('a the');
    // The two marks are in the wrong order, so that sorting 400,000 of them by insertion takes a minute.
    const text = `a${'\u0301\u0323'.repeat(200_000)} the`;
    const start = performance.now();
    expect(await tokenizer.encode(text)).toEqual(plain);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it('names the special token that a vocabulary lacks', async () => {
    const settings = await readTokenizerSettings('nowhere');
    expect(() => makeWordPiece(['a', '[CLS]', '[SEP]'], settings, 'here/vocab.txt')).toThrow(
      /here\/vocab\.txt has no unk token \[UNK\]/,
    );
  });
});
