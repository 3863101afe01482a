import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import '../../node/install.js';
import { xlmTranslator } from '../../decoder/xlm.js';
import { loadTokenizer } from '../../text/loadTokenizer.js';
import { saveTokenizer } from '../../text/saveTokenizer.js';
import { initialWeights } from '../../training/initialize.js';
import { sequenceToSequence } from '../../training/sequenceToSequence.js';
import { trainableParameters } from '../../training/step.js';
import { trainJointVocabulary } from '../../xlm/jointVocabulary.js';
import { loadModel } from '../loadModel.js';
import type { Model } from '../model.js';
import { saveModel } from '../saveModel.js';
import { readXlmTranslatorConfig } from './xlmEncoderDecoder.js';

let directory: string;
let model: Model;
let ids: Record<string, number>;

const english = ['a man walks his dog', 'two dogs run'];

const raw = {
  model_type: 'xlm-encoder-decoder',
  emb_dim: 16,
  n_layers: 1,
  decoder_layers: 2,
  n_heads: 2,
  max_position_embeddings: 40,
  embed_init_std: 0.4,
  n_langs: 3,
  lang2id: { en: 0, fr: 1, de: 2 },
  pad_token_id: 0,
  eos_token_id: 1,
  decoder_start_token_id: 1,
};

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'polybeam-xlm-pair-'));
  const texts = { en: () => [english], fr: () => [['un homme marche']], de: () => [['ein Mann geht']] };
  const { tokenizer } = await trainJointVocabulary(texts, { size: 80 });
  await saveTokenizer(directory, tokenizer);
  const { vocabSize, tokenToId } = await loadTokenizer(directory);
  ids = Object.fromEntries(['en', 'fr', 'de'].map((code) => [code, tokenToId(`<${code}>`)!]));
  const config = { ...raw, vocab_size: vocabSize, first_language_token_id: ids.en };
  const decoder = xlmTranslator(readXlmTranslatorConfig(config, 'config.json'));
  const specs = trainableParameters(sequenceToSequence(decoder, 0));
  const values = initialWeights(specs, 3);
  await saveModel(directory, {
    config,
    generationConfig: { decoder_start_token_id: 1, eos_token_id: 1, pad_token_id: 0, max_length: 12 },
    weights: {
      names: () => specs.map(({ name }) => name),
      get: (name) => {
        const spec = specs.find((one) => one.name === name);
        const data = { kind: 'memory', data: new Uint8Array(values.get(name)!.buffer) } as const;
        return spec && { format: 'F32', shape: spec.shape, data };
      },
      read: async (name) => values.get(name)!,
    },
    tokenizerFiles: new Map(
      ['tokenizer.json', 'tokenizer_config.json'].map((name) => [name, readFileSync(join(directory, name))]),
    ),
  });
  model = await loadModel(directory);
});

afterAll(async () => {
  await model?.dispose();
  rmSync(directory, { recursive: true });
});

test('a saved directory translates from one of its languages into another: the two tokens and </s> begin the source', async () => {
  expect(model.languages.targets).toEqual(['de', 'en', 'fr']);
  const wanted = new Map<string, (string | undefined)[]>();
  for (const to of ['fr', 'de']) {
    const bare = await model.tokenizer!.encodeBatch(english);
    const inputs = bare.map((text) => ({ inputIds: [ids[to], ids.en, 1, ...text.ids] }));
    const outputs = await model.generate(inputs);
    wanted.set(
      to,
      outputs.map(({ sequences }) => sequences[0].text),
    );
    expect(await model.translate(english, { from: 'en', to })).toEqual(wanted.get(to));
  }
  expect(wanted.get('fr')).not.toEqual(wanted.get('de'));
});

test('words of a translation are aligned with those of the text, without the languages', async () => {
  const [{ alignment, attention }] = await model.translateAligned(english.slice(0, 1), {
    from: 'en',
    to: 'fr',
  });
  expect(Math.max(...alignment.map(([source]) => source))).toBeLessThan(5);
  for (const row of attention) expect(row).toHaveLength(5);
});

test('languages that are missing or unknown are refused, with those there are', async () => {
  const refused = (options: object, message: string) =>
    expect(model.translate(english, options)).rejects.toMatchObject({
      code: 'LANGUAGE_UNKNOWN',
      message: expect.stringContaining(message),
    });
  await refused(
    { from: 'en' },
    'needs the languages from and to, and got only from "en"; give both, of de, en, fr',
  );
  await refused({ to: 'fr' }, 'needs the languages from and to, and got only to "fr"');
  await refused({ from: 'en', to: 'it' }, 'does not translate into "it"; it knows de, en, fr');
  await refused(
    { from: 'EN', to: 'fr' },
    'does not translate from "EN"; it knows de, en, fr (did you mean en?)',
  );
});

test('a source without languages is refused, as text and as ids', async () => {
  for (const input of [{ text: english[0] }, { inputIds: [ids.en, 9, 1] }, { inputIds: [9, ids.fr] }])
    await expect(model.generate([input])).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(
        /begins with the ids .* begin ids with two of \d+ \(en\), \d+ \(fr\), \d+ \(de\)/,
      ),
    });
  await expect(model.generate([{ inputIds: [ids.en, ids.fr] }])).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: expect.stringContaining('is two languages'),
  });
});
