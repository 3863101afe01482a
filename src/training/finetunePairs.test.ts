import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixtureWithTokenizer } from '../../test/support/tinyDirectories.js';
import '../node/install.js';
import { readGeneration } from '../pretrained/loadModel.js';
import { openStart } from '../pretrained/startingModel.js';
import { loadTokenizer } from '../text/loadTokenizer.js';
import { pairReader } from './finetunePairs.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'polybeam-pairs-'));
});
afterAll(() => rm(root, { recursive: true }));

describe('pairReader', () => {
  // The tokenizer writes [CLS] before and [SEP] behind every text, by the ids that a model has for its start and end.
  test.each([
    // Decoding starts from </s>, and <s> is the first token written.
    ['bart', [0, 5, 6, 2], [0, 7, 2]],
    // Decoding starts from [CLS]: it is not written again.
    ['encoder-decoder', [2, 5, 6, 3], [7, 3]],
    // A text follows its source at once.
    ['unilm', [2, 5, 6, 3], [7, 3]],
    ['simbert', [2, 5, 6, 3], [7, 3]],
    // The target's language is forced.
    ['mbart', [0, 5, 6, 2], [5, 0, 7, 2]],
  ])('reads pairs for %s', async (kind, source, target) => {
    const directory = await fixtureWithTokenizer(root, kind);
    const model = await openStart(directory);
    const tokenizer = await loadTokenizer(directory);
    const { rules } = readGeneration(directory, model, model.definition);
    const data = { train: [], truncation: 'head' as const };
    const room = { source: 30, target: 30 };
    const reader = await pairReader(data, model, tokenizer, rules, room);
    const text = { source: ['a b'], target: ['c'], blank: 0, invalidLines: 0 };
    expect(await reader.encode(text)).toEqual([{ source, target }]);
  });
});
