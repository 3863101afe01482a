import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fixtureWithTokenizer } from '../../../test/support/tinyDirectories.js';
import '../../node/install.js';
import { readsSource } from '../../decoder/encoderDecoder.js';
import type { BertConfig } from '../../encoder/bert.js';
import { loadModel } from '../loadModel.js';
import { architectureOf } from './index.js';
import { readPrefixLm, similarityDefaults } from './prefixLm.js';

const stack: BertConfig = {
  vocabSize: 50,
  hiddenSize: 8,
  numHiddenLayers: 1,
  numAttentionHeads: 2,
  intermediateSize: 8,
  maxPositionEmbeddings: 64,
  typeVocabSize: 2,
  hiddenAct: 'gelu',
  layerNormEps: 1e-12,
  hiddenDropoutProb: 0,
  attentionProbsDropoutProb: 0,
  initializerRange: 0.02,
};

const sizes = {
  vocab_size: 50,
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 8,
  max_position_embeddings: 64,
};

const read = (prefix: unknown, ids = {}) =>
  readPrefixLm({ polybeam: { prefix_lm: prefix } }, stack, similarityDefaults(stack), ids, 'config.json');

describe('polybeam.prefix_lm', () => {
  test('is absent, and off where it is false', () => {
    expect(readPrefixLm({}, stack, similarityDefaults(stack), {}, 'config.json')).toBeUndefined();
    expect(read(false)).toBeUndefined();
  });

  test('defaults to what SimBERT does', () => {
    expect(read(true)).toEqual({
      nextToken: 'last',
      maskTokenId: undefined,
      sourceTypeId: 0,
      targetTypeId: 1,
      maxTarget: 16,
    });
  });

  test('takes [MASK] from config.json, then from the tokenizer', () => {
    expect(read({ next_token: 'mask' }, { mask: 7 })).toMatchObject({ nextToken: 'mask', maskTokenId: 7 });
    expect(read({ next_token: 'mask', mask_token_id: 9 }, { mask: 7 })).toMatchObject({ maskTokenId: 9 });
  });

  test.each([
    [{ next_token: 'mask' }, /mask_token_id is missing.*add it, or the tokenizer/],
    [{ next_token: 'first' }, /polybeam\.prefix_lm/],
    [{ source_type_id: 2 }, /source_type_id is 2; give a number below 2/],
    [{ target_type_id: 5 }, /target_type_id is 5; give a number below 2/],
    [{ next_token: 'mask', mask_token_id: 50 }, /mask_token_id is 50; give a number below 50/],
    [{ max_target_length: 64 }, /max_target_length is 64; give a number below 64/],
    [{ maxTargetLength: 8 }, /polybeam\.prefix_lm/],
  ])('refuses %j', (prefix, message) => {
    expect(() => read(prefix)).toThrow(message);
    expect(() => read(prefix)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});

test('a directory without generation_config.json begins and ends with the [SEP] of its tokenizer', async () => {
  const root = await mkdtemp(join(tmpdir(), 'polybeam-prefix-'));
  try {
    const [given, bare] = [
      await fixtureWithTokenizer(root, 'simbert'),
      await fixtureWithTokenizer(root, 'simbert'),
    ];
    await rm(join(bare, 'generation_config.json'));
    const outputs = [];
    for (const directory of [given, bare]) {
      const model = await loadModel(directory);
      const [{ sequences }] = await model.generate([{ text: 'a b c d' }], { numBeams: 3, maxNewTokens: 12 });
      outputs.push(sequences[0]);
      await model.dispose();
    }
    expect(outputs[0].ids.length).toBeGreaterThan(1);
    expect(outputs[1]).toEqual(outputs[0]);
  } finally {
    await rm(root, { recursive: true });
  }
});

describe('unilm', () => {
  const define = (raw: object) => {
    const given = { model_type: 'unilm', ...sizes, ...raw };
    return architectureOf(given, 'c').define(given, { get: () => undefined }, 'c', { mask: 4, sep: 3 });
  };

  test('shares its positions between source and text', () => {
    const { decoder, maxSource, generation } = define({});
    expect(decoder && readsSource(decoder)).toBe(true);
    expect([maxSource, decoder!.maxTarget]).toEqual([48, 16]);
    expect(generation).toEqual({ pad_token_id: 0, decoder_start_token_id: 3, eos_token_id: 3 });
  });

  test('refuses variants that it does not compute', () => {
    expect(() => define({ relax_projection: 4 })).toThrow(/relax_projection is 4/);
    expect(() => define({ source_type_id: 6 })).toThrow(/source_type_id is 6; give a number below 6/);
  });
});
