import { mkdir, writeFile } from 'node:fs/promises';
import { bleuStatistics, corpusBleu, withConfidence } from '../../eval/index.js';
import { lexiconAccuracy, measureNgramTranslations, readDictionary } from '../../src/node.js';
import { readVectors } from '../../src/xlm/vectors/wordVectors.js';
import { type Experiment, type ExperimentContext, table } from './experiment.js';
import { captions, type Language } from './unsupervisedData.js';
import { type Curve, curvesPlot } from './unsupervisedPlots.js';
import {
  ceilingRun,
  curveOf,
  foundation,
  makeFoundation,
  makeStart,
  makeVariant,
  runOf,
  type Start,
  startOf,
  starts,
  type Translation,
  tableOf,
  trainCeiling,
  trainTranslation,
  translationsOf,
  type Variant,
  variants,
} from './unsupervisedRuns.js';

/*
 * Unsupervised translation of Multi30k (Lample et al. 2018, ICLR, table 1), from each way to start: what pre-training is worth, and how
 * far two cores get.
 */

/** Unsupervised BLEU of Lample et al. 2018 on test2016 and their supervised ceiling. */
const published = {
  'en-fr': [32.8, 56.8],
  'fr-en': [32.1, 50.8],
  'en-de': [22.7, 35.2],
  'de-en': [26.3, 38.4],
} as const;

type Direction = keyof typeof published;

const titles: Record<Start, string> = {
  random: 'random weights',
  denoising: 'denoising',
  mass: 'MASS',
  xlm: 'XLM (MLM)',
  cmlm: 'XLM (MLM) + CMLM',
};

const variantTitles: Record<Variant, string> = {
  ngrams: 'n-gram table, alignment by similarity (IBM-2)',
  uniform: 'n-gram table, uniform alignment (IBM-1)',
  words: 'table of words, alignment by similarity',
};

const lexicon = '../shared/data/lexicon/en-de.tsv.gz';

const sides = (direction: string) => direction.split('-') as [Language, Language];

/** One after the other; false as soon as one was interrupted. */
async function inOrder(steps: readonly (() => Promise<boolean>)[]): Promise<boolean> {
  for (const step of steps) if (!(await step())) return false;
  return true;
}

/** A start, its translation, and what denoising alone makes of it. */
const lane =
  (own: readonly Start[]) =>
  (context: ExperimentContext, threads: number): Promise<boolean> =>
    inOrder(
      own.flatMap((start) => [
        () => makeStart(start, context, threads),
        () => trainTranslation({ start, seed: 1, directions: 'en-fr' }, context, threads),
        () => trainTranslation({ start, seed: 1, directions: 'none' }, context, threads),
      ]),
    );

/** BLEU of a run on test2016: sacreBLEU's with its interval, and that of the paper's processing. */
async function scored(run: string, direction: string) {
  const [from, to] = sides(direction);
  const hypotheses = await translationsOf(run, from, to);
  const references = [await captions('test2016', to)];
  const options = { lowercase: true } as const;
  const sacre = withConfidence(
    corpusBleu(hypotheses, references, options),
    bleuStatistics(hypotheses, references, options),
  );
  return {
    sacre,
    papers: corpusBleu(hypotheses, references, { ...options, tokenize: `moses-${to}` }).score,
  };
}

const withInterval = ({ sacre }: Awaited<ReturnType<typeof scored>>): string =>
  `${sacre.score.toFixed(2)} (${sacre.confidence.low.toFixed(1)} to ${sacre.confidence.high.toFixed(1)})`;

/** The two starts that are best by round trips, which need no parallel text. */
async function bestStarts(scale: number): Promise<Start[]> {
  const found = await Promise.all(
    starts.map(async (start) => {
      const curve = await curveOf(runOf({ start, seed: 1, directions: 'en-fr' }, scale), 'roundTrip');
      return { start, score: Math.max(0, ...curve.map(({ bleu }) => bleu)) };
    }),
  );
  return found
    .sort((a, b) => b.score - a.score)
    .slice(0, 2)
    .map(({ start }) => start);
}

async function startsTable(scale: number, best: readonly Start[]): Promise<string> {
  const rows: string[][] = [];
  for (const start of starts) {
    const seeds = best.includes(start) ? [1, 2] : [1];
    const row = [titles[start]];
    for (const direction of ['en-fr', 'fr-en']) {
      const cells: string[] = [];
      for (const seed of seeds)
        cells.push(withInterval(await scored(runOf({ start, seed, directions: 'en-fr' }, scale), direction)));
      row.push(cells.join('; '));
    }
    const alone = await scored(runOf({ start, seed: 1, directions: 'none' }, scale), 'en-fr');
    rows.push([...row, alone.sacre.score.toFixed(2)]);
  }
  const ceiling = await Promise.all(
    (['en-fr', 'fr-en'] as const).map((direction) => scored(ceilingRun(scale), direction)),
  );
  rows.push(['supervised, same architecture', ...ceiling.map(withInterval), '']);
  return table(['start', 'en-fr', 'fr-en', 'en-fr without back-translation'], rows);
}

async function publishedTable(run: string): Promise<string> {
  const rows: string[][] = [];
  for (const direction of Object.keys(published) as Direction[]) {
    const { sacre, papers } = await scored(run, direction);
    const [unsupervised, supervised] = published[direction];
    rows.push([
      direction,
      unsupervised.toFixed(1),
      papers.toFixed(2),
      sacre.score.toFixed(2),
      supervised.toFixed(1),
      `\`${sacre.signature}\``,
    ]);
  }
  return table(
    ['direction', 'Lample et al. 2018', "paper's processing", 'sacreBLEU', 'their supervised', 'signature'],
    rows,
  );
}

async function lexiconText(scale: number): Promise<string> {
  const mapped = (language: Language) => readVectors(`${foundation(scale)}/mapped/en-de.${language}.vec`);
  const found = await lexiconAccuracy(
    await mapped('en'),
    await mapped('de'),
    await readDictionary(lexicon, true),
    { wordsOnly: true },
  );
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return (
    `The mapped vectors of English and German find a translation of the dictionary for ${percent(found.precision[1])} of ${found.words} words ` +
    `first, and for ${percent(found.precision[5])} among five (CSLS; coverage ${percent(found.coverage)}).`
  );
}

async function variantsTable(scale: number): Promise<string> {
  const texts = (await captions('val', 'en')).map((line) => line.toLowerCase());
  const rows: string[][] = [];
  for (const variant of Object.keys(variants) as Variant[]) {
    const found = await measureNgramTranslations(`${startOf(variant, scale)}/model`, texts, {
      table: tableOf('en', 'de', scale),
      from: 'en',
      to: 'de',
    });
    const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
    rows.push([variantTitles[variant], percent(found.accuracy), percent(found.best), String(found.ngrams)]);
  }
  return table(['CMLM', 'one of the table', 'the most probable', 'n-grams'], rows);
}

async function page(best: readonly Start[], whole: Translation, scale: number): Promise<string> {
  const curves: Curve[] = [];
  for (const start of starts) {
    const points = await curveOf(runOf({ start, seed: 1, directions: 'en-fr' }, scale), 'bleu en-fr');
    curves.push({ name: titles[start], points });
  }
  await mkdir('docs/experiments', { recursive: true });
  await writeFile('docs/experiments/unsupervised-bleu.svg', `${curvesPlot(curves)}\n`);
  return [
    'Multi30k without a parallel sentence: English captions of one half of the training set, French and German ones of the other (14,500',
    'each); for pre-training, vectors and vocabulary also 130,000 English and 156,000 German captions that were written independently.',
    'One architecture for all: encoder and decoder of 4 layers, d 128, one vocabulary of 6,000. Each start has as many updates of',
    'pre-training; random weights get theirs as more updates of translation. Checkpoints are chosen by round trips. test2016, beam 4,',
    'sacreBLEU in lower case with 95 % bootstrap intervals; two numbers are two seeds.',
    '',
    await startsTable(scale, best),
    '',
    '![BLEU on held-out pairs, en-fr, by updates](unsupervised-bleu.svg)',
    '',
    '## Beside the published figures',
    '',
    `One model of three languages and four directions, from the best start (${titles[whole.start]}):`,
    '',
    await publishedTable(runOf(whole, scale)),
    '',
    '## Vectors, tables and masked n-grams',
    '',
    await lexiconText(scale),
    '',
    'What CMLM learns at masked n-grams of held-out English captions, of German translations in the table, after shorter pre-trainings:',
    '',
    await variantsTable(scale),
  ].join('\n');
}

export const unsupervised: Experiment = {
  title: 'Translation without parallel text',
  budgetMinutes: 360,
  prepare: (context) => makeFoundation(context, 2),
  parts: {
    a: lane(['xlm', 'random', 'denoising']),
    b: async (context, threads) =>
      (await lane(['cmlm', 'mass'])(context, threads)) &&
      inOrder([
        ...(Object.keys(variants) as Variant[]).map(
          (variant) => () => makeVariant(variant, context, threads),
        ),
        () => trainCeiling(context, threads),
      ]),
  },
  run: async (context) => {
    const best = await bestStarts(context.scale);
    const whole: Translation = { start: best[0], seed: 1, directions: 'all' };
    const ended = await inOrder([
      ...best.map((start) => () => trainTranslation({ start, seed: 2, directions: 'en-fr' }, context, 2)),
      () => trainTranslation(whole, context, 2),
    ]);
    return ended ? page(best, whole, context.scale) : undefined;
  },
};
