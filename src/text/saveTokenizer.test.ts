import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTokenizer } from './loadTokenizer.js';
import { saveTokenizer } from './saveTokenizer.js';
import { corpus, strings, temporaryDirectory, useDisk } from './tokenizer.contract.js';
import { trainVocabulary } from './trainVocabulary.js';
import type { VocabularyOptions } from './vocabularyOptions.js';

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

describe('saveTokenizer', () => {
  beforeAll(useDisk);

  it('writes the three files that transformers looks for, and no other', async () => {
    const directory = temporaryDirectory();
    const specialTokens = ['<pad>', '</s>', '<unk>', '>>fr<<'];
    await saveTokenizer(directory, await trainVocabulary(corpus, { size: 300, specialTokens }), {
      modelMaxLength: 64,
    });
    expect(readdirSync(directory).sort()).toEqual([
      'special_tokens_map.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    const map = {
      pad_token: '<pad>',
      unk_token: '<unk>',
      eos_token: '</s>',
      additional_special_tokens: ['>>fr<<'],
    };
    expect(read(`${directory}/special_tokens_map.json`)).toEqual(map);
    expect(read(`${directory}/tokenizer_config.json`)).toEqual({
      tokenizer_class: 'PreTrainedTokenizerFast',
      ...map,
      clean_up_tokenization_spaces: false,
      model_max_length: 64,
      model_input_names: ['input_ids', 'attention_mask'],
    });
  });

  // A name like __proto__ must not vanish from the vocabulary object.
  it('keeps tokens named like parts of objects', async () => {
    const specialTokens = ['<pad>', '</s>', '<unk>', '__proto__', 'constructor'];
    const json = JSON.parse(JSON.stringify(await trainVocabulary(corpus, { size: 300, specialTokens })));
    expect(Object.entries(json.model.vocab).filter(([, id]) => id === 3)).toEqual([['__proto__', 3]]);
  });

  const python = process.env.POLYBEAM_PYTHON;
  it.skipIf(!python)(
    'is loaded by transformers, which encodes the same (set POLYBEAM_PYTHON to run)',
    async () => {
      const options: VocabularyOptions[] = [
        { size: 300 },
        { size: 500, pretokenizer: 'byteLevel' },
        { size: 500, byteFallback: true, limitAlphabet: 30 },
        { size: 300, type: 'wordpiece', lowercase: true },
      ];
      const script = `
import json, sys
from transformers import AutoTokenizer
strings = json.load(sys.stdin)
results = []
for directory in sys.argv[1:]:
    tokenizer = AutoTokenizer.from_pretrained(directory)
    ids = [tokenizer(text)["input_ids"] for text in strings]
    decoded = [tokenizer.decode(each, skip_special_tokens=True) for each in ids]
    results.append({"ids": ids, "decoded": decoded, "pad": tokenizer.pad_token_id, "max": tokenizer.model_max_length})
print(json.dumps(results))`;
      const expected: unknown[] = [];
      const directories: string[] = [];
      for (const each of options) {
        const directory = temporaryDirectory();
        directories.push(directory);
        await saveTokenizer(directory, await trainVocabulary(corpus, each), { modelMaxLength: 64 });
        const tokenizer = await loadTokenizer(directory);
        const ids = (await tokenizer.encodeBatch(strings)).map((encoded) => encoded.ids);
        const decoded = await tokenizer.decodeBatch(ids);
        expected.push({ ids, decoded, pad: tokenizer.specialIds.pad, max: 64 });
      }
      const input = JSON.stringify(strings);
      const output = execFileSync(python!, ['-c', script, ...directories], {
        input,
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      expect(JSON.parse(output.toString())).toEqual(expected);
    },
    300_000,
  );
});
