import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sentences, tinyTable, tinyTokenizer, words } from '../../../test/support/xlm/tinyTables.js';
import { parseXlmPretrainConfig, pretrainXlm, type TrainOptions } from '../../node.js';

let root: string;
let table: string;
beforeAll(async () => {
  ({ directory: root } = await tinyTokenizer());
  table = await tinyTable(root, 'en');
  for (const language of ['en', 'de'] as const) {
    await writeFile(join(root, `text.${language}`), sentences(language, 60).join('\n'));
    // Word n of both languages has the same vector.
    const rows = words[language].map((word, at) => `${word} ${Math.sin(at)} ${Math.cos(at)} ${at % 2}`);
    await writeFile(join(root, `${language}.vec`), `${rows.length} 3\n${rows.join('\n')}\n`);
  }
});
afterAll(() => rm(root, { recursive: true, force: true }));

const configOf = (output: string, maxUpdates: number) =>
  parseXlmPretrainConfig({
    output: join(root, output),
    objectives: [
      { type: 'mlm' },
      {
        type: 'cmlm',
        tables: [{ from: 'en', to: 'de', path: table }],
        vectors: { en: join(root, 'en.vec'), de: join(root, 'de.vec') },
        nullProbability: 0.05,
        mlmShare: 0.25,
      },
    ],
    data: {
      train: { en: join(root, 'text.en'), de: join(root, 'text.de') },
      validation: { en: join(root, 'text.en') },
      length: 32,
    },
    vocabulary: { tokenizer: root },
    model: { preset: 'tiny', embDim: 16, nHeads: 2, nLayers: 1, maxPositionEmbeddings: 64 },
    schedule: { learningRate: 0.01, warmupUpdates: 5 },
    batch: { maxTokens: 128, accumulate: 2 },
    budget: { maxUpdates },
    validation: { everyUpdates: 10 },
    checkpoints: { averageLast: 0 },
    log: { everyUpdates: 1 },
  });
const finalWeights = (output: string) => readFile(join(root, output, 'model/model.safetensors'));

describe('pre-training with CMLM beside MLM', () => {
  test('learns, and goes on after an interruption to the same weights bit for bit', async () => {
    const whole = configOf('whole', 60);
    const notes: string[] = [];
    const output = { isTerminal: false, write: (text: string) => notes.push(text) } as never;
    await pretrainXlm(whole, { output });
    // Half of the updates are CMLM's, all in the language of the table.
    expect(notes.join('')).toMatch(/table en-de: 20 of 20 n-grams/);
    expect(notes.join('')).toMatch(/shares: mlm\/en \d.* %, mlm\/de \d.* %, cmlm\/en 50\.0 %/);
    const log = (await readFile(join(root, 'whole/log.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((row) => JSON.parse(row));
    const perplexities = log
      .filter((row) => row.type === 'validation')
      .map(({ values }) => values['cmlm/en perplexity']);
    expect(perplexities).toHaveLength(6);
    expect(perplexities[5]).toBeLessThan(0.8 * perplexities[0]);

    const controller = new AbortController();
    // The first line of progress is always written, others depend on the clock.
    const write = (text: string) => / update 1 /.test(text) && controller.abort();
    const options = {
      signal: controller.signal,
      output: { isTerminal: true, write },
    } as unknown as TrainOptions;
    const parts = configOf('parts', 60);
    expect(await pretrainXlm(parts, options)).toMatchObject({ reason: 'interrupted', updates: 1 });
    expect(await pretrainXlm(parts)).toMatchObject({ reason: 'maxUpdates', resumedFrom: 1 });
    expect(await finalWeights('parts')).toEqual(await finalWeights('whole'));
  }, 60_000);

  test('does not go on with another table', async () => {
    await pretrainXlm(configOf('changed', 2));
    const before = await readFile(table, 'utf8');
    await writeFile(
      table,
      before.replace('red\trotes\t0.75', 'red\trotes\t0.7').replace('red\tAuto\t0.25', 'red\tAuto\t0.3'),
    );
    await expect(pretrainXlm(configOf('changed', 3))).rejects.toMatchObject({ code: 'CHECKPOINT_MISMATCH' });
    await writeFile(table, before);
  });
});
