import { expect, test } from 'vitest';
import '../node/install.js';
import { makeTokenizerJson } from '../text/tokenizerJson.js';
import { trainVocabulary } from '../text/trainVocabulary.js';
import { readVocabularyFacts } from './vocabularyFacts.js';

const lines = ['walking walker walked talking talker talked. walking talking.', 'red. blue. walked.'];

async function factsOf(options: object) {
  const tokenizer = await makeTokenizerJson(
    JSON.stringify(await trainVocabulary(lines, { size: 60, minFrequency: 1, ...options })),
  );
  return { tokenizer, facts: await readVocabularyFacts(tokenizer) };
}

test('of WordPiece: pieces go on with words, [CLS] stands before and [SEP] behind', async () => {
  const { tokenizer, facts } = await factsOf({ type: 'wordpiece' });
  const id = (token: string) => tokenizer.tokenToId(token)!;
  expect(facts.prefix).toEqual([id('[CLS]')]);
  expect(facts.suffix).toEqual([id('[SEP]')]);
  expect(facts.maskTokenId).toBe(id('[MASK]'));
  const piece = Array.from({ length: tokenizer.vocabSize }, (_, at) => at).find((at) =>
    tokenizer.idToToken(at)?.startsWith('##'),
  )!;
  expect(facts.startsWord[piece]).toBe(0);
  expect(facts.startsWord[id('[SEP]')]).toBe(1);
  expect(facts.endsSentence[id('.')]).toBe(1);
  expect(Array.from(facts.ordinary)).not.toContain(id('[MASK]'));
  expect(facts.ordinary).toHaveLength(tokenizer.vocabSize - 5);
});

test('of BPE: words begin with the mark of a space', async () => {
  const specialTokens = ['<pad>', '</s>', '<unk>', '<mask>'];
  const { tokenizer, facts } = await factsOf({ specialTokens });
  expect(facts.prefix).toEqual([]);
  expect(facts.suffix).toEqual([1]);
  const { ids } = await tokenizer.encode('walked red', { addSpecialTokens: false });
  const starts = ids.filter((id) => facts.startsWord[id] === 1);
  expect(starts).toHaveLength(2);
});

test('without a mask token there are none', async () => {
  await expect(factsOf({})).rejects.toMatchObject({ code: 'TOKENIZER_INVALID' });
});
