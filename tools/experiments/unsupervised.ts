import { mkdir, writeFile } from 'node:fs/promises';
import { bleuStatistics, corpusBleu, withConfidence } from '../../eval/index.js';
import { type Experiment, type ExperimentContext, table } from './experiment.js';
import { captions, type Language } from './unsupervisedData.js';
import { type Curve, curvesPlot } from './unsupervisedPlots.js';
import {
  ceilingRun,
  curveOf,
  makeFoundation,
  makeStart,
  makeVariant,
  runOf,
  type Start,
  starts,
  type Translation,
  trainCeiling,
  trainTranslation,
  translationsOf,
  updatesText,
  type Variant,
  variants,
} from './unsupervisedRuns.js';
import { lexiconText, pretrainingText, variantsText } from './unsupervisedTables.js';

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

const sides = (direction: string) => direction.split('-') as [Language, Language];

/** One after the other; false as soon as one was interrupted. */
async function inOrder(steps: readonly (() => Promise<boolean>)[]): Promise<boolean> {
  for (const step of steps) if (!(await step())) return false;
  return true;
}

/** Translation of English and French from a start, as the tables of the page have it. */
const trained = (start: Start, seed = 1) =>
  ({
    alone: { start, seed, directions: 'en-fr', tables: false },
    tables: { start, seed, directions: 'en-fr', tables: true },
    denoised: { start, seed, directions: 'none', tables: false },
  }) satisfies Record<string, Translation>;

/** A start and its translations: by itself, from the tables, and what denoising alone makes of it. */
const lane =
  (own: readonly Start[]) =>
  (context: ExperimentContext, threads: number): Promise<boolean> =>
    inOrder(
      own.flatMap((start) => [
        () => makeStart(start, context, threads),
        ...Object.values(trained(start)).map((one) => () => trainTranslation(one, context, threads)),
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

/** The best BLEU of held-out texts translated there and back, which needs no parallel text. */
async function roundTripOf(run: string): Promise<number> {
  return Math.max(0, ...(await curveOf(run, 'roundTrip')).map(({ bleu }) => bleu));
}

/** BLEU on held-out pairs of the checkpoint that round trips chose. */
async function heldOutBleu(run: string): Promise<number> {
  const [trips, pairs] = [await curveOf(run, 'roundTrip'), await curveOf(run, 'bleu')];
  const chosen = trips.reduce((best, { bleu }, at) => (bleu > trips[best].bleu ? at : best), 0);
  return pairs[chosen].bleu;
}

/** The two starts that are best from the tables. */
async function bestStarts(scale: number): Promise<Start[]> {
  const found = await Promise.all(
    starts.map(async (start) => ({
      start,
      score: await heldOutBleu(runOf(trained(start).tables, scale)),
    })),
  );
  return found
    .sort((a, b) => b.score - a.score)
    .slice(0, 2)
    .map(({ start }) => start);
}

/** The model of three languages. */
const wholeFrom = ([start]: readonly Start[]): Translation => ({
  start,
  seed: 1,
  directions: 'all',
  tables: true,
});

/** Scores of translations from each start; several seeds share a cell. */
async function startsTable(scale: number, of: (start: Start) => readonly Translation[]): Promise<string> {
  const rows: string[][] = [];
  for (const start of starts) {
    const runs = of(start).map((one) => runOf(one, scale));
    const row = [titles[start]];
    for (const direction of ['en-fr', 'fr-en']) {
      const cells: string[] = [];
      for (const run of runs) cells.push(withInterval(await scored(run, direction)));
      row.push(cells.join('; '));
    }
    const trips = await Promise.all(runs.map(roundTripOf));
    rows.push([...row, trips.map((score) => score.toFixed(1)).join('; ')]);
  }
  return table(['start', 'en-fr', 'fr-en', 'round trips'], rows);
}

/** What denoising alone makes of each start, and what parallel text would. */
async function boundsTable(scale: number): Promise<string> {
  const runs: [string, string][] = [
    ...starts.map((start): [string, string] => [
      `${titles[start]}, denoising alone`,
      runOf(trained(start).denoised, scale),
    ]),
    ['supervised, same architecture', ceilingRun(scale)],
  ];
  const rows: string[][] = [];
  for (const [title, run] of runs)
    rows.push([title, withInterval(await scored(run, 'en-fr')), withInterval(await scored(run, 'fr-en'))]);
  return table(['training', 'en-fr', 'fr-en'], rows);
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

/** BLEU of the whole model on held-out pairs after each eighth of its updates: how it still grows when they end. */
async function growthTable(run: string): Promise<string> {
  const curves = await Promise.all(
    Object.keys(published).map((direction) => curveOf(run, `bleu ${direction}`)),
  );
  const rows = curves[0].map(({ update }, at) => [
    update.toLocaleString('en'),
    ...curves.map((points) => points[at].bleu.toFixed(1)),
  ]);
  return table(['updates', ...Object.keys(published)], rows);
}

/** BLEU by updates of each start, as a picture beside the page. */
async function drawCurves(name: string, kind: 'alone' | 'tables', scale: number): Promise<void> {
  const curves: Curve[] = [];
  for (const start of starts) {
    const points = await curveOf(runOf(trained(start)[kind], scale), 'bleu en-fr');
    curves.push({ name: titles[start], points });
  }
  await writeFile(`docs/experiments/${name}.svg`, `${curvesPlot(curves)}\n`);
}

async function page(best: readonly Start[], whole: Translation, scale: number): Promise<string> {
  await mkdir('docs/experiments', { recursive: true });
  await drawCurves('unsupervised-alone', 'alone', scale);
  await drawCurves('unsupervised-tables', 'tables', scale);
  const seeds = (start: Start) => (best.includes(start) ? [1, 2] : [1]);
  return [
    'Multi30k without a parallel sentence: English captions of one half of the training set, French and German ones of the other (14,500',
    'each); for pre-training, vectors and vocabulary also 130,000 English and 156,000 German captions that were written independently.',
    'One architecture for all: encoder and decoder of 4 layers, d 128, one vocabulary of 6,000. Each start has as many updates of',
    'pre-training; random weights get theirs as more updates of translation. Checkpoints are chosen by round trips, of denoising alone by its loss. test2016, beam 4,',
    'sacreBLEU in lower case with 95 % bootstrap intervals; two numbers are two seeds. Round trips are BLEU of held-out captions that were',
    'translated there and back, less the share that was only copied; words that are always confused in the same way make it high, too.',
    '',
    updatesText(scale),
    await pretrainingText(scale),
    '',
    '## From the start alone',
    '',
    await startsTable(scale, (start) => [trained(start).alone]),
    '',
    '![BLEU on held-out pairs, en-fr, by updates](unsupervised-alone.svg)',
    '',
    '## From the start and the translation tables',
    '',
    'The first translations are made by the tables, phrase by phrase.',
    '',
    await startsTable(scale, (start) => seeds(start).map((seed) => trained(start, seed).tables)),
    '',
    '![BLEU on held-out pairs, en-fr, by updates](unsupervised-tables.svg)',
    '',
    '## Without back-translation, and with parallel text',
    '',
    await boundsTable(scale),
    '',
    '## Beside the published figures',
    '',
    `One model of three languages and four directions, from ${titles[whole.start]} and the tables, which of the starts above is best on`,
    'held-out pairs (200, of those that the curves show):',
    '',
    await publishedTable(runOf(whole, scale)),
    '',
    'BLEU on held-out pairs (greedy) while it was trained:',
    '',
    await growthTable(runOf(whole, scale)),
    '',
    '## Vectors, tables and masked n-grams',
    '',
    await lexiconText(),
    '',
    await variantsText(scale),
  ].join('\n');
}

export const unsupervised: Experiment = {
  title: 'Translation without parallel text',
  budgetMinutes: 360,
  prepare: (context) => makeFoundation(context, 2),
  parts: {
    a: async (context, threads) =>
      (await lane(['xlm', 'random'])(context, threads)) && trainCeiling(context, threads),
    b: lane(['cmlm', 'mass', 'denoising']),
  },
  laterParts: {
    seeds: async (context, threads) => {
      const best = await bestStarts(context.scale);
      return inOrder([
        ...best.map((start) => () => trainTranslation(trained(start, 2).tables, context, threads)),
        ...(Object.keys(variants) as Variant[]).map(
          (variant) => () => makeVariant(variant, context, threads),
        ),
      ]);
    },
    all: async (context, threads) =>
      trainTranslation(wholeFrom(await bestStarts(context.scale)), context, threads),
  },
  run: async ({ scale }) => {
    const best = await bestStarts(scale);
    return page(best, wholeFrom(best), scale);
  },
};
