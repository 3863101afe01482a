/**
 * Learns to translate between two languages from texts of which none is a translation of another: vocabulary, vectors of n-grams, a
 * mapping of these into one space and a translation table, pre-training (XLM and CMLM), then denoising and back-translation. Prints what
 * the model makes of some sentences at the start and at the end.
 *   npx tsx examples/unsupervised-translation.ts
 *   npx tsx examples/unsupervised-translation.ts en=captions.en.gz fr=captions.fr.gz --test test.tsv --minutes 60
 *
 * Without files it takes the small ones of examples/data, captions of a little grammar, and two or three minutes on two cores. With
 * files, it takes --minutes in all, and lower-cases; what was made is kept in --output, and the same command goes on from there.
 * --test names held-out pairs, tab-separated, for BLEU and for the sentences that are printed.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { corpusBleu } from '../eval/index.js';
import { loadModel, parseXlmRunConfig, runXlm, type XlmRunConfigInput } from '../src/node.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    test: { type: 'string' },
    minutes: { type: 'string', default: '60' },
    output: { type: 'string' },
  },
});
const texts = positionals.map((argument) => argument.split(/=(.*)/s).slice(0, 2));
if (
  (texts.length !== 0 && texts.length !== 2) ||
  texts.some(([, file]) => !file) ||
  !(Number(values.minutes) > 0)
) {
  console.error(
    'usage: unsupervised-translation.ts [LANGUAGE=FILE LANGUAGE=FILE] [--test PAIRS.tsv] [--minutes NUMBER] [--output DIRECTORY]',
  );
  process.exit(2);
}

const own = texts.length === 0;
const files: Record<string, string> = own
  ? { en: 'examples/data/captions.en.txt', fr: 'examples/data/captions.fr.txt' }
  : Object.fromEntries(texts);
const test = values.test ?? (own ? 'examples/data/captions.test.tsv' : undefined);
const [from, to] = Object.keys(files);
const scratch = values.output ? undefined : await mkdtemp(join(tmpdir(), 'polybeam-unsupervised-'));
const output = values.output ?? scratch!;

type Sizes = Omit<XlmRunConfigInput, 'output' | 'data'>;

/** Sizes and times for the small texts. */
const small: Sizes = {
  vocabulary: { size: 500 },
  ngrams: { minCount: 3 },
  vectors: { size: 50, epochs: 20, maxSubword: 0, sample: 1 },
  // Names and loan words are written alike in both languages. With so few words self-learning cannot be begun anew from a tenth of
  // its pairs, which otherwise tells a right mapping from a wrong one.
  mapping: { seedDictionary: 'identical', patience: 5, minFoundAgain: 0 },
  pretrain: {
    objectives: [{ type: 'mlm' }, { type: 'cmlm' }],
    data: { length: 64 },
    model: { preset: 'tiny', embDim: 64, nLayers: 2 },
    batch: { maxTokens: 2048 },
    schedule: { learningRate: 0.002, warmupUpdates: 100 },
    budget: { maxUpdates: 200 },
  },
  train: {
    schedule: { learningRate: 0.002, warmupUpdates: 200 },
    batch: { maxSentences: 64 },
    // The first translations come from the table, later ones from the model.
    backTranslation: { tableRounds: 60 },
    budget: { maxUpdates: 600 },
    validation: { everyUpdates: 200 },
  },
};

/** The same for texts of tens of thousands of sentences. */
const large: Sizes = {
  vocabulary: { size: 5000 },
  ngrams: { minCount: 3, limits: [20_000, 20_000, 10_000] },
  // So little text needs its frequent words, too, and rare ones tell the mapping nothing.
  vectors: { size: 100, epochs: 15, sample: 1 },
  mapping: { seedDictionary: 'identical', patience: 10, vocabularySize: 2000 },
  // Word for word and pair for pair: the first translations are better so than where any n-gram may translate any other.
  table: { targets: 'sameLength' },
  pretrain: {
    objectives: [{ type: 'mlm' }, { type: 'cmlm' }],
    data: { length: 64 },
    model: { preset: 'tiny' },
    batch: { maxTokens: 2048 },
    schedule: { learningRate: 0.001, warmupUpdates: 300 },
    budget: { maxMinutes: Number(values.minutes) / 6 },
  },
  train: {
    schedule: { learningRate: 0.001, warmupUpdates: 300 },
    batch: { maxSentences: 64 },
    backTranslation: { tableRounds: 200 },
    budget: { maxMinutes: (Number(values.minutes) * 2) / 3 },
    validation: { everyUpdates: 500 },
  },
};

const configFor = ({ train, ...rest }: Sizes, updates?: number) =>
  parseXlmRunConfig({
    output,
    data: {
      train: files,
      lowercase: !own,
      ...(test && { validationPairs: { from, to, tsv: test } }),
    },
    ...rest,
    train: { ...train, budget: updates === undefined ? train!.budget : { maxUpdates: updates } },
  });

/** Sentences to look at, and their translations where they are known. */
async function sentences(): Promise<{ sources: string[]; references?: string[] }> {
  if (test) {
    const pairs = (await readFile(test, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    return { sources: pairs.map(([source]) => source), references: pairs.map(([, target]) => target) };
  }
  return { sources: (await readFile(files[from], 'utf8')).split('\n').slice(0, 5) };
}

/** Translates, prints some of it, and what it is worth. */
async function show(title: string, directory: string): Promise<void> {
  const { sources, references } = await sentences();
  const model = await loadModel(directory);
  const written = await model.translate(sources, { from, to, batchSize: 64 });
  await model.dispose();
  const bleu = references && corpusBleu(written, [references], { lowercase: !own }).score;
  console.log(`${title}${bleu === undefined ? '' : `: ${bleu.toFixed(1)} BLEU`}`);
  for (const at of [0, 1, 2, 3, 4]) if (sources[at]) console.log(`  ${sources[at]}\n    -> ${written[at]}`);
}

const progress = {
  write: (text: string) => process.stderr.write(text),
  isTerminal: process.stderr.isTTY ?? false,
};
try {
  const sizes = own ? small : large;
  const start = await runXlm(configFor(sizes, 1), { output: progress });
  await show(`${from} to ${to}, after the first update`, start.modelDirectory!);
  const end = await runXlm(configFor(sizes), { output: progress });
  await show(`${from} to ${to}, at the end`, end.modelDirectory!);
} finally {
  if (scratch) await rm(scratch, { recursive: true, force: true });
}
