import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import '../node/install.js';
import { temporaryDirectory } from '../text/tokenizer.contract.js';
import { loadModel } from './loadModel.js';
import type { Model } from './model.js';

/** A t5 model of 64 ids with a vocabulary of `words`, and tokens added to it. */
function directoryOf(fixture: string, words: readonly string[], added: readonly string[]): string {
  const directory = temporaryDirectory();
  cpSync(`test/fixtures/models/${fixture}`, directory, { recursive: true });
  writeFileSync(`${directory}/vocab.txt`, words.join('\n'));
  const config = { tokenizer_class: 'BertTokenizer', additional_special_tokens: added };
  writeFileSync(`${directory}/tokenizer_config.json`, JSON.stringify(config));
  return directory;
}

const wordsOf = (count: number) => [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  ...Array.from({ length: count - 5 }, (_, at) => `w${at}`),
];

describe('a tokenizer with more ids than its model', () => {
  const models: Model[] = [];
  afterAll(() => Promise.all(models.map((model) => model.dispose())));

  it('is refused when it is loaded', async () => {
    await expect(loadModel(directoryOf('bart', wordsOf(61), []))).rejects.toMatchObject({
      code: 'TOKENIZER_INVALID',
      message: expect.stringMatching(/a tokenizer of 61 tokens and a model that knows 60 of the source/),
    });
    models.push(await loadModel(directoryOf('bart', wordsOf(60), [])));
  });

  it.each([
    { type: 'BertProcessing', sep: ['</s>', 999999], cls: ['</s>', 1] },
    {
      type: 'TemplateProcessing',
      single: [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '</s>', type_id: 0 } }],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 0 } }],
      special_tokens: { '</s>': { id: '</s>', ids: [999999], tokens: ['</s>'] } },
    },
  ])('is refused, too, where its template writes an id that no token has: %j', async (template) => {
    const directory = temporaryDirectory();
    cpSync('models/en-fr-software', directory, { recursive: true });
    const path = `${directory}/tokenizer.json`;
    const file = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...file, post_processor: template }));
    await expect(loadModel(directory)).rejects.toMatchObject({
      code: 'TOKENIZER_INVALID',
      message: expect.stringMatching(/writes the id 999999 beside every text and a model that knows 8000/),
    });
  });

  it('may have added tokens without a row, as bart-large-cnn, and a text that holds one is refused', async () => {
    const model = await loadModel(directoryOf('bart', wordsOf(60), ['<new>']));
    models.push(model);
    expect(await model.translate(['w3 w4'], { maxNewTokens: 2 })).toHaveLength(1);
    await expect(model.translate(['w3 <new>'], { maxNewTokens: 2 })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(
        /The text "w3 <new>" holds "<new>", token 60 .* no vector: leave it out/,
      ),
    });
  });
});
