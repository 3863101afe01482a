import { mkdir, writeFile } from 'node:fs/promises';
import MiniSearch from 'minisearch';
import { bootstrapMeans } from '../../eval/index.js';
import { embedTexts, loadModel, parsePretrainConfig, pretrain, similarity } from '../../src/node.js';
import { type Experiment, type ExperimentContext, table } from './experiment.js';
import { readPart } from './summarizationRuns.js';

/*
 * SimBERT on pairs that the data has: the beginning of a package's description and its synopsis. Judged by finding the right synopsis
 * among a thousand, beside BM25.
 */

const root = 'runs/similarity';

const folder = (scale: number) => (scale === 1 ? root : `${root}/scale-${scale}`);

/** Words of a description that are read. */
const wordsRead = 60;

/** Synopses that the right one is looked for among. */
const candidates = 1000;

/** Updates at scale 1; about a thousand are one pass over the pairs. */
const updates = 3000;

const beginning = (text: string) => text.split(' ').slice(0, wordsRead).join(' ');

async function writePairs(scale: number, part: 'train' | 'dev'): Promise<string> {
  const { bodies, synopses } = await readPart(part);
  const path = `${folder(scale)}/${part}.tsv`;
  await mkdir(folder(scale), { recursive: true });
  await writeFile(path, bodies.map((body, at) => `${beginning(body)}\t${synopses[at]}\n`).join(''));
  return path;
}

async function train({ scale, trainOptions }: ExperimentContext): Promise<boolean> {
  const config = parsePretrainConfig({
    output: `${folder(scale)}/simbert`,
    objectives: { type: 'simbert' },
    data: {
      pairs: { tsv: await writePairs(scale, 'train') },
      validationPairs: { tsv: await writePairs(scale, 'dev') },
      maxLength: 120,
    },
    vocabulary: { train: { type: 'wordpiece', size: 8000, lowercase: true } },
    model: {
      type: 'bert',
      preset: 'tiny',
      encoderLayers: 4,
      dModel: 128,
      ffnDim: 512,
      dropout: 0.1,
      maxPositionEmbeddings: 256,
    },
    schedule: { learningRate: 0.001, warmupUpdates: 500 },
    budget: { maxUpdates: Math.max(1, Math.round(updates * scale)) },
    checkpoints: { averageLast: 1 },
  });
  return (await pretrain(config, trainOptions)).modelDirectory !== undefined;
}

/** Place of the right candidate for each query, from 0. */
type Ranks = number[];

async function simbertRanks(directory: string, queries: string[], texts: string[]): Promise<Ranks> {
  const model = await loadModel(directory);
  const [asked, offered] = [await embedTexts(model, queries), await embedTexts(model, texts)];
  await model.dispose();
  return asked.map((query, right) => {
    const scores = offered.map((text) => similarity(query, text));
    return scores.filter((score, at) => at !== right && score >= scores[right]).length;
  });
}

function bm25Ranks(queries: string[], texts: string[]): Ranks {
  const index = new MiniSearch<{ id: number; text: string }>({ fields: ['text'] });
  index.addAll(texts.map((text, id) => ({ id, text })));
  return queries.map((query, right) => {
    const found = index.search(query, { combineWith: 'OR' });
    const own = found.find(({ id }) => id === right)?.score ?? 0;
    // A tie counts against it, and so do all that are not found where it is not found itself.
    if (own === 0) return texts.length - 1;
    return found.filter(({ id, score }) => id !== right && score >= own).length;
  });
}

const measures: [string, (rank: number) => number][] = [
  ['first', (rank) => (rank === 0 ? 100 : 0)],
  ['among the first 10', (rank) => (rank < 10 ? 100 : 0)],
  ['mean reciprocal rank', (rank) => 1 / (rank + 1)],
];

function rowOf(name: string, ranks: Ranks): string[] {
  const columns = measures.map(([, measure]) => ranks.map(measure));
  const digits = (at: number) => (at === 2 ? 3 : 1);
  return [
    name,
    ...bootstrapMeans(columns).map(({ low, high }, at) => {
      const mean = columns[at].reduce((sum, value) => sum + value, 0) / ranks.length;
      return `${mean.toFixed(digits(at))} (${low.toFixed(digits(at))} to ${high.toFixed(digits(at))})`;
    }),
  ];
}

export const similarityExperiment: Experiment = {
  title: 'SimBERT: finding the synopsis of a description',
  budgetMinutes: 60,
  run: async (context) => {
    if (!(await train(context))) return undefined;
    const { bodies, synopses } = await readPart('test');
    const queries = bodies.slice(0, candidates).map(beginning);
    const texts = synopses.slice(0, candidates);
    const simbert = await simbertRanks(`${folder(context.scale)}/simbert/model`, queries, texts);
    return [
      `SimBERT of 4 layers, d 128, trained from nothing for ${Math.round(updates * context.scale)} updates on pairs of a description's first ${wordsRead}`,
      `words and its synopsis. Each of the first ${candidates} descriptions of the test asks for its own among the ${candidates} synopses, by the cosine`,
      "of [CLS] vectors; BM25 is minisearch's (BM25+, its defaults). Percent of the descriptions, with 95 % bootstrap intervals.",
      '',
      table(
        ['by', ...measures.map(([name]) => name)],
        [rowOf('SimBERT', simbert), rowOf('BM25', bm25Ranks(queries, texts))],
      ),
    ].join('\n');
  },
};
