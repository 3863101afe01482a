import { access, readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { corpusBleu } from '../../eval/index.js';
import {
  type LoadOptions,
  loadModel,
  type Model,
  type ShortlistOptions,
  trainShortlist,
} from '../../src/node.js';
import { type Experiment, table } from './experiment.js';
import { captions, runOf } from './multi30k.js';

/* What makes decoding faster costs: sacreBLEU of trained models with rounded weights, and with shortlists. */

/** A trained model, and what it was trained and is tested on. */
interface Trained {
  name: string;
  directory: string;
  to: string;
  train: Pairs;
  test: Pairs;
  lowercase: boolean;
}

interface Pairs {
  source: string[];
  target: string[];
}

/** Ways to decode that are faster than float32. */
const ways: readonly { name: string; load: LoadOptions; shortlist?: ShortlistOptions }[] = [
  { name: 'float32', load: { weightPrecision: 'float32' } },
  { name: 'int8', load: { weightPrecision: 'int8' } },
  { name: 'int4', load: { weightPrecision: 'int4' } },
  { name: 'float32, shortlist', load: { weightPrecision: 'float32' }, shortlist: {} },
  {
    name: 'float32, shortlist of 50',
    load: { weightPrecision: 'float32' },
    shortlist: { targetsPerToken: 50, minProbability: 0.0001 },
  },
];

async function softwarePairs(part: string): Promise<Pairs> {
  const packed = await readFile(`../shared/data/debian/en-fr.${part}.tsv.gz`);
  const rows = gunzipSync(packed)
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .map((row) => row.split('\t'));
  return { source: rows.map(([source]) => source), target: rows.map(([, target]) => target) };
}

const software = async (): Promise<Trained> => ({
  name: '`models/en-fr-software`, its test set (2,648 pairs)',
  directory: 'models/en-fr-software',
  to: 'fr',
  train: await softwarePairs('train'),
  test: await softwarePairs('test'),
  lowercase: false,
});

async function multi30k(to: 'de' | 'fr'): Promise<Trained> {
  const pairs = async (part: string) => ({
    source: await captions(`${part}.en`),
    target: await captions(`${part}.${to}`),
  });
  return {
    name: `Multi30k en-${to}, test2016 (1,000 pairs, lower-cased)`,
    directory: `${runOf(to)}/model`,
    to,
    train: await pairs('train'),
    test: await pairs('test2016'),
    lowercase: true,
  };
}

async function bleuOf({ test, to, lowercase }: Trained, model: Model, shortlist?: Shortlist) {
  const batching = { numBeams: 4, batchSize: 16 };
  const hypotheses = await model.translate(test.source, { to, ...batching, ...(shortlist && { shortlist }) });
  return corpusBleu(hypotheses, [test.target], { lowercase }).score;
}

type Shortlist = Awaited<ReturnType<typeof trainShortlist>>;

async function rowOf(trained: Trained): Promise<string[]> {
  const scores: number[] = [];
  for (const { load, shortlist } of ways) {
    const model = await loadModel(trained.directory, load);
    const { source, target } = trained.train;
    const list = shortlist && (await trainShortlist(source, target, model.tokenizer!, shortlist));
    scores.push(await bleuOf(trained, model, list));
    await model.dispose();
  }
  const [exact, ...others] = scores;
  const lost = (score: number) => `${score.toFixed(2)} (${(score - exact).toFixed(2)})`;
  return [trained.name, exact.toFixed(2), ...others.map(lost)];
}

export const precision: Experiment = {
  title: 'Weight precisions and shortlists',
  budgetMinutes: 15,
  run: async () => {
    for (const to of ['de', 'fr'] as const) {
      await access(`${runOf(to)}/model`).catch(() => {
        throw new Error(`${runOf(to)}/model is not there: npm run experiment -- multi30k trains it.`);
      });
    }
    const rows: string[][] = [];
    for (const trained of [await software(), await multi30k('de'), await multi30k('fr')])
      rows.push(await rowOf(trained));
    return [
      'sacreBLEU of one checkpoint, beam 4, decoded with weights as they are, with int8 weights and activations, with int4',
      'weights in blocks, and with [shortlists](../guides/generation.md#lexical-shortlists) in batches of 16; in parentheses the difference',
      'from float32. The weights of `models/en-fr-software` are stored as int8, which float32 computes with as they are. Shortlists are',
      'learned from the training pairs: 20 targets a source token of a probability of 0.001 at least (the default), or 50 of 0.0001.',
      '',
      table(['model', ...ways.map(({ name }) => name)], rows),
    ].join('\n');
  },
};
