import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadModel, parseXlmPretrainConfig, pretrainXlm, type TrainOptions } from '../../node.js';
import { convertModel } from '../../pretrained/saveModel.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'polybeam-xlm-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const words = {
  en: ['red', 'car', 'blue', 'house', 'the', 'old', 'green', 'tree', 'stands', 'here'],
  de: ['rotes', 'Auto', 'blaues', 'Haus', 'das', 'altes', 'Baum', 'steht', 'hier', 'dort'],
};
const sentence = (language: 'en' | 'de', at: number) =>
  `${Array.from({ length: 4 + (at % 4) }, (_, i) => words[language][(at * 3 + i * (1 + (at % 3))) % 10]).join(' ')}.`;
const lines = (language: 'en' | 'de', count: number) =>
  Array.from({ length: count }, (_, at) => sentence(language, at)).join('\n');

async function configOf(name: string, overrides: Record<string, unknown> = {}) {
  const directory = await mkdtemp(join(root, `${name}-`));
  const [en, de] = [join(directory, 'text.en'), join(directory, 'text.de')];
  await writeFile(en, lines('en', 60));
  await writeFile(de, lines('de', 30));
  const data = {
    train: { en, de },
    validation: { en, de },
    pairs: { from: 'de', to: 'en', source: de, target: `${en}.pairs` },
    length: 24,
    maxLength: 30,
  };
  await writeFile(`${en}.pairs`, lines('en', 30));
  return parseXlmPretrainConfig({
    output: join(directory, 'run'),
    objectives: [{ type: 'mlm', weight: 2 }, { type: 'clm' }, { type: 'tlm' }],
    data,
    vocabulary: { train: { size: 90, minFrequency: 1 } },
    model: tiny,
    schedule: { learningRate: 0.01, warmupUpdates: 5 },
    batch: { maxTokens: 120 },
    budget: { maxUpdates: 24 },
    validation: { everyUpdates: 12, maxRows: 6 },
    checkpoints: { everyUpdates: 8, averageLast: 1 },
    log: { everyUpdates: 1 },
    ...overrides,
  });
}

const tiny = { preset: 'tiny', embDim: 16, nHeads: 2, nLayers: 1, maxPositionEmbeddings: 64 };

const finalWeights = (output: string) => readFile(join(output, 'model/model.safetensors'));
const rowsOf = async (output: string) =>
  (await readFile(join(output, 'log.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((row) => JSON.parse(row));

describe('pre-training of XLM', () => {
  test('learns, tells perplexity and accuracy of each language, and ends in an xlm directory', async () => {
    const config = await configOf('whole', { budget: { maxUpdates: 80 }, validation: { everyUpdates: 40 } });
    const result = await pretrainXlm(config);
    expect(result).toMatchObject({ reason: 'maxUpdates', updates: 80 });
    const validations = (await rowsOf(config.output)).filter((row) => row.type === 'validation');
    expect(validations).toHaveLength(2);
    const [before, after] = validations.map(({ values }) => values);
    for (const language of ['en', 'de']) {
      expect(after[`mlm/${language} perplexity`]).toBeLessThan(before[`mlm/${language} perplexity`]);
      expect(after[`mlm/${language} accuracy`]).toBeGreaterThan(0.15);
      expect(after[`clm/${language} perplexity`]).toBeLessThan(20);
    }
    const names = ['mlm/en', 'mlm/de', 'clm/en', 'clm/de'];
    const mean = names.reduce((sum, name) => sum + Math.log(after[`${name} perplexity`]), 0) / 4;
    expect(after.loss).toBeCloseTo(mean, 6);
    expect(validations[1].score).toBe(after.loss);

    const model = await loadModel(result.modelDirectory!);
    expect(model.config).toMatchObject({
      model_type: 'xlm',
      n_langs: 2,
      lang2id: { en: 0, de: 1 },
      causal: false,
    });
    const { ids } = await model.tokenizer!.encode('the red car');
    expect(ids.at(-1)).toBe(model.tokenizer!.specialIds.eos);
    const [one, other] = [0, 1].map((lang) => model.forward({ inputIds: ids, langs: ids.map(() => lang) }));
    expect((await one).logits![0]).not.toEqual((await other).logits![0]);
    await model.dispose();
  });

  test('a mixture interrupted in the middle of an epoch and resumed gives the same weights bit for bit', async () => {
    const whole = await configOf('mixture', { batch: { maxTokens: 120, accumulate: 2 } });
    await pretrainXlm(whole);
    const output = await mkdtemp(join(root, 'interrupted-'));
    const parts = { ...whole, output };
    const controller = new AbortController();
    // The first line of progress is always written, others depend on the clock.
    const write = (text: string) => / update 1 /.test(text) && controller.abort();
    const options = {
      signal: controller.signal,
      output: { isTerminal: true, write },
    } as unknown as TrainOptions;
    expect(await pretrainXlm(parts, options)).toMatchObject({ reason: 'interrupted', updates: 1 });
    expect(await pretrainXlm(parts)).toMatchObject({ reason: 'maxUpdates', resumedFrom: 1 });
    expect(await finalWeights(output)).toEqual(await finalWeights(whole.output));
  });

  test('goes on from a model of its languages, and refuses others', async () => {
    const budget = { maxUpdates: 3 };
    const first = await configOf('first', { budget, model: { ...tiny, sinusoidalEmbeddings: true } });
    const { modelDirectory } = await pretrainXlm(first);
    const { train } = first.data;
    const next = (data: object, init = modelDirectory) =>
      parseXlmPretrainConfig({
        output: join(first.output, 'next'),
        init,
        objectives: { type: 'mlm' },
        data: { length: 24, ...data },
        budget: { maxUpdates: 1 },
        schedule: { warmupUpdates: 10 },
        checkpoints: { averageLast: 0 },
      });
    const notes: string[] = [];
    const output = { isTerminal: false, write: (text: string) => notes.push(text) } as never;
    await pretrainXlm(next({ train: { de: train!.de } }), { output });
    expect(notes.join('')).toMatch(/init: (\d+) of \1 weights/);
    expect(notes.join('')).toContain('shares: mlm/de 100.0 %');
    const config = await readFile(join(first.output, 'next/model/config.json'), 'utf8');
    expect(JSON.parse(config).polybeam).toEqual({ row_length: 24 });
    // The first update of a schedule with warm-up has learning rate 0.
    expect(await finalWeights(join(first.output, 'next'))).toEqual(await finalWeights(first.output));
    // Trained weights are whole numbers no longer.
    const rounded = join(first.output, 'int8');
    await convertModel(modelDirectory!, rounded, 'int8');
    const last = join(first.output, 'last');
    await pretrainXlm({ ...next({ train: { de: train!.de } }, rounded), output: last });
    const { polybeam, dtype } = JSON.parse(await readFile(join(last, 'model/config.json'), 'utf8'));
    expect([polybeam, dtype]).toEqual([{ row_length: 24 }, 'float32']);
    await expect(pretrainXlm(next({ train: { de: train!.de }, length: 80 }))).rejects.toThrow(
      /data.length is 80, and the model has room for 64 tokens/,
    );
    await expect(pretrainXlm(next({ train: { fr: train!.en } }))).rejects.toMatchObject({
      code: 'LANGUAGE_UNKNOWN',
      message: expect.stringContaining('no language fr; it has en, de'),
    });
    const bert = 'test/fixtures/models/xlm-encoder';
    await expect(pretrainXlm(next({ train: { en: train!.en } }, bert))).rejects.toMatchObject({
      code: expect.stringMatching(/CONFIG_INVALID|TOKENIZER_MISSING/),
    });
  });

  test('refuses a language without text, and parallel text of one side', async () => {
    const config = await configOf('empty');
    const blank = join(root, 'blank');
    await writeFile(blank, '\n\n \n');
    const text = [{ text: blank, documents: 'lines' as const }];
    await expect(
      pretrainXlm({ ...config, data: { ...config.data, train: { ...config.data.train, de: text } } }),
    ).rejects.toMatchObject({ code: 'INPUT_INVALID', message: expect.stringContaining('holds no text') });
    const oneSided = join(root, 'one-sided.tsv');
    await writeFile(oneSided, 'the car\t\nred\t \n');
    const pairs = [{ from: 'en', to: 'de', tsv: oneSided, sourceColumn: 1, targetColumn: 2 }];
    await expect(pretrainXlm({ ...config, data: { ...config.data, pairs } })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('en-de has no pair whose sides both hold text'),
    });
  });
});

/** A Python that has torch and transformers (tools/requirements.txt). */
const python = process.env.POLYBEAM_PYTHON;

describe.skipIf(!python)('Python transformers (POLYBEAM_PYTHON is not set)', () => {
  test.each([{}, { sinusoidalEmbeddings: true }])(
    'computes the same from the directory, %j',
    async (sizes) => {
      const config = await configOf('python', { model: { ...tiny, ...sizes } });
      const { modelDirectory } = await pretrainXlm(config);
      const model = await loadModel(modelDirectory!);
      const { ids } = await model.tokenizer!.encode('das rote Auto steht hier');
      const langs = ids.map((_, at) => at % 2);
      const { logits } = await model.forward({ inputIds: ids, langs });
      await model.dispose();
      const inputs = { input_ids: [ids], attention_mask: [ids.map(() => 1)], langs: [langs] };
      const expected = join(config.output, 'expected.json');
      await writeFile(expected, JSON.stringify({ inputs, forward: { logits: [logits] }, generate: [] }));
      const check = [
        'tools/checkSavedModel.py',
        modelDirectory!,
        '--expected',
        expected,
        '--tolerance',
        '1e-4',
      ];
      expect(execFileSync(python!, check, { encoding: 'utf8' })).toMatch(/logits: largest difference/);
      const program =
        'import sys, transformers; t = transformers.AutoTokenizer.from_pretrained(sys.argv[1]); print(t(sys.argv[2])["input_ids"])';
      const text = 'das rote Auto steht hier';
      const found = execFileSync(python!, ['-c', program, modelDirectory!, text], { encoding: 'utf8' });
      expect(JSON.parse(found)).toEqual(ids);
    },
    300_000,
  );
});
