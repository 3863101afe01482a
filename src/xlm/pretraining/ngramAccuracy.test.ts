import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sentences, tinyTable, tinyTokenizer } from '../../../test/support/xlm/tinyTables.js';
import type { WeightStore } from '../../engine/weights.js';
import { loadTokenizer, measureNgramTranslations, parseXlmPretrainConfig, pretrainXlm } from '../../node.js';
import { readModelDirectory } from '../../pretrained/modelDirectory.js';
import { saveModel } from '../../pretrained/saveModel.js';

let root: string;
let table: string;
let trained: string;
beforeAll(async () => {
  ({ directory: root } = await tinyTokenizer());
  table = await tinyTable(root, 'en');
  for (const language of ['en', 'de'] as const) {
    await writeFile(join(root, `text.${language}`), sentences(language, 60).join('\n'));
  }
  const { modelDirectory } = await pretrainXlm(
    parseXlmPretrainConfig({
      output: join(root, 'run'),
      objectives: { type: 'mlm' },
      data: { train: { en: join(root, 'text.en'), de: join(root, 'text.de') }, length: 32 },
      vocabulary: { tokenizer: root },
      model: { preset: 'tiny', embDim: 8, nHeads: 2, nLayers: 1, maxPositionEmbeddings: 64 },
      budget: { maxUpdates: 1 },
      checkpoints: { averageLast: 0 },
    }),
  );
  trained = modelDirectory!;
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** A model that predicts some tokens everywhere, in this order: its embeddings are zeros, its bias tells. */
async function predicting(texts: readonly string[]): Promise<string> {
  const { config, weights } = await readModelDirectory(trained);
  const tokenizer = await loadTokenizer(trained);
  const bias = new Float32Array(tokenizer.vocabSize);
  let height = 40;
  for (const text of texts) {
    const { ids } = await tokenizer.encode(text, { addSpecialTokens: false });
    for (const id of ids) if (bias[id] === 0) bias[id] = height--;
  }
  const known = new Map<string, Float32Array>();
  for (const name of weights.names()) known.set(name, (await weights.read(name)).slice());
  known.get('transformer.embeddings.weight')!.fill(0);
  known.set('pred_layer.proj.bias', bias);
  const changed: WeightStore = {
    names: () => weights.names(),
    get: (name) => {
      const data = known.get(name);
      const stored = weights.get(name);
      const bytes = data && new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return stored && bytes && { ...stored, data: { kind: 'memory', data: bytes } };
    },
    read: async (name) => known.get(name)!,
  };
  const directory = join(root, `predicting-${texts.join('-').replaceAll(' ', '_')}`);
  await saveModel(directory, { config, weights: changed });
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json']) {
    await writeFile(join(directory, name), await readFile(join(trained, name)));
  }
  return directory;
}

const texts = sentences('en', 300);
const options = () => ({ table, from: 'en', to: 'de', length: 32, seed: 3 });

describe('translations at masked n-grams', () => {
  test('are those whose tokens are the likeliest of all positions of the n-gram', async () => {
    // 'Haus' translates 'house' first and 'blue' second; no bigram is it alone.
    const haus = await measureNgramTranslations(await predicting(['Haus']), texts, options());
    const single = haus.byWords[1];
    expect(haus.ngrams).toBeGreaterThan(150);
    expect(haus.byWords[2].accuracy).toBe(0);
    // Of ten words two, one of which has it as its best.
    expect(single.accuracy).toBeGreaterThan(0.12);
    expect(single.accuracy).toBeLessThan(0.28);
    expect(single.best).toBeGreaterThan(0.05);
    expect(single.best).toBeLessThan(single.accuracy);
    expect(haus.accuracy * haus.ngrams).toBeCloseTo(single.accuracy * single.ngrams, 6);
    expect(haus.open).toEqual({ accuracy: haus.accuracy, best: haus.best });
    expect(await measureNgramTranslations(await predicting(['Haus']), texts, options())).toEqual(haus);
  });

  test('are looked for in rows as long as those of pre-training', async () => {
    const { length: _, ...unsaid } = options();
    expect(await measureNgramTranslations(trained, texts, unsaid)).toEqual(
      await measureNgramTranslations(trained, texts, options()),
    );
    const { ngrams } = await measureNgramTranslations(trained, texts, { ...options(), length: 8 });
    expect(ngrams).not.toBe((await measureNgramTranslations(trained, texts, unsaid)).ngrams);
  });

  test('of several words want the tokens of all of them, and none between', async () => {
    // 'das altes' translates 'the old'; in this order 'das' alone is predicted too, and 'altes' alone is not.
    const both = await measureNgramTranslations(await predicting(['das', 'altes']), texts, options());
    const das = await measureNgramTranslations(await predicting(['das']), texts, options());
    const between = await measureNgramTranslations(
      await predicting(['das', 'hier', 'altes']),
      texts,
      options(),
    );
    expect(both.byWords[2].accuracy).toBeGreaterThan(0);
    expect(both.byWords[1]).toEqual(das.byWords[1]);
    expect(das.byWords[2].accuracy).toBe(0);
    expect(between.byWords[2].accuracy).toBe(0);
  });

  test('compete with tokens of translations alone, and in `open` with all', async () => {
    const english = await measureNgramTranslations(await predicting(['car', 'Haus']), texts, options());
    const haus = await measureNgramTranslations(await predicting(['Haus']), texts, options());
    expect(english.accuracy).toBeLessThanOrEqual(haus.accuracy);
    expect(english.open.accuracy).toBe(0);
  });

  test('can be measured at words alone; other languages, texts and models are refused', async () => {
    const words = await measureNgramTranslations(trained, texts, { ...options(), maxNgram: 1 });
    expect(Object.keys(words.byWords)).toEqual(['1']);
    await expect(
      measureNgramTranslations(trained, texts, { ...options(), from: 'fr' }),
    ).rejects.toMatchObject({
      code: 'LANGUAGE_UNKNOWN',
    });
    await expect(measureNgramTranslations(trained, ['x y z'], options())).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('None of the n-grams'),
    });
    await expect(
      measureNgramTranslations('test/fixtures/models/xlm-encoder', ['a'], options()),
    ).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(measureNgramTranslations(trained, texts, { ...options(), rate: 2 })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    });
  });
});
