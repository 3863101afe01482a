import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import '../node/install.js';
import { loadTokenizer } from '../text/loadTokenizer.js';
import { saveTokenizer } from '../text/saveTokenizer.js';
import { trainVocabulary } from '../text/trainVocabulary.js';
import { languageShares, trainJointVocabulary } from './jointVocabulary.js';

const english = ['the dog sees the house', 'the house sees a dog', 'a dog and the dog', 'the houses'];
const french = ['le chien voit la maison, la maison voit le chien'];
const texts = { en: () => [english], fr: () => [french] };
const specialTokens = ['<pad>', '</s>', '<unk>', '<mask>', '<en>', '<fr>'];

const mergesOf = async (lines: string[]) =>
  (await trainVocabulary(lines, { size: 50, minFrequency: 1, specialTokens })).model.merges;

describe('joint vocabulary', () => {
  test('shares follow n^alpha', () => {
    expect(languageShares([9, 1], 0.5)).toEqual([0.75, 0.25]);
    expect(languageShares([9, 1], 1)).toEqual([0.9, 0.1]);
    expect(languageShares([9, 1, 5], 0)).toEqual([1 / 3, 1 / 3, 1 / 3]);
  });

  // Of 5 texts each language then has 2.5: one French text counts as much as four English ones.
  test('alpha 0 learns what four copies of the language with a fourth of the texts would teach', async () => {
    const joint = await trainJointVocabulary(texts, { size: 50, minFrequency: 1, alpha: 0 });
    expect(joint.languages).toEqual([
      { language: 'en', texts: 4, share: 0.5 },
      { language: 'fr', texts: 1, share: 0.5 },
    ]);
    const copies = await mergesOf([...english, ...Array(4).fill(french[0])]);
    expect(joint.tokenizer.model.merges).toEqual(copies);
    expect(copies).not.toEqual(await mergesOf([...english, ...french]));
  });

  test('alpha 1 learns from the texts as they are', async () => {
    const joint = await trainJointVocabulary(texts, { size: 50, minFrequency: 1, alpha: 1 });
    expect(joint.tokenizer.model.merges).toEqual(await mergesOf([...english, ...french]));
  });

  test('minFrequency counts weighted words', async () => {
    const options = { size: 90, alpha: 0, minFrequency: 3 };
    const { tokenizer } = await trainJointVocabulary(texts, options);
    // "voit" occurs twice, which counts as 5; "and" occurs once, which counts as 0.6.
    expect(tokenizer.model.vocab).toHaveProperty('▁voit');
    expect(tokenizer.model.vocab).not.toHaveProperty('an');
  });

  test('the directory loads, with contiguous language tokens, and texts end with </s>', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'polybeam-joint-'));
    const { tokenizer } = await trainJointVocabulary(texts, { size: 90 });
    await saveTokenizer(directory, tokenizer);
    const loaded = await loadTokenizer(directory);
    expect(specialTokens.map((token) => loaded.tokenToId(token))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(loaded.specialIds).toEqual({ pad: 0, eos: 1, unk: 2, mask: 3 });
    const { ids } = await loaded.encode('<fr> le chien <mask>');
    expect([ids[0], ids.at(-2), ids.at(-1)]).toEqual([5, 3, 1]);
    expect(await loaded.decode(ids)).toBe('le chien');
  });
});

describe('what joint vocabularies refuse', () => {
  test('a language without text, naming it', async () => {
    await expect(trainJointVocabulary({ ...texts, de: () => [['', '  ']] })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('language de hold no word'),
    });
  });

  test.each(['mask', 's', 'a b', '<en>', ''])('the language code "%s"', async (code) => {
    await expect(trainJointVocabulary({ [code]: () => [english] })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining(`"${code}" cannot be the code of a language`),
    });
  });

  test('no language, and options that are wrong or not its own', async () => {
    await expect(trainJointVocabulary({})).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(trainJointVocabulary(texts, { alpha: 2 })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    const foreign = { type: 'wordpiece' } as object;
    await expect(trainJointVocabulary(texts, foreign)).rejects.toMatchObject({ code: 'OPTION_UNKNOWN' });
  });
});
