import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import '../../node/install.js';
import { encodeXlm, xlmLogits } from '../../encoder/xlm.js';
import type { ParameterSpec } from '../../engine/parameters.js';
import { describeParameters } from '../../engine/traceFunction.js';
import { readXlmConfig } from '../../pretrained/architectures/xlm.js';
import type { RawConfig } from '../../pretrained/config.js';
import { saveModel } from '../../pretrained/saveModel.js';
import { loadTokenizer } from '../../text/loadTokenizer.js';
import { saveTokenizer } from '../../text/saveTokenizer.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import { initialWeights } from '../../training/initialize.js';
import { trainableParameters } from '../../training/step.js';
import { trainJointVocabulary } from '../jointVocabulary.js';
import { writeVectors } from '../vectors/vectorFile.js';
import { translationObjectives } from './batches.js';
import { translatorModel } from './model.js';
import { parseTranslationConfig } from './parseConfig.js';
import { translatorStart } from './start.js';

let directory: string;
let tokenizer: Tokenizer;
let stack: Map<string, Float32Array>;
let stackSpecs: ParameterSpec[];
const at = (name: string) => join(directory, name);
const size = 16;

/** A pre-trained stack whose languages stand the other way round than in the vocabulary, and of which it has one more. */
const rawXlm: RawConfig = {
  model_type: 'xlm',
  emb_dim: size,
  n_layers: 2,
  n_heads: 2,
  max_position_embeddings: 40,
  n_langs: 3,
  lang2id: { fr: 0, it: 1, en: 2 },
};

async function save(
  name: string,
  config: RawConfig,
  specs: readonly ParameterSpec[],
  values: Map<string, Float32Array>,
) {
  await saveModel(at(name), {
    config,
    weights: {
      names: () => specs.map((spec) => spec.name),
      get: (weight) => {
        const spec = specs.find((one) => one.name === weight);
        const data = { kind: 'memory', data: new Uint8Array(values.get(weight)!.buffer) } as const;
        return spec && { format: 'F32', shape: spec.shape, data };
      },
      read: async (weight) => values.get(weight)!,
    },
    tokenizerFiles: new Map(
      ['tokenizer.json', 'tokenizer_config.json'].map((file) => [
        file,
        readFileSync(at(`tokenizer/${file}`)),
      ]),
    ),
  });
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'polybeam-start-'));
  const texts = {
    en: () => [['dogs run and dogs rest', 'a dog']],
    fr: () => [['un chien court']],
    de: () => [['ein Hund']],
  };
  await saveTokenizer(at('tokenizer'), (await trainJointVocabulary(texts, { size: 60 })).tokenizer);
  tokenizer = await loadTokenizer(at('tokenizer'));
  const raw = { ...rawXlm, vocab_size: tokenizer.vocabSize };
  const config = readXlmConfig(raw, 'config.json');
  const row = { type: 'int32', shape: ['batch', 'length'] } as const;
  stackSpecs = describeParameters(
    ({ inputIds, attentionMask, languages }, p) => {
      const hidden = encodeXlm(p.scope('transformer'), config, { inputIds, attentionMask, languages });
      return { logits: xlmLogits(p, p.scope('transformer'), config, hidden) };
    },
    { inputIds: row, attentionMask: row, languages: row },
  );
  stack = initialWeights(stackSpecs, 9);
  await save('xlm', raw, stackSpecs, stack);
});
afterAll(() => rmSync(directory, { recursive: true }));

async function startOf(more: object) {
  const config = parseTranslationConfig({
    output: at('run'),
    data: { train: { en: 'a', fr: 'b' }, maxLength: 30 },
    budget: { maxUpdates: 1 },
    ...more,
  });
  const model = await translatorModel(config, tokenizer);
  const specs = trainableParameters(translationObjectives(model.decoder, 0).translation);
  const started = await translatorStart(config, specs, model, tokenizer);
  return { config, model, specs, ...started };
}

const sorted = (names: Iterable<string>) => [...names].sort();

test('a stack of XLM becomes encoder and decoder; what no pre-training has is random and told', async () => {
  const { weights, notes, model } = await startOf({ init: at('xlm') });
  expect(model.config).toMatchObject({
    embDim: size,
    nLayers: 2,
    decoderLayers: 2,
    nHeads: 2,
    shareEmbeddings: true,
  });
  const fresh = new Set<string>();
  for (const [name, values] of weights) {
    const inner = name.replace(/^(en|de)coder\./, '');
    const from = stack.get(inner.startsWith('pred_layer') ? inner : `transformer.${inner}`);
    if (!from) fresh.add(inner.replace(/\..*/, ''));
    else if (!inner.startsWith('lang_')) expect(values, name).toEqual(from);
  }
  expect(sorted(fresh)).toEqual(['encoder_attn', 'layer_norm15']);
  expect(notes).toEqual([
    expect.stringMatching(
      /^init: (\d+) of \d+ weights from .*xlm; 20 start at random: decoder\.encoder_attn, decoder\.layer_norm15$/,
    ),
  ]);
  // The vocabulary has en, fr, de.
  const rows = (values: Float32Array, row: number) => [...values.subarray(row * size, (row + 1) * size)];
  const [own, theirs] = [
    weights.get('encoder.lang_embeddings.weight')!,
    stack.get('transformer.lang_embeddings.weight')!,
  ];
  expect(rows(own, 0)).toEqual(rows(theirs, 2));
  expect(rows(own, 1)).toEqual(rows(theirs, 0));
  for (const row of [0, 1, 2]) expect(rows(own, 2)).not.toEqual(rows(theirs, row));
});

test('stacks may have fewer layers than they start from, and tables of their own', async () => {
  const { weights, model } = await startOf({
    init: at('xlm'),
    model: { decoderLayers: 1, shareEmbeddings: false },
  });
  expect(model.config).toMatchObject({ nLayers: 2, decoderLayers: 1 });
  expect(weights.has('decoder.attentions.1.q_lin.weight')).toBe(false);
  const table = stack.get('transformer.embeddings.weight');
  for (const side of ['encoder', 'decoder']) expect(weights.get(`${side}.embeddings.weight`)).toEqual(table);
});

test('a translator goes on from another, and may part its tables', async () => {
  const { model, specs, weights } = await startOf({
    model: { preset: 'tiny', embDim: size, nHeads: 2, encoderLayers: 1, decoderLayers: 1 },
  });
  await save('pair', JSON.parse(model.files['config.json'] as string), specs, weights);
  const again = await startOf({ init: at('pair'), seed: 5 });
  for (const [name, values] of weights) expect(again.weights.get(name), name).toEqual(values);
  expect(again.notes).toEqual([expect.stringMatching(/^init: (\d+) of \1 weights from /)]);
  const parted = await startOf({ init: at('pair'), model: { shareEmbeddings: false } });
  expect(parted.weights.get('decoder.embeddings.weight')).toEqual(weights.get('encoder.embeddings.weight'));
});

test.each([
  [
    { init: 'xlm', model: { embDim: 32 } },
    /model\.embDim is 32, but that of init \(.*xlm\) is 16: leave it out/,
  ],
  [
    { init: 'xlm', model: { decoderLayers: 3 } },
    /model\.decoderLayers is 3, but init \(.*xlm\) has 2 layers/,
  ],
  [
    { init: 'xlm', data: { train: { en: 'a', fr: 'b' }, maxLength: 39 } },
    /room for texts of 36 tokens: lower it/,
  ],
  [{ model: { embDim: 30, nHeads: 4 } }, /model\.embDim \(30\) is not a multiple of model\.nHeads \(4\)/],
])('sizes that do not fit are refused: %j', async (more, message) => {
  const given = {
    ...more,
    ...('init' in more ? { init: at('xlm') } : { vocabulary: { tokenizer: at('tokenizer') } }),
  };
  await expect(startOf(given)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(message),
  });
});

test('a start that is no XLM, and a vocabulary that is not its own, are refused', async () => {
  const bert = startOf({ init: 'test/fixtures/models/bert' });
  await expect(bert).rejects.toMatchObject({
    message: expect.stringMatching(/type "bert": a translator starts from xlm/),
  });
  const unknown = startOf({
    data: { train: { en: 'a', sv: 'b' } },
    vocabulary: { tokenizer: at('tokenizer') },
  });
  await expect(unknown).rejects.toMatchObject({
    code: 'LANGUAGE_UNKNOWN',
    message: expect.stringMatching(/has no token <sv>; it has the languages en, fr, de/),
  });
  const raw = { ...rawXlm, vocab_size: tokenizer.vocabSize + 3 };
  await save('larger', raw, stackSpecs, stack);
  await expect(startOf({ init: at('larger') })).rejects.toMatchObject({
    code: 'TOKENIZER_INVALID',
    message: expect.stringMatching(/has a vocabulary of \d+ tokens, and the tokenizer there has \d+/),
  });
});

test('vectors of words start the embeddings: a word’s own where it is a token, the mean of its words where not', async () => {
  const words = ['dogs', 'dog', 'chien'];
  const values = new Float32Array(words.length * size);
  words.forEach((_, row) => {
    values[row * size + row] = 3;
  });
  await writeVectors(at('words.vec'), { words, size, values });
  const more = {
    vocabulary: { tokenizer: at('tokenizer') },
    model: { preset: 'tiny', embDim: size, nHeads: 2 },
  };
  const { weights, notes } = await startOf({ ...more, embeddings: [at('words.vec')] });
  const table = weights.get('encoder.embeddings.weight')!;
  const row = (id: number) => [...table.subarray(id * size, (id + 1) * size)];
  const ids = await Promise.all(
    words.map(async (word) => (await tokenizer.encode(word, { addSpecialTokens: false })).ids),
  );
  const placed = new Set(ids.flat());
  expect(notes).toEqual([
    `embeddings: ${placed.size} of ${tokenizer.vocabSize} tokens have a vector in ${at('words.vec')}`,
  ]);
  for (const id of placed) {
    const inWords = words.map((_, at) => ids[at].includes(id));
    row(id).forEach((value, place) => {
      if (inWords[place]) expect(value).toBeGreaterThan(0);
      else expect(value).toBeCloseTo(0, 6);
    });
    expect(Math.hypot(...row(id))).toBeCloseTo(1, 5);
  }
  const random = (await startOf(more)).weights.get('encoder.embeddings.weight')!;
  const untouched = Array.from({ length: tokenizer.vocabSize }, (_, id) => id).find((id) => !placed.has(id))!;
  expect(row(untouched)).toEqual([...random.subarray(untouched * size, (untouched + 1) * size)]);
  const wide = startOf({ ...more, model: { preset: 'tiny' }, embeddings: [at('words.vec')] });
  await expect(wide).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/words\.vec have 16 numbers, and model\.embDim is 128: set it to 16/),
  });
});
