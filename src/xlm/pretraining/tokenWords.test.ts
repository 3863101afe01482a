import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tinyTokenizer } from '../../../test/support/xlm/tinyTables.js';
import '../../node/install.js';
import { readVocabularyFacts } from '../../pretraining/vocabularyFacts.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import { specialIds } from './ngramTables.js';
import { makeWordFinder, type TokenWord } from './tokenWords.js';

let tokenizer: Tokenizer;
let directory: string;
let find: (ids: ArrayLike<number>) => TokenWord[];
let end: number;
beforeAll(async () => {
  ({ tokenizer, directory } = await tinyTokenizer());
  find = makeWordFinder(tokenizer, specialIds(await readVocabularyFacts(tokenizer)));
  end = tokenizer.specialIds.eos!;
});
afterAll(() => rm(directory, { recursive: true }));

const encode = async (text: string) => (await tokenizer.encode(text, { addSpecialTokens: false })).ids;
const spelled = (ids: readonly number[], { from, to }: TokenWord) =>
  ids
    .slice(from, to)
    .map((id) => tokenizer.idToToken(id))
    .join('')
    .replaceAll('▁', ' ')
    .trim();

describe('words of tokens', () => {
  test('are those of the text, with all their tokens and no others', async () => {
    const text = 'the old-house stands, here: 12 trees.';
    const ids = [end, ...(await encode(text)), end];
    const found = find(ids);
    expect(found.map((word) => word.text)).toEqual(
      // What the vocabulary does not know is no word: digits, and letters that no text had.
      ['the', 'old', 'house', 'stands', 'here', 'trees', '.'],
    );
    for (const word of found) expect(spelled(ids, word)).toBe(word.text);
    expect(found.some(({ from, to }) => to - from > 1)).toBe(true);
  });

  test('sentences part them, and the ends of a row may cut them', async () => {
    const [one, other] = [await encode('the tree.'), await encode('das Haus.')];
    const whole = find([end, ...one, end, ...other, end]);
    expect(whole.map(({ text }) => text)).toEqual(['the', 'tree', '.', 'das', 'Haus', '.']);
    expect(new Set(whole.slice(0, 3).map(({ sentence }) => sentence)).size).toBe(1);
    expect(whole[3].sentence).not.toBe(whole[2].sentence);
    // The first token does not begin a word, and the last word may go on.
    const word = await encode('Bäumchen');
    expect(word.length).toBeGreaterThan(2);
    expect(find([end, ...word.slice(1), ...other]).map(({ text }) => text)).toEqual(['das', 'Haus']);
    expect(find([end, ...other, ...word.slice(0, -1)]).map(({ text }) => text)).toEqual(['das', 'Haus', '.']);
  });

  test('need a vocabulary that tells spaces', () => {
    const other = { ...tokenizer, idToToken: (id: number) => `##${id}` };
    expect(() => makeWordFinder(other, new Set())).toThrow(/No token begins with ▁/);
  });
});
