import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { saveTokenizer } from './saveTokenizer.js';
import { corpus, temporaryDirectory, tokenizerContract, useDisk } from './tokenizer.contract.js';
import { loadTokenizerJson, makeTokenizerJson, setTokenizersModule } from './tokenizerJson.js';
import { trainVocabulary } from './trainVocabulary.js';
import type { VocabularyOptions } from './vocabularyOptions.js';

const kinds: [string, VocabularyOptions][] = [
  ['tokenizer.json, metaspace', { size: 300, splitPunctuation: false }],
  ['tokenizer.json, byteLevel', { size: 400, pretokenizer: 'byteLevel' }],
  ['tokenizer.json, wordpiece', { size: 300, type: 'wordpiece', lowercase: true }],
];

for (const [name, options] of kinds) {
  const load = async () => {
    const directory = temporaryDirectory();
    await saveTokenizer(directory, await trainVocabulary(corpus, options), { modelMaxLength: 77 });
    return loadTokenizerJson(directory);
  };
  tokenizerContract(name, load, true);
}

describe('tokenizer.json', () => {
  beforeAll(useDisk);

  it('does not pad or cut as the file says', async () => {
    const json = await trainVocabulary(corpus, { size: 300 });
    const padding = { strategy: { Fixed: 20 }, direction: 'Right', pad_to_multiple_of: null, pad_id: 0 };
    const stored = {
      ...json,
      padding: { ...padding, pad_type_id: 0, pad_token: '<pad>' },
      truncation: { direction: 'Right', max_length: 3, strategy: 'LongestFirst', stride: 0 },
    };
    const plain = await makeTokenizerJson(JSON.stringify(json));
    const other = await makeTokenizerJson(JSON.stringify(stored));
    expect(await other.encode('the editor opens')).toEqual(await plain.encode('the editor opens'));
  });

  it('takes roles, length and clean-up from the files beside it', async () => {
    const directory = temporaryDirectory();
    await saveTokenizer(directory, await trainVocabulary(corpus, { type: 'wordpiece', size: 300 }), {
      modelMaxLength: 77,
      roles: { unk: '[UNK]', bos: '[CLS]', eos: '[SEP]', pad: '[PAD]' },
    });
    const tokenizer = await loadTokenizerJson(directory);
    expect(tokenizer.modelMaxLength).toBe(77);
    expect(tokenizer.specialTokens).toMatchObject({ bos: '[CLS]', eos: '[SEP]' });
    expect(tokenizer.specialIds).toMatchObject({ pad: 0, unk: 1, bos: 2, eos: 3 });
    const { ids } = await tokenizer.encode("the file ' s");
    expect(await tokenizer.decode(ids)).toBe("the file's");
    expect(await tokenizer.decode(ids, { cleanUpTokenizationSpaces: false })).toBe("the file ' s");
  });

  it('refuses damaged files and a missing package', async () => {
    const directory = temporaryDirectory();
    for (const content of [
      '{"version": "1.0"',
      '{}',
      '[]',
      '{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}}',
    ]) {
      writeFileSync(`${directory}/tokenizer.json`, content);
      const error = await loadTokenizerJson(directory).catch((thrown) => thrown);
      expect([error.code, error.message]).toEqual([
        'TOKENIZER_INVALID',
        expect.stringContaining(`${directory}/tokenizer.json`),
      ]);
    }
    writeFileSync(`${directory}/tokenizer_config.json`, '[1]');
    await expect(loadTokenizerJson(directory)).rejects.toThrow(/tokenizer_config\.json is not a JSON object/);
    setTokenizersModule(undefined);
    await expect(makeTokenizerJson('{}')).rejects.toMatchObject({ code: 'RUNTIME_MISSING' });
    setTokenizersModule(() => Promise.reject(new Error('no binary')));
    await expect(makeTokenizerJson('{}')).rejects.toThrow(/does not load on this platform \(no binary\)/);
    useDisk();
  });
});
