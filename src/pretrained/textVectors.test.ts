import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fixtureWithTokenizer } from '../../test/support/tinyDirectories.js';
import '../node/install.js';
import { loadModel } from './loadModel.js';
import { embedIds, embedTexts, similarity } from './textVectors.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'polybeam-vectors-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const unit = (vector: readonly number[]) => vector.map((value) => value / Math.hypot(...vector));
const texts = ['a b c', 'd', 'e f g h a b'];

function expectNear(found: Float32Array, wanted: readonly number[]): void {
  expect(found).toHaveLength(wanted.length);
  found.forEach((value, at) => {
    expect(Math.abs(value - wanted[at])).toBeLessThan(1e-4);
  });
}

test.each(['simbert', 'roformer-sim'])('%s: the vector of a text is its first hidden state', async (name) => {
  const model = await loadModel(await fixtureWithTokenizer(root, name));
  const found = await embedTexts(model, texts, { batchSize: 2 });
  for (const [at, text] of texts.entries()) {
    const { ids } = await model.tokenizer!.encode(text);
    const { lastHiddenState } = await model.forward({ inputIds: ids });
    expectNear(found[at], unit(lastHiddenState![0]));
    expect(similarity(found[at], found[at])).toBeCloseTo(1, 5);
  }
  await model.dispose();
});

test('a linear pooler is read where config.json says that it is linear', async () => {
  const tanh = await loadModel(await fixtureWithTokenizer(root, 'simbert'));
  const linear = await loadModel(
    await fixtureWithTokenizer(root, 'simbert', (config) => ({ ...config, pooler_activation: 'linear' })),
  );
  const found = await embedTexts(linear, texts);
  for (const [at, text] of texts.entries()) {
    const { ids } = await tanh.tokenizer!.encode(text);
    const { poolerOutput } = await tanh.forward({ inputIds: ids });
    expectNear(found[at], unit(poolerOutput!.map(Math.atanh)));
  }
  await Promise.all([tanh.dispose(), linear.dispose()]);
});

test('refuses texts of no tokens, too long ones, and batches of nothing', async () => {
  const model = await loadModel('test/fixtures/models/simbert');
  await expect(embedIds(model, [[]])).rejects.toThrow(/Input 1 has 0 token ids/);
  await expect(embedIds(model, [new Array(21).fill(5)])).rejects.toThrow(/has 21 token ids.*reads 1 to 20/);
  await expect(embedIds(model, [[5]], { batchSize: 0 })).rejects.toThrow(/batchSize cannot be 0/);
  await model.dispose();
});

test.each([
  ['xlm', 'fr', 2, [14, 20, 33]],
  ['xlm-roberta', undefined, undefined, [0, 20, 33, 2]],
])(
  '%s: texts of a language, padded to one length, are read as each alone',
  async (name, language, lang, ids) => {
    const model = await loadModel(`test/fixtures/models/${name}`);
    const texts = [ids, [...ids, ...ids, 7]];
    const found = await embedIds(model, texts, { language });
    for (const [at, inputIds] of texts.entries()) {
      const langs = lang === undefined ? undefined : inputIds.map(() => lang);
      const { lastHiddenState, logits } = await model.forward({ inputIds, langs });
      expect(logits).toHaveLength(inputIds.length);
      expectNear(found[at], unit(lastHiddenState![0]));
    }
    await model.dispose();
  },
);

test('languages that a model does not have are refused', async () => {
  const xlm = await loadModel('test/fixtures/models/xlm');
  await expect(embedIds(xlm, [[5]], { language: 'xx' })).rejects.toMatchObject({
    code: 'LANGUAGE_UNKNOWN',
    message: expect.stringContaining('no language xx; it has de, en, fr'),
  });
  const roberta = await loadModel('test/fixtures/models/xlm-roberta');
  await expect(embedIds(roberta, [[5]], { language: 'en' })).rejects.toThrow(/language cannot be en.*leave/);
  await Promise.all([xlm.dispose(), roberta.dispose()]);
});
