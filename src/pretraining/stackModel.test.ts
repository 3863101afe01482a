import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixtureWithTokenizer } from '../../test/support/tinyDirectories.js';
import {
  embedTexts,
  finetune,
  loadModel,
  parseFinetuneConfig,
  parsePretrainConfig,
  pretrain,
  similarity,
  type TrainOptions,
} from '../node.js';
import { embedIds } from '../pretrained/textVectors.js';

let root: string;
let text: string;
let pairs: string;

const words = ['red', 'car', 'blue', 'house', 'the', 'old', 'green', 'tree', 'stands', 'here'];
const sentence = (at: number) =>
  Array.from({ length: 4 + (at % 5) }, (_, i) => words[(at * 3 + i * (1 + (at % 3))) % words.length]).join(
    ' ',
  );

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'polybeam-stacks-'));
  text = join(root, 'text.txt');
  pairs = join(root, 'pairs.tsv');
  const rows = Array.from({ length: 60 }, (_, at) => at);
  await writeFile(text, rows.map((at) => `${sentence(at)} ${sentence(at + 5)}`).join('\n'));
  await writeFile(pairs, rows.map((at) => `${sentence(at)}\tthe old tree`).join('\n'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

function configOf(name: string, objective: string, overrides: Record<string, unknown> = {}) {
  return parsePretrainConfig({
    output: join(root, name),
    objectives: { type: objective },
    data: { train: { text }, validation: { text }, maxLength: 24 },
    vocabulary: { train: { type: 'wordpiece', size: 80, minFrequency: 1 } },
    model: {
      type: 'unilm',
      dModel: 16,
      ffnDim: 32,
      attentionHeads: 2,
      encoderLayers: 2,
      maxPositionEmbeddings: 64,
    },
    schedule: { learningRate: 0.01, warmupUpdates: 5 },
    batch: { maxTokens: 256 },
    budget: { maxUpdates: 120 },
    validation: { everyUpdates: 10 },
    checkpoints: { everyUpdates: 20, averageLast: 1 },
    log: { everyUpdates: 1 },
    ...overrides,
  });
}

async function validations(output: string): Promise<number[]> {
  const rows = (await readFile(join(output, 'log.jsonl'), 'utf8')).trim().split('\n');
  const all = rows.map((row) => JSON.parse(row) as { type: string; score: number });
  return all.filter(({ type }) => type === 'validation').map(({ score }) => score);
}

describe('unilm', () => {
  test('learns from text alone, is fine-tuned on pairs, and writes', async () => {
    const config = configOf('unilm', 'unilm');
    const { modelDirectory } = await pretrain(config);
    const scores = await validations(config.output);
    expect(scores.at(-1)).toBeLessThan(scores[0] - 0.2);
    const tuned = await finetune(
      parseFinetuneConfig({
        output: join(root, 'tuned'),
        init: modelDirectory,
        data: { train: { tsv: pairs } },
        schedule: { learningRate: 0.01 },
        budget: { maxUpdates: 300 },
        batch: { maxTokens: 512 },
      }),
    );
    const model = await loadModel(tuned.modelDirectory!);
    const outputs = await model.generate([{ text: sentence(3) }, { text: sentence(8) }], { numBeams: 2 });
    expect(outputs.map(({ sequences }) => sequences[0].text)).toEqual(['the old tree', 'the old tree']);
    await model.dispose();
  });

  test('interrupted and resumed gives the same weights bit for bit', async () => {
    const budget = { budget: { maxUpdates: 12 } };
    const whole = configOf('whole', 'unilm', budget);
    await pretrain(whole);
    const parts = { ...whole, output: join(root, 'parts') };
    const controller = new AbortController();
    const write = (line: string) => / update 1 /.test(line) && controller.abort();
    const options = {
      signal: controller.signal,
      output: { isTerminal: true, write },
    } as unknown as TrainOptions;
    expect(await pretrain(parts, options)).toMatchObject({ reason: 'interrupted', updates: 1 });
    await pretrain(parts);
    const weights = (output: string) => readFile(join(output, 'model/model.safetensors'));
    expect(await weights(parts.output)).toEqual(await weights(whole.output));
  });
});

test('unilm goes on from a BERT that is told to read the next token at a [MASK]', async () => {
  const reads = { polybeam: { prefix_lm: { next_token: 'mask' } } };
  const init = await fixtureWithTokenizer(root, 'simbert', (config) => ({ ...config, ...reads }));
  const letters = join(root, 'letters.txt');
  await writeFile(
    letters,
    Array.from({ length: 20 }, (_, at) => `a b ${'cdefghij'[at % 8]} k l m`).join('\n'),
  );
  const notes: string[] = [];
  const { modelDirectory } = await pretrain(
    parsePretrainConfig({
      output: join(root, 'bert'),
      init,
      objectives: { type: 'unilm' },
      data: { train: { text: letters }, maxLength: 20 },
      budget: { maxUpdates: 1 },
      schedule: { warmupUpdates: 10 },
      checkpoints: { averageLast: 0 },
    }),
    { output: { isTerminal: false, write: (line: string) => notes.push(line) } as never },
  );
  expect(notes.join('')).toMatch(/init: (\d+) of \1 weights/);
  const model = await loadModel(modelDirectory!);
  expect((await model.generate([{ text: 'a b c' }], { maxNewTokens: 4 }))[0].sequences[0].ids).toHaveLength(
    4,
  );
  await model.dispose();
});

describe('simbert and roformerSim', () => {
  const colors = ['red', 'blue', 'green'];
  const things = ['car', 'house', 'tree'];
  const combined = colors.flatMap((color) => things.map((thing) => [color, thing]));
  const sizes = { dModel: 32, ffnDim: 64, attentionHeads: 2, encoderLayers: 1, maxPositionEmbeddings: 64 };

  function pairConfig(name: string, objective: object, type: string, changes: object = {}) {
    return configOf(name, 'simbert', {
      objectives: objective,
      data: { pairs: { tsv: join(root, 'synonyms.tsv') }, maxLength: 16 },
      model: { type, ...sizes },
      budget: { maxUpdates: 700 },
      validation: undefined,
      ...changes,
    });
  }

  test('learn from pairs what belongs together, write the other, and hand their cosines on', async () => {
    const rows = combined.map(([color, thing]) => `the ${color} ${thing}\t${thing} here stands ${color}`);
    await writeFile(join(root, 'synonyms.tsv'), rows.join('\n'));
    const first = await pretrain(pairConfig('simbert', { type: 'simbert' }, 'bert'));
    const teacher = await loadModel(first.modelDirectory!);
    const sides = rows.map((row) => row.split('\t'));
    const [ours, theirs] = [
      await embedTexts(
        teacher,
        sides.map(([one]) => one),
      ),
      await embedTexts(
        teacher,
        sides.map(([, other]) => other),
        { batchSize: 2 },
      ),
    ];
    const best = ours.map((one) => {
      const all = theirs.map((other) => similarity(one, other));
      return all.indexOf(Math.max(...all));
    });
    expect(best).toEqual(ours.map((_, at) => at));
    const [{ sequences }] = await teacher.generate([{ text: 'the red car' }], { numBeams: 2 });
    expect(sequences[0].text).toBe('car here stands red');
    await teacher.dispose();

    const distill = { teacher: first.modelDirectory!, weight: 100 };
    const second = await pretrain(
      pairConfig('roformerSim', { type: 'roformerSim', distill, corruptShare: 0.2 }, 'roformer', {
        vocabulary: { tokenizer: first.modelDirectory },
      }),
    );
    const student = await loadModel(second.modelDirectory!);
    const texts = sides.flat();
    const taught = await embedTexts(student, texts);
    const known = ours.flatMap((one, at) => [one, theirs[at]]);
    const cosines = (all: Float32Array[]) => all.flatMap((one) => all.map((other) => similarity(one, other)));
    const [found, wanted] = [cosines(taught), cosines(known)];
    const mean = wanted.reduce((sum, value) => sum + value, 0) / wanted.length;
    const apart = (of: (at: number) => number) =>
      wanted.reduce((sum, value, at) => sum + (value - of(at)) ** 2, 0) / wanted.length;
    // How the teacher's cosines vary is what the student has learned of them.
    expect(apart((at) => found[at])).toBeLessThan(0.2 * apart(() => mean));
    await student.dispose();
  });

  test('refuse teachers of another vocabulary, and text that is not in pairs', async () => {
    await writeFile(join(root, 'synonyms.tsv'), 'the red car\tcar here\nblue tree\tthe tree here\n');
    const distill = { teacher: 'test/fixtures/models/simbert' };
    const config = pairConfig('foreign', { type: 'roformerSim', distill }, 'roformer');
    await expect(pretrain(config)).rejects.toThrow(/knows 48 tokens and the vocabulary has \d+/);
    expect(() => pairConfig('text', { type: 'simbert' }, 'bert', { data: { train: { text } } })).toThrow(
      /simbert learns from pairs of texts: give data\.pairs/,
    );
  });

  test('vectors of a model that gives none are refused', async () => {
    const model = await loadModel('test/fixtures/models/unilm');
    await expect(embedIds(model, [[2, 5, 3]])).rejects.toThrow(
      /gives no hidden states.*bert, roformer, xlm or xlm-roberta/,
    );
    await model.dispose();
  });
});

describe('refuses', () => {
  const model = { type: 'unilm', preset: 'tiny' };

  test.each([
    [{ model: { ...model, decoderLayers: 2 } }, /model\.decoderLayers has no meaning for model\.type unilm/],
    [{ model: { preset: 'tiny' } }, /unilm trains one stack of layers, and model\.type is marian.*unilm/],
    [
      { objectives: [{ type: 'unilm' }, { type: 'mass' }], model },
      /objective mass trains an encoder with a decoder, and model\.type is unilm/,
    ],
  ])('%j', (overrides, message) => {
    expect(() => configOf('refused', 'unilm', overrides)).toThrow(message);
  });

  test('texts that do not fit into one row', async () => {
    const config = configOf('long', 'unilm', { data: { train: { text }, maxLength: 62 } });
    await expect(pretrain(config)).rejects.toThrow(
      /maxLength is 62, unilm adds up to 3 tokens.*64 positions.*61/,
    );
  });

  test('objectives of another kind of model, found in init', async () => {
    const init = configOf('init', 'unilm', { budget: { maxUpdates: 1 } });
    const { modelDirectory } = await pretrain(init);
    const { model: _, vocabulary: __, ...rest } = init;
    const config = { ...rest, init: modelDirectory!, output: join(root, 'other') };
    const other = parsePretrainConfig({ ...config, objectives: [{ type: 'mass' }] });
    await expect(pretrain(other)).rejects.toThrow(
      /trains an encoder with a decoder, and the model is one stack/,
    );
  });
});
