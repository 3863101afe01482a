import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import '../node/install.js';
import { loadTokenizer } from '../text/loadTokenizer.js';
import { saveTokenizer } from '../text/saveTokenizer.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { trainVocabulary } from '../text/trainVocabulary.js';
import { loadModel } from './loadModel.js';
import type { Model } from './model.js';
import { decodeReplaced, readDictionary } from './unknownWords.js';

const directory = mkdtempSync(join(tmpdir(), 'polybeam-unknown-'));
beforeAll(async () => {
  cpSync('test/fixtures/models/marian', directory, { recursive: true });
  const letters = 'abcdefghijklmnopqrstuvwxyz'.split('');
  const lines = [...letters.map((letter) => `${letter} ${letter}${letter}`), 'the end', 'the start'];
  const specialTokens = ['</s>', '<unk>', '<pad>'];
  const tokenizer = await trainVocabulary(lines, { size: 72, minFrequency: 1, specialTokens });
  await saveTokenizer(directory, tokenizer, {});
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Attention of each target token on one source token. */
const onto = (sources: readonly number[], width: number) =>
  sources.map((source) => Array.from({ length: width }, (_, place) => (place === source ? 0.9 : 0.01)));

/** Decodes with the source words `Zoë (Ørsted)!`, tokens 0 and 1 of the one, 2 of the other, and 3 of none. */
const decode = (tokenizer: Tokenizer, ids: readonly number[], sources: readonly number[], entries = {}) =>
  decodeReplaced(tokenizer, ids, {
    words: ['Zoë', '(Ørsted)!'],
    wordOfToken: [0, 0, 1, -1],
    attention: onto(sources, 4),
    dictionary: new Map(Object.entries(entries)),
  });

describe('unknown words of a vocabulary that marks where words begin', () => {
  let tokenizer: Tokenizer;
  let id: (token: string) => number;
  beforeAll(async () => {
    tokenizer = await loadTokenizer(directory);
    id = (token) => tokenizer.tokenToId(token) as number;
  });

  it('are the whole words that the unknown token is a piece of', async () => {
    const [end] = (await tokenizer.encode(' end', { addSpecialTokens: false })).ids;
    const { text, words } = await decode(
      tokenizer,
      [end, id('▁'), id('<unk>'), id('a'), end, id('</s>')],
      [3, 0, 2, 0, 0, 3],
    );
    const [own] = (await tokenizer.decode([end])).split(' ');
    expect(text).toBe(`${own} Ørsted ${own}`);
    expect([...words]).toEqual([0, 1, 1, 1, 2, -1]);
    const inside = await decode(tokenizer, [id('▁a'), id('<unk>'), id('b')], [0, 1, 0]);
    expect(inside).toEqual({ text: 'Zoë', words: Int32Array.of(0, 0, 0) });
  });

  it('are looked up as they stand, then without the punctuation around them', async () => {
    const ids = [id('▁'), id('<unk>'), id('▁'), id('<unk>')];
    const sources = [0, 0, 0, 2];
    expect((await decode(tokenizer, ids, sources, { Zoë: 'New York' })).text).toBe('New York Ørsted');
    expect((await decode(tokenizer, ids, sources, { Ørsted: 'b', '(Ørsted)!': 'a' })).text).toBe('Zoë a');
    const two = await decode(tokenizer, ids, sources, { Zoë: 'New York' });
    expect([...two.words]).toEqual([0, 0, 2, 2]);
  });

  it('are taken from words, however much is read from end tokens', async () => {
    expect((await decode(tokenizer, [id('▁'), id('<unk>')], [3, 3])).text).toBe('Zoë');
  });
});

it('replaces unknown words of WordPiece alone, and keeps the punctuation after them', async () => {
  const tokenizer = await loadTokenizer('test/fixtures/text/bert');
  const text = 'the ☃, the dog';
  const { ids } = await tokenizer.encode(text);
  const unknown = tokenizer.specialIds.unk as number;
  expect(ids.filter((one) => one === unknown)).toHaveLength(1);
  const replaced = await decode(
    tokenizer,
    ids,
    ids.map((one) => (one === unknown ? 1 : 3)),
  );
  const plain = await tokenizer.decode(ids);
  expect(plain).not.toContain('☃');
  expect(replaced.text).toBe('the Zoë, the dog');
});

describe('replaceUnknowns', () => {
  const texts = ['the start of ends.', 'b c'];
  // Nothing but unknown tokens is written.
  const options = { maxNewTokens: 3, minNewTokens: 3, sequenceBias: [[[1], 60]] as [number[], number][] };
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(directory);
  });
  afterAll(() => model.dispose());

  it('copies the words that the alignment names, punctuation aside', async () => {
    expect(await model.translate(texts, options)).toEqual(['', '']);
    const outputs = await model.generate(
      texts.map((text) => ({ text })),
      { ...options, replaceUnknowns: true, returnAttention: true },
    );
    const hidden = await model.generate(
      texts.map((text) => ({ text })),
      { ...options, replaceUnknowns: true },
    );
    const translated = await model.translate(texts, { ...options, replaceUnknowns: true });
    outputs.forEach(({ sequences: [{ ids, text, words }] }, index) => {
      expect(ids).toEqual([1, 1, 1]);
      // Without a mark of a new word between them the tokens are pieces of one word.
      expect(words!.attention).toHaveLength(1);
      const source = texts[index].split(' ').map((word) => word.replace('.', ''));
      expect(source).toContain(text);
      expect(words!.alignment.map(([from]) => source[from])).toContain(text);
      expect(translated[index]).toBe(text);
      expect(hidden[index].sequences[0]).toEqual({
        ids,
        text,
        score: expect.any(Number),
        tokenLogProbabilities: expect.any(Array),
      });
    });
  });

  it('looks them up in a file', async () => {
    const path = join(directory, 'dictionary.tsv');
    const copied = await model.translate(texts, { ...options, replaceUnknowns: true });
    writeFileSync(path, `${copied[0]}\tzwei\r\n\nx\ty\n`);
    expect(await model.translate(texts, { ...options, replaceUnknowns: path })).toEqual(['zwei', copied[1]]);
    const [{ text, alignment }] = await model.translateAligned(texts, { ...options, replaceUnknowns: path });
    expect(text).toBe('zwei');
    expect(alignment.map(([, target]) => target)).toContain(0);
    writeFileSync(path, 'a\tb\nc\n');
    await expect(readDictionary(path)).rejects.toMatchObject({
      code: 'FILE_CORRUPT',
      message: expect.stringContaining('line 2 has 0 tabs'),
    });
  });

  it('changes nothing where nothing is unknown, and refuses what has no words', async () => {
    const known = { maxNewTokens: 4, suppressTokens: [1] };
    expect(await model.translate(texts, { ...known, replaceUnknowns: true })).toEqual(
      await model.translate(texts, known),
    );
    const ids = model.generate([{ inputIds: [5, 0] }], { replaceUnknowns: true });
    await expect(ids).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    const wrong = model.generate([{ text: 'a' }], { replaceUnknowns: 3 as never });
    await expect(wrong).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });
});
