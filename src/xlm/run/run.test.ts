import '../../node/install.js';
import { mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadModel } from '../../pretrained/loadModel.js';
import { parseXlmRunConfig, type XlmRunConfigInput } from './config.js';
import { runXlm } from './run.js';

const directory = await mkdtemp(join(tmpdir(), 'polybeam-xlm-run-'));
const at = (name: string) => join(directory, name);

/** Sentences over words that both languages share in part, so that vectors have something to meet at. */
function sentences(nouns: readonly string[], verbs: readonly string[], first: number): string {
  const lines = Array.from(
    { length: 240 },
    (_, line) =>
      `${nouns[(line + first) % nouns.length]} ${verbs[(line * 7 + first) % verbs.length]} ${nouns[(line * 5) % nouns.length]}`,
  );
  return `${lines.join('\n')}\n`;
}

await writeFile(
  at('en.txt'),
  sentences(['Anna', 'Paul', 'dog', 'cat', 'bird'], ['sees', 'hears', 'likes'], 0),
);
await writeFile(
  at('fr.txt'),
  sentences(['Anna', 'Paul', 'chien', 'chat', 'oiseau'], ['voit', 'entend', 'aime'], 1),
);

const config = (changes: Partial<XlmRunConfigInput> = {}): XlmRunConfigInput => ({
  output: at('run'),
  threads: 1,
  data: { train: { en: [{ text: at('en.txt') }], fr: [{ text: at('fr.txt') }] } },
  vocabulary: { size: 80 },
  ngrams: { minCount: 2 },
  vectors: { size: 8, epochs: 2, buckets: 500 },
  mapping: { seedDictionary: 'identical', patience: 2, keepFailed: true },
  pretrain: {
    objectives: [{ type: 'mlm' }],
    data: { length: 32 },
    model: { embDim: 16, nLayers: 1, nHeads: 2, maxPositionEmbeddings: 64 },
    batch: { maxTokens: 256 },
    budget: { maxUpdates: 3 },
  },
  train: { data: { maxLength: 60 }, model: { decoderLayers: 1 }, budget: { maxUpdates: 4 } },
  ...changes,
});

test('all stages are made once, and again only where they are missing', async () => {
  const notes: string[] = [];
  const output = { write: (text: string) => notes.push(text), isTerminal: false };
  const first = await runXlm(parseXlmRunConfig(config()), { output });
  expect(first).toMatchObject({ interrupted: false, modelDirectory: at('run/translation/model') });
  const table = await readFile(at('run/tables/en-fr.tsv'), 'utf8');
  expect(table.split('\n')[0].split('\t')).toHaveLength(3);
  expect(await readFile(at('run/tables/fr-en.tsv'), 'utf8')).toContain('chien\t');
  const made = (await stat(at('run/vectors/en.vec'))).mtimeMs;

  notes.length = 0;
  await runXlm(parseXlmRunConfig(config()), { output });
  for (const stage of ['vocabulary', 'ngrams/en', 'vectors/fr', 'mapped/en-fr', 'tables/en-fr'])
    expect(notes.join('')).toContain(`${stage}: there already`);
  expect((await stat(at('run/vectors/en.vec'))).mtimeMs).toBe(made);

  const model = await loadModel(at('run/translation/model'));
  const [text] = await model.translate(['Anna sees dog'], { from: 'en', to: 'fr', maxNewTokens: 5 });
  expect(typeof text).toBe('string');
  await model.dispose();

  await expect(runXlm(parseXlmRunConfig(config({ vectors: { size: 7 } })))).rejects.toMatchObject({
    code: 'CHECKPOINT_MISMATCH',
    message: expect.stringMatching(
      /^vectors\/en was made with vectors\.size 8, but the configuration now has 7: /,
    ),
  });
});

test('an interruption before a training leaves what was made', async () => {
  const controller = new AbortController();
  controller.abort();
  const found = await runXlm(parseXlmRunConfig(config({ output: at('stopped') })), {
    signal: controller.signal,
  });
  expect(found).toEqual({ interrupted: true });
});

test.each(['vectors/en', 'mapped/en-fr', 'tables/en-fr'])(
  'an interruption of %s says so, and the same call goes on',
  async (stage) => {
    const controller = new AbortController();
    const output = {
      write: (text: string) => {
        if (text === `${stage}\n`) controller.abort();
      },
      isTerminal: false,
    };
    const { pretrain, train, ...stages } = config({ output: at(`stopped-${stage.replace('/', '-')}`) });
    const parsed = parseXlmRunConfig(stages);
    expect(await runXlm(parsed, { output, signal: controller.signal })).toEqual({ interrupted: true });
    expect(await runXlm(parsed)).toEqual({
      interrupted: false,
      modelDirectory: undefined,
      training: undefined,
    });
  },
);

test('texts with fewer words than features are refused before vectors are trained', async () => {
  const changes = { output: at('few'), vectors: { size: 9 } };
  await expect(runXlm(parseXlmRunConfig(config(changes)))).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: expect.stringMatching(
      /^The texts of en have 8 words of at least 2 occurrences .*fewer than the 9 features of vectors\.size.*mapping\.finalMapping/,
    ),
  });
  expect(await readdir(at('few/vectors'))).not.toContain('en.vec');
});

test('a rotation needs no such number of words, nor a dictionary that is not there any vectors', async () => {
  const { pretrain, train, ...stages } = config({
    output: at('rotated'),
    vectors: { size: 9, epochs: 1, buckets: 500 },
    mapping: { seedDictionary: 'identical', patience: 2, keepFailed: true, finalMapping: 'orthogonal' },
  });
  expect((await runXlm(parseXlmRunConfig(stages))).interrupted).toBe(false);
  const missing = {
    output: at('missing'),
    mapping: { seedDictionary: 'dictionary', dictionary: at('absent') },
  } as const;
  await expect(runXlm(parseXlmRunConfig(config(missing)))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  await expect(readdir(at('missing/vectors'))).rejects.toThrow();
});

describe('what is refused before anything is done', () => {
  const { data } = config();
  test.each<[string, Partial<Record<string, unknown>>, string]>([
    ['one language', { data: { train: { en: 'en.txt' } } }, 'data.train has text in one language (en)'],
    ['a language of more alone', { data: { ...data, more: { de: 'de.txt' } } }, 'data.more.de is a language'],
    [
      'a code',
      { data: { train: { en: 'a', mask: 'b' } } },
      'vocabulary: "mask" cannot be the code of a language',
    ],
    ['an option of a stage', { mapping: { patience: 0 } }, 'mapping.patience'],
    [
      'options of stages that exclude each other',
      { mapping: { finalMapping: 'orthogonal', reweight: 0.5 }, vectors: { minSubword: 7, maxSubword: 6 } },
      'vectors: minSubword 7 is larger than maxSubword 6: lower it, or set maxSubword 0 for no parts;\n- mapping: reweight 0.5 belongs to',
    ],
    ['a training without an end', { train: {} }, 'train: training would never end'],
    [
      'texts that the model has no room for',
      { train: { data: { maxLength: 63 }, budget: { maxUpdates: 1 } } },
      'train.data.maxLength is 63, and the model of pretrain has room for 62 tokens',
    ],
    [
      'no stage',
      { pretrain: undefined, train: undefined, ngrams: undefined, vectors: undefined, mapping: undefined },
      'there is no stage but the vocabulary',
    ],
  ])('%s', (_, changes, message) => {
    expect(() => parseXlmRunConfig({ ...config(), ...changes })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(message) }),
    );
  });

  test('all of it at once, each section under its name', () => {
    const changes = {
      data: { ...data, more: { de: 'de.txt' } },
      pretrain: { objectives: { type: 'mml' }, budget: {} },
      train: { backTranslation: { directions: ['en-xx'] }, budget: {} },
    };
    expect(() => parseXlmRunConfig({ ...config(), ...changes }, 'r.yaml')).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(
          new RegExp(
            '^r\\.yaml has 5 problems:\n- data\\.more\\.de is .*;\n- pretrain: objectives\\[0\\]: there is no objective "mml".*;\n' +
              '- pretrain: training would never end: .*;\n- train: backTranslation\\.directions\\[0\\] is "en-xx", .*;\n' +
              '- train: training would never end: .*\\.$',
          ),
        ),
      }),
    );
  });
});
