import { describe, expect, it } from 'vitest';
import '../node/install.js';
import { loadTokenizer } from './loadTokenizer.js';
import type { Tokenizer } from './tokenizer.js';
import { makeTokenizerJson } from './tokenizerJson.js';
import { trainVocabulary } from './trainVocabulary.js';
import { wordsOfDecoding, wordsOfEncoding } from './words.js';

const texts = [
  'The quick, brown foxes jumped.',
  '  Hello   world ',
  'It isn’t (really) a 3-legged dog!',
  'one',
];

const load: Record<string, () => Promise<Tokenizer>> = {
  marian: () => loadTokenizer('test/fixtures/text/marian'),
  bert: () => loadTokenizer('test/fixtures/text/bert'),
  m2m100: () => loadTokenizer('test/fixtures/text/m2m100'),
  t5: () => loadTokenizer('test/fixtures/text/t5'),
};

/** Letters and digits of a text. */
const letters = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

describe.each(Object.keys(load))('words of the tokenizer %s', (name) => {
  it('are made of the tokens that they are said to be made of', async () => {
    const tokenizer = await load[name]();
    for (const text of texts) {
      const { ids } = await tokenizer.encode(text);
      const words = await wordsOfEncoding(tokenizer, text, ids);
      const wanted = text.trim().split(/\s+/);
      const languages = (tokenizer.addedTokens ?? []).map((token) => tokenizer.tokenToId(token));
      const special = new Set([...Object.values(tokenizer.specialIds), ...languages]);
      ids.forEach((id, at) => {
        if (words[at] < 0) expect(special).toContain(id);
      });
      for (const [word, letter] of wanted.entries()) {
        const own = ids.filter((_, at) => words[at] === word);
        expect(own.length).toBeGreaterThan(0);
        const decoded = await tokenizer.decode(own);
        if (!own.includes(tokenizer.specialIds.unk as number)) expect(letters(decoded)).toBe(letters(letter));
      }
    }
  });

  it('are those of the decoded text', async () => {
    const tokenizer = await load[name]();
    for (const text of texts) {
      const { ids } = await tokenizer.encode(text);
      const decoded = (await tokenizer.decode(ids)).trim().split(/\s+/);
      const words = await wordsOfDecoding(tokenizer, ids);
      expect(Math.max(...words)).toBe(decoded.length - 1);
      for (const [word, letter] of decoded.entries()) {
        const own = ids.filter((_, at) => words[at] === word);
        expect(letters(await tokenizer.decode(own))).toBe(letters(letter));
      }
    }
  });

  it('of a text whose end was cut are those of its beginning', async () => {
    const tokenizer = await load[name]();
    const whole = await tokenizer.encode(texts[0]);
    const { ids } = await tokenizer.encode(texts[0], { maxLength: 6 });
    const words = await wordsOfEncoding(tokenizer, texts[0], ids);
    const all = await wordsOfEncoding(tokenizer, texts[0], whole.ids);
    ids.forEach((id, at) => {
      if (words[at] >= 0) expect([id, words[at]]).toEqual([whole.ids[at], all[at]]);
    });
    expect(Math.max(...words)).toBeGreaterThan(0);
  });
});

it('finds the words of bytes, where a word at the beginning is written otherwise than elsewhere', async () => {
  const lines = ['low lower lowest', 'new newer newest'];
  const json = await trainVocabulary(lines, {
    size: 280,
    minFrequency: 1,
    pretokenizer: 'byteLevel',
    addPrefixSpace: false,
  });
  const tokenizer = await makeTokenizerJson(JSON.stringify(json), {});
  const text = 'lower newest low';
  const { ids } = await tokenizer.encode(text);
  for (const words of [await wordsOfEncoding(tokenizer, text, ids), await wordsOfDecoding(tokenizer, ids)]) {
    const found = await Promise.all(
      [0, 1, 2].map((word) => tokenizer.decode(ids.filter((_, at) => words[at] === word))),
    );
    expect(found).toEqual(['lower', ' newest', ' low']);
  }
});
