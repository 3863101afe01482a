import { readFile, stat, writeFile } from 'node:fs/promises';
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

/** Tokens of a row in pre-training: two captions, so that all positions that translation needs are learned soon. */
export const rowLength = 32;

/** Updates at scale 1: of pre-training, of the translation of two languages, and of the three together. */
const updates = {
  pretraining: 4000,
  translation: 6000,
  denoising: 2000,
  all: 30_000,
  variant: 10_000,
} as const;

const scaled = (count: number, { scale }: Pick<ExperimentContext, 'scale'>) =>
  Math.max(1, Math.round(count * scale));

/** How long is trained at a scale, for the page. */
export const updatesText = (scale: number): string => {
  const of = (kind: keyof typeof updates) => scaled(updates[kind], { scale }).toLocaleString('en');
  return (
    `At scale ${scale}: ${of('pretraining')} updates of pre-training, ${of('translation')} of translation between two languages and ` +
    `${of('all')} between three, of at most 2,048 tokens; denoising alone ${of('denoising')}.`
  );
};

/** More rounds than any run has: a copy of the input is never learned from. */
const allRounds = 1_000_000;

/** How long each variant of CMLM is trained at a scale, for the page. */
export const variantUpdatesText = (scale: number): string =>
  `${scaled(updates.variant, { scale }).toLocaleString('en')} updates`;

/** Rounds in which the tables translate, where translation starts from them; at most a third of all. */
const tableRounds = 200;

/** Vocabulary, vectors, mappings and tables of all languages lie below this; the same for every scale. */
export const foundation = `${root}/foundation`;

/** The table of one direction. */
export const tableOf = (from: Language, to: Language) => `${foundation}/tables/${from}-${to}.tsv`;

/** Mapped vectors of English or German, in the space that the two share. */
export const mappedVectors = (language: 'en' | 'de') => `${foundation}/mapped/en-de.${language}.vec`;

/** Makes the vocabulary, and n-grams, vectors, mappings and tables for all languages; what is there is kept. */
export async function makeFoundation(context: ExperimentContext, threads: number): Promise<boolean> {
  const texts = await Promise.all(
    languages.map(async (language) => [language, (await languageData(language)).mono]),
  );
  const config = parseXlmRunConfig({
    output: foundation,
    data: { train: Object.fromEntries(texts), lowercase: true },
    vocabulary: { size: 6000 },
    ngrams: { minCount: 3, limits: [20_000, 20_000, 10_000] },
    vectors: { size: 100, epochs: 15, sample: 1e-3 },
    // Captions of 14,500 lines are too little for the unsupervised start; the languages share names and loan words.
    mapping: { seedDictionary: 'identical', vocabularySize: 3000, patience: 10 },
    // Of captions so few, single words would often be translated by whole phrases.
    table: { targets: 'sameLength' },
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

const tablesFor = (chosen: readonly Language[] = languages) =>
  chosen.flatMap((from) =>
    chosen.filter((to) => to !== from).map((to) => ({ from, to, path: tableOf(from, to) })),
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
      vocabulary: { tokenizer: `${foundation}/vocabulary` },
      model: translationModel,
      backTranslation: { directions: [] },
      ...(start === 'mass' && { denoising: { weight: 0 }, mass: { weight: 1 } }),
    });
    return (await trainTranslator(config, context.trainOptions)).modelDirectory !== undefined;
  }
  const cmlm = { type: 'cmlm', tables: tablesFor() };
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
  const objective = {
    type: 'cmlm',
    tables: tablesFor(['en', 'de']),
    ...(maxNgram && { maxNgram }),
    ...(aligned && { vectors: { en: mappedVectors('en'), de: mappedVectors('de') } }),
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
    data: { train: texts, length: rowLength },
    vocabulary: { tokenizer: `${foundation}/vocabulary` },
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
  /** Whether the first translations are made by the tables, and not by the model. */
  tables: boolean;
}

/** Where it runs. */
export const runOf = ({ start, seed, directions, tables }: Translation, scale: number) =>
  `${folder(scale)}/${start}-${directions}${tables ? '-tables' : ''}-${seed}`;

const spoken = { 'en-fr': ['en', 'fr'], none: ['en', 'fr'], all: languages } as const;

/** Trains translation from a start, or resumes it; false where it was interrupted. */
export async function trainTranslation(
  one: Translation,
  context: ExperimentContext,
  threads: number,
): Promise<boolean> {
  const { start, seed, directions } = one;
  const budget = { 'en-fr': updates.translation, none: updates.denoising, all: updates.all }[directions];
  // Random weights get the updates that pre-training had.
  const more = start === 'random' && directions !== 'none' ? updates.pretraining : 0;
  const maxUpdates = scaled(budget + more, context);
  const config = parseTranslationConfig({
    ...commonTraining(context, threads, maxUpdates),
    output: runOf(one, context.scale),
    ...(start === 'random'
      ? {
          vocabulary: { tokenizer: `${foundation}/vocabulary` },
          model: translationModel,
        }
      : { init: `${startOf(start, context.scale)}/model` }),
    data: await translationData(spoken[directions]),
    backTranslation: backTranslation(one, maxUpdates),
    // Chosen without parallel text; BLEU on pairs is for the curves alone.
    validation: {
      everyUpdates: Math.ceil(maxUpdates / 8),
      metric: directions === 'none' ? 'loss' : 'roundTrip',
      maxSentences: 200,
      lowercase: true,
    },
    seed,
  });
  return (await trainTranslator(config, context.trainOptions)).modelDirectory !== undefined;
}

/** Halves to learn from, and held-out captions. */
async function translationData(chosen: readonly Language[]) {
  const files = await Promise.all(
    chosen.map(async (language) => [language, await languageData(language)] as const),
  );
  const held = Object.fromEntries(files.map(([language, data]) => [language, data.held]));
  return {
    train: Object.fromEntries(files.map(([language, data]) => [language, data.half])),
    validation: held,
    validationPairs: chosen
      .filter((language) => language !== 'en')
      .map((to) => ({ from: 'en', to, source: held.en, target: held[to] })),
  };
}

function backTranslation({ directions, tables }: Translation, maxUpdates: number) {
  if (directions === 'none') return { directions: [] };
  const others = spoken[directions].filter((language) => language !== 'en');
  const names = others.flatMap((to) => [`en-${to}`, `${to}-en`]);
  // A round is an update for each language and each direction.
  const rounds = Math.ceil(maxUpdates / (spoken[directions].length + names.length));
  return {
    directions: names,
    onlyOwnTokens: allRounds,
    ...(tables && {
      tables: Object.fromEntries(
        names.map((name) => [name, tableOf(...(name.split('-') as [Language, Language]))]),
      ),
      tableRounds: Math.min(tableRounds, Math.ceil(rounds / 3)),
    }),
  };
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
    vocabulary: { tokenizer: `${foundation}/vocabulary` },
    model: translationModel,
    validation: { everyUpdates: scaled(1000, context), maxSentences: 200, lowercase: true },
  });
  return (await trainTranslator(config, context.trainOptions)).modelDirectory !== undefined;
}

/** When a file was written; 0 where it is missing. */
const writtenAt = async (path: string) => (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;

/** test2016 as a run's model translates it, computed once and kept beside the model; again where the run went on. */
export async function translationsOf(run: string, from: Language, to: Language): Promise<string[]> {
  const path = `${run}/test.${from}-${to}.txt`;
  if ((await writtenAt(path)) > (await writtenAt(`${run}/model/model.safetensors`)))
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
