import { mkdir, writeFile } from 'node:fs/promises';
import { bootstrapMeans, rouge } from '../../eval/index.js';
import { type Experiment, type ExperimentContext, table } from './experiment.js';
import { type PlottedScore, startsPlot, sweepPlot } from './summarizationPlots.js';
import {
  allPairs,
  type FineTuning,
  makeStart,
  readPart,
  runFineTuning,
  type Start,
  sizes,
  starts,
  summariesOf,
  updatesOf,
} from './summarizationRuns.js';

/*
 * Generative pre-training shown on summarization: a one-line synopsis from the description of a package. Song et al. 2019,
 * table 5, is the model: fine-tuning on few pairs, from random weights and from each pre-training.
 */

const compared = ['random', 'bertLm', 'bart', 'mass', 'unilm'] as const satisfies Start[];
const swept = ['mass30', 'mass50', 'mass70'] as const satisfies Start[];
const seeds = [1, 2];
const fewPairs = [1000, 10_000];
const types = ['rouge1', 'rouge2', 'rougeL'] as const;

const titles: Record<Start, string> = {
  random: 'random weights',
  bertLm: 'BERT+LM',
  bart: 'BART denoising',
  mass: 'MASS (k = 0.5 m)',
  unilm: 'UniLM',
  mass30: 'MASS, k = 0.3 m',
  mass50: 'MASS, k = 0.5 m',
  mass70: 'MASS, k = 0.7 m',
};

const fineTunings = (start: Start): FineTuning[] =>
  fewPairs.flatMap((pairs) => seeds.map((seed) => ({ start, pairs, seed })));

/** The sweep is judged on held-out pairs after one fine-tuning each. */
const sweepTuning = (start: Start): FineTuning => ({ start, pairs: 1000, seed: 1 });

/** One after the other: pre-training, then what is fine-tuned from it. Two of these run at a time. */
function lane(own: readonly { start: Start; tunings: FineTuning[] }[]) {
  return async (context: ExperimentContext, threads: number): Promise<boolean> => {
    for (const { start, tunings } of own) {
      if (!(await makeStart(start, context, threads))) return false;
      for (const one of tunings) if (!(await runFineTuning(one, context, threads))) return false;
    }
    return true;
  };
}

const compare = (start: Start) => ({ start, tunings: fineTunings(start) });
const sweep = (start: Start) => ({ start, tunings: [sweepTuning(start)] });

/** F of each test document in percent, by type; a mean over seeds. */
async function valuesOf(
  tunings: readonly FineTuning[],
  part: 'dev' | 'test',
  scale: number,
): Promise<number[][]> {
  const { synopses } = await readPart(part);
  const all = await Promise.all(
    tunings.map(async (one) => {
      const { lines } = rouge(await summariesOf(one, part, scale), [synopses], { types: [...types] });
      return types.map((type) => lines[type]!.map(({ fmeasure }) => 100 * fmeasure));
    }),
  );
  return types.map((_, type) =>
    all[0][type].map((_, at) => all.reduce((sum, run) => sum + run[type][at], 0) / all.length),
  );
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

const cells = (values: readonly number[][]): string[] =>
  bootstrapMeans(values).map(
    ({ low, high }, type) => `${mean(values[type]).toFixed(2)} (${low.toFixed(1)} to ${high.toFixed(1)})`,
  );

/** ROUGE-1 with its interval. */
function plotted(name: string, [rouge1]: readonly number[][]): PlottedScore {
  const [{ low, high }] = bootstrapMeans([rouge1]);
  return { name, score: mean(rouge1), low, high };
}

/** Every start at one number of pairs, and what it gains over random weights. */
async function comparison(
  pairs: number,
  scale: number,
): Promise<{ rows: string[][]; scores: PlottedScore[] }> {
  const rows: string[][] = [];
  const scores: PlottedScore[] = [];
  let base: number[][] | undefined;
  for (const start of compared) {
    const tunings = seeds.map((seed) => ({ start, pairs, seed }));
    const values = await valuesOf(tunings, 'test', scale);
    const gains = base && [values[0].map((value, at) => value - base![0][at])];
    base ??= values;
    rows.push([titles[start], ...cells(values), gains ? cells(gains)[0] : '']);
    scores.push(plotted(titles[start], values));
  }
  return { rows, scores };
}

const header = ['start', 'ROUGE-1', 'ROUGE-2', 'ROUGE-L', 'ROUGE-1 over random weights'];

/** The start that is best on held-out pairs after 10,000: what is trained on all. */
async function bestStart(scale: number): Promise<Start> {
  let best: { start: Start; score: number } | undefined;
  for (const start of compared) {
    const values = await valuesOf(
      seeds.map((seed) => ({ start, pairs: 10_000, seed })),
      'dev',
      scale,
    );
    if (!best || mean(values[0]) > best.score) best = { start, score: mean(values[0]) };
  }
  return best!.start;
}

async function writePlot(name: string, svg: string): Promise<void> {
  await mkdir('docs/experiments', { recursive: true });
  await writeFile(`docs/experiments/summarization-${name}.svg`, `${svg}\n`);
}

async function page(best: Start, whole: FineTuning, scale: number): Promise<string> {
  const parts: string[] = [
    `A one-line synopsis from the description of a Debian package (48,413 training pairs, 1,740 held out, 1,959 for the test).`,
    `Every model is a Transformer of ${sizes.encoderLayers}+${sizes.decoderLayers} layers (UniLM: one stack of ${sizes.encoderLayers + sizes.decoderLayers}), d ${sizes.dModel}, with one vocabulary of 8,000; it is`,
    `pre-trained on the descriptions alone (4.2 million tokens) for ${updatesOf('mass', scale)} updates of at most 4,096 tokens, the same batches for`,
    'each objective, and fine-tuned alike. ROUGE F (no stemming, percent) on the test, the mean of two fine-tuning seeds, with 95 % bootstrap',
    'intervals over documents; the last column is the paired difference to random weights with its interval.',
  ];
  const series = [];
  for (const pairs of fewPairs) {
    const { rows, scores } = await comparison(pairs, scale);
    const label = `${pairs.toLocaleString('en')} pairs`;
    series.push({ label, scores });
    parts.push('', `## ${label}`, '', table(header, rows));
  }
  await writePlot('starts', startsPlot(series));
  parts.push('', '![ROUGE-1 by start, with 95 % intervals](summarization-starts.svg)');
  const sweepRows: string[][] = [];
  const points = [];
  for (const start of swept) {
    const values = await valuesOf([sweepTuning(start)], 'dev', scale);
    sweepRows.push([titles[start], ...cells(values)]);
    points.push({ ...plotted(start, values), share: starts[start].objective.fragmentShare });
  }
  await writePlot('sweep', sweepPlot(points));
  parts.push(
    '',
    '## All pairs',
    '',
    `The start that was best on held-out pairs after 10,000, ${titles[best]}, fine-tuned on all:`,
    '',
    table(header.slice(0, 4), [[titles[best], ...cells(await valuesOf([whole], 'test', scale))]]),
    '',
    '## Length of the fragment',
    '',
    `MASS with fragments of other lengths, pre-trained for ${updatesOf('mass50', scale)} updates each and fine-tuned on 1,000 pairs; held-out pairs,`,
    'as no choice is made on the test.',
    '',
    table(header.slice(0, 4), sweepRows),
    '',
    '![ROUGE-1 by the share of the text that is masked](summarization-sweep.svg)',
  );
  return parts.join('\n');
}

export const summarization: Experiment = {
  title: 'Summarization from few pairs',
  budgetMinutes: 240,
  parts: {
    a: lane([compare('mass'), compare('bertLm'), compare('random')]),
    b: lane([compare('bart'), compare('unilm'), sweep('mass50'), sweep('mass30'), sweep('mass70')]),
  },
  run: async (context) => {
    const best = await bestStart(context.scale);
    const whole = { start: best, pairs: allPairs, seed: 1 };
    if (!(await runFineTuning(whole, context, 2))) return undefined;
    return page(best, whole, context.scale);
  },
};
