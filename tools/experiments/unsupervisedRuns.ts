import { readFile, writeFile } from 'node:fs/promises';
import { nodeFiles } from '../../src/node/files.js';
import {
  loadModel,
  parseTranslationConfig,
  parseXlmPretrainConfig,
  parseXlmRunConfig,
  pretrainXlm,
  runXlm,
  trainTranslator,
} from '../../src/node.js';
import type { ExperimentContext } from './experiment.js';
import { captions, type Language, languageData, languages, root } from './unsupervisedData.js';

/*
 * The runs of the experiment: one size of model, one vocabulary, as many updates for each way to start, and then the same
 * training of translation for all.
 */

/** Where the runs of a scale lie; the texts are the same for all. */
const folder = (scale: number) => (scale === 1 ? root : `${root}/scale-${scale}`);

/** Layers and widths of every model here: what two cores train in the time there is. */
export const sizes = { preset: 'tiny', embDim: 128, nLayers: 4, nHeads: 4 } as const;

/** Updates at scale 1: of pre-training, of the translation of two languages, and of the three together. */
const updates = {
  pretraining: 4000,
  translation: 9000,
  denoising: 2500,
  all: 18_000,
  variant: 1500,
} as const;

const scaled = (count: number, { scale }: ExperimentContext) => Math.max(1, Math.round(count * scale));

/** Vocabulary, vectors, mappings and tables of all languages lie below this. */
export const foundation = (scale: number) => `${folder(scale)}/foundation`;

/** The table of one direction. */
export const tableOf = (from: Language, to: Language, scale: number) =>
  `${foundation(scale)}/tables/${from}-${to}.tsv`;

/** Makes the vocabulary, and n-grams, vectors, mappings and tables for all languages; what is there is kept. */
export async function makeFoundation(context: ExperimentContext, threads: number): Promise<boolean> {
  const texts = await Promise.all(
    languages.map(async (language) => [language, (await languageData(language)).mono]),
  );
  const config = parseXlmRunConfig({
    output: foundation(context.scale),
    data: { train: Object.fromEntries(texts), lowercase: true },
    vocabulary: { size: 6000 },
    ngrams: { minCount: 3 },
    vectors: { size: 100, epochs: 10 },
    // Captions of 14,500 lines are too little for the unsupervised start; the languages share names and loan words.
    mapping: { seedDictionary: 'identical' },
    table: {},
    threads,
  });
  return !(await runXlm(config, context.trainOptions)).interrupted;
}

/** How models of translation start. */
export const starts = ['random', 'denoising', 'mass', 'xlm', 'cmlm'] as const;

/** Name of a way to start. */
export type Start = (typeof starts)[number];

const monoTexts = async () =>
  Object.fromEntries(
    await Promise.all(languages.map(async (language) => [language, (await languageData(language)).mono])),
  ) as Record<Language, string>;

const tablesFor = (scale: number, chosen: readonly Language[] = languages) =>
  chosen.flatMap((from) =>
    chosen.filter((to) => to !== from).map((to) => ({ from, to, path: tableOf(from, to, scale) })),
  );

/** A variant of CMLM, to see what its parts are worth. */
export const variants = {
  ngrams: { aligned: true, maxNgram: undefined },
  uniform: { aligned: false, maxNgram: undefined },
  words: { aligned: true, maxNgram: 1 },
} as const;

/** Name of a variant. */
export type Variant = keyof typeof variants;

/** Where a start, or a variant of CMLM, is pre-trained. */
export const startOf = (start: Start | Variant, scale: number) => `${folder(scale)}/start-${start}`;

/** Pre-trains a start, or resumes it; false where it was interrupted. Random weights need none. */
export async function makeStart(start: Start, context: ExperimentContext, threads: number): Promise<boolean> {
  if (start === 'random') return true;
  const output = startOf(start, context.scale);
  const texts = await monoTexts();
  const maxUpdates = scaled(updates.pretraining, context);
  if (start === 'denoising' || start === 'mass') {
    const config = parseTranslationConfig({
      ...commonTraining(context, threads, maxUpdates),
      output,
      data: { train: texts },
      vocabulary: { tokenizer: `${foundation(context.scale)}/vocabulary` },
      model: translationModel,
      backTranslation: { directions: [] },
      ...(start === 'mass' && { denoising: { weight: 0 }, mass: { weight: 1 } }),
    });
    return (await trainTranslator(config, context.trainOptions)).modelDirectory !== undefined;
  }
  const cmlm = { type: 'cmlm', tables: tablesFor(context.scale) };
  return pretrain(output, texts, start === 'xlm' ? [{ type: 'mlm' }] : [{ type: 'mlm' }, cmlm], {
    context,
    threads,
    maxUpdates,
  });
}

/** Pre-trains CMLM on English and German alone, whose vectors share a space. */
export async function makeVariant(
  variant: Variant,
  context: ExperimentContext,
  threads: number,
): Promise<boolean> {
  const { en, de } = await monoTexts();
  const { aligned, maxNgram } = variants[variant];
  const mapped = (language: Language) => `${foundation(context.scale)}/mapped/en-de.${language}.vec`;
  const objective = {
    type: 'cmlm',
    tables: tablesFor(context.scale, ['en', 'de']),
    ...(maxNgram && { maxNgram }),
    ...(aligned && { vectors: { en: mapped('en'), de: mapped('de') } }),
  };
  return pretrain(startOf(variant, context.scale), { en, de }, [{ type: 'mlm' }, objective], {
    context,
    threads,
    maxUpdates: scaled(updates.variant, context),
  });
}

async function pretrain(
  output: string,
  texts: Partial<Record<Language, string>>,
  objectives: object[],
  { context, threads, maxUpdates }: { context: ExperimentContext; threads: number; maxUpdates: number },
): Promise<boolean> {
  const config = parseXlmPretrainConfig({
    output,
    objectives,
    data: { train: texts, length: 128 },
    vocabulary: { tokenizer: `${foundation(context.scale)}/vocabulary` },
    model: { ...sizes, maxPositionEmbeddings: 256 },
    batch: { maxTokens: 2048 },
    schedule: { learningRate: 0.002, warmupUpdates: scaled(500, context) },
    budget: { maxUpdates },
    checkpoints: { averageLast: 1 },
    threads,
  });
  return (await pretrainXlm(config, context.trainOptions)).modelDirectory !== undefined;
}

const translationModel = {
  preset: sizes.preset,
  embDim: sizes.embDim,
  encoderLayers: sizes.nLayers,
  decoderLayers: sizes.nLayers,
  nHeads: sizes.nHeads,
  maxPositionEmbeddings: 256,
} as const;

function commonTraining(context: ExperimentContext, threads: number, maxUpdates: number) {
  return {
    batch: { maxTokens: 2048, maxSentences: 64 },
    schedule: { learningRate: 0.001, warmupUpdates: scaled(500, context) },
    budget: { maxUpdates },
    threads,
  };
}

/** A training of translation. */
export interface Translation {
  start: Start;
  seed: number;
  /** Which directions are learned; `none` is denoising alone. */
  directions: 'en-fr' | 'none' | 'all';
}

/** Where it runs. */
export const runOf = ({ start, seed, directions }: Translation, scale: number) =>
  `${folder(scale)}/${start}-${directions}-${seed}`;

const spoken = { 'en-fr': ['en', 'fr'], none: ['en', 'fr'], all: languages } as const;

/** Trains translation from a start, or resumes it; false where it was interrupted. */
export async function trainTranslation(
  one: Translation,
  context: ExperimentContext,
  threads: number,
): Promise<boolean> {
  const { start, seed, directions } = one;
  const texts: Record<string, string> = {};
  const held: Record<string, string> = {};
  for (const language of spoken[directions]) {
    const data = await languageData(language);
    texts[language] = data.half;
    held[language] = data.held;
  }
  const others = spoken[directions].filter((language) => language !== 'en');
  const budget = { 'en-fr': updates.translation, none: updates.denoising, all: updates.all }[directions];
  // Random weights get the updates that pre-training had.
  const more = start === 'random' && directions === 'en-fr' ? updates.pretraining : 0;
  const maxUpdates = scaled(budget + more, context);
  const config = parseTranslationConfig({
    ...commonTraining(context, threads, maxUpdates),
    output: runOf(one, context.scale),
    ...(start === 'random'
      ? {
          vocabulary: { tokenizer: `${foundation(context.scale)}/vocabulary` },
          model: translationModel,
        }
      : { init: `${startOf(start, context.scale)}/model` }),
    data: {
      train: texts,
      validation: held,
      validationPairs: others.map((to) => ({
        from: 'en',
        to,
        source: held.en,
        target: held[to],
      })),
    },
    backTranslation: {
      directions: directions === 'none' ? [] : others.flatMap((to) => [`en-${to}`, `${to}-en`]),
      onlyOwnTokens: directions === 'none' ? 0 : scaled(250, context),
    },
    // Chosen without parallel text; BLEU on pairs is for the curves alone.
    validation: {
      everyUpdates: Math.max(1, Math.floor(maxUpdates / 12)),
      ...(directions !== 'none' && { metric: 'roundTrip' }),
      maxSentences: 300,
      lowercase: true,
    },
    seed,
  });
  return (await trainTranslator(config, context.trainOptions)).modelDirectory !== undefined;
}

/** Where the supervised ceiling is trained. */
export const ceilingRun = (scale: number) => `${folder(scale)}/supervised`;

/** The same architecture with the parallel text of both halves: what there is to reach. */
export async function trainCeiling(context: ExperimentContext, threads: number): Promise<boolean> {
  const pairs = {
    source: '../shared/data/multi30k/train.en.gz',
    target: '../shared/data/multi30k/train.fr.gz',
  };
  const held = { en: (await languageData('en')).held, fr: (await languageData('fr')).held };
  const config = parseTranslationConfig({
    ...commonTraining(context, threads, scaled(updates.translation, context)),
    output: ceilingRun(context.scale),
    data: {
      pairs: { from: 'en', to: 'fr', ...pairs },
      validationPairs: { from: 'en', to: 'fr', source: held.en, target: held.fr },
    },
    vocabulary: { tokenizer: `${foundation(context.scale)}/vocabulary` },
    model: translationModel,
    validation: { everyUpdates: scaled(1000, context), maxSentences: 300, lowercase: true },
  });
  return (await trainTranslator(config, context.trainOptions)).modelDirectory !== undefined;
}

/** test2016 as a run's model translates it, computed once and kept beside the model. */
export async function translationsOf(run: string, from: Language, to: Language): Promise<string[]> {
  const path = `${run}/test.${from}-${to}.txt`;
  if ((await nodeFiles.size(path)) !== undefined)
    return (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  const model = await loadModel(`${run}/model`);
  const sources = (await captions('test2016', from)).map((line) => line.toLowerCase());
  const written = await model.translate(sources, { from, to, numBeams: 4, batchSize: 64 });
  await model.dispose();
  await writeFile(path, written.map((line) => `${line}\n`).join(''));
  return written;
}

/**
 * What validation found by updates, from the log of a run.
 * @param value `bleu en-fr` for the held-out pairs, `roundTrip` for texts translated there and back
 */
export async function curveOf(run: string, value: string): Promise<{ update: number; bleu: number }[]> {
  const rows = (await readFile(`${run}/log.jsonl`, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((row) => JSON.parse(row));
  return rows
    .filter(({ type }) => type === 'validation')
    .map(({ update, values }) => ({ update, bleu: values[value] }));
}
