import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { nodeFiles } from '../../src/node/files.js';
import {
  finetune,
  loadModel,
  parseFinetuneConfig,
  parsePretrainConfig,
  pretrain,
  saveTokenizer,
  trainVocabulary,
} from '../../src/node.js';
import { readTextFiles } from '../../src/text/trainVocabulary.js';
import { permutation } from '../../src/training/random.js';
import type { ExperimentContext } from './experiment.js';

/*
 * The runs of the summarization experiment: one size of model, one vocabulary, the same texts in the same batches for as many
 * updates, and only the objective differs; then the same fine-tuning for all.
 */

const root = 'runs/summarization';

/** Where the runs of a scale lie. */
const folder = (scale: number) => (scale === 1 ? root : `${root}/scale-${scale}`);

/** Package descriptions and their one-line synopses. */
const data = '../shared/data/debian';

const vocabulary = `${root}/tokenizer`;

/** Sizes of every model here: what two cores train in the time there is. */
export const sizes = {
  preset: 'tiny',
  encoderLayers: 3,
  decoderLayers: 2,
  dModel: 128,
  ffnDim: 512,
  attentionHeads: 4,
  dropout: 0.1,
  maxPositionEmbeddings: 512,
} as const;

/** Updates of a full pre-training at scale 1; about a thousand are one pass over the texts. */
const pretrainUpdates = 3000;

/** How models start. A share of 0 is one update, which has a learning rate of 0: random weights. */
export const starts = {
  random: { objective: { type: 'mass' }, share: 0 },
  bertLm: { objective: { type: 'bertLm' }, share: 1 },
  bart: { objective: { type: 'bart' }, share: 1 },
  mass: { objective: { type: 'mass' }, share: 1 },
  unilm: { objective: { type: 'unilm' }, share: 1 },
  mass30: { objective: { type: 'mass', fragmentShare: 0.3 }, share: 0.5 },
  mass50: { objective: { type: 'mass', fragmentShare: 0.5 }, share: 0.5 },
  mass70: { objective: { type: 'mass', fragmentShare: 0.7 }, share: 0.5 },
} as const;

/** UniLM reads and writes in one stack, of as many layers as encoder and decoder have together. */
function modelOf(start: Start) {
  if (start !== 'unilm') return sizes;
  const { decoderLayers, encoderLayers, ...rest } = sizes;
  return { ...rest, type: 'unilm', encoderLayers: encoderLayers + decoderLayers } as const;
}

/** Name of a way to start. */
export type Start = keyof typeof starts;

/** Updates that a start is pre-trained for. */
export function updatesOf(start: Start, scale: number): number {
  return Math.max(1, Math.round(pretrainUpdates * starts[start].share * scale));
}

const startOf = (start: Start, scale: number) => `${folder(scale)}/start-${start}`;

/** One vocabulary for all, learned from the training texts; made once. */
async function makeVocabulary(): Promise<string> {
  if ((await nodeFiles.size(`${vocabulary}/tokenizer.json`)) !== undefined) return vocabulary;
  const { lines } = await readTextFiles([`${data}/summaries.train.tsv.gz`]);
  const specialTokens = ['<pad>', '</s>', '<unk>', '<mask>'];
  const trained = await trainVocabulary(lines, { type: 'bpe', size: 8000, specialTokens });
  await saveTokenizer(vocabulary, trained, { modelMaxLength: sizes.maxPositionEmbeddings });
  return vocabulary;
}

/** Pre-trains a start, or resumes it; false where it was interrupted. */
export async function makeStart(
  start: Start,
  { scale, trainOptions }: ExperimentContext,
  threads: number,
): Promise<boolean> {
  const text = (set: string) => ({ text: `${data}/summaries.${set}.tsv.gz`, column: 1 });
  const config = parsePretrainConfig({
    output: startOf(start, scale),
    objectives: starts[start].objective,
    data: { train: text('train'), validation: text('dev') },
    vocabulary: { tokenizer: await makeVocabulary() },
    model: modelOf(start),
    schedule: { learningRate: 0.002, warmupUpdates: 500 },
    budget: { maxUpdates: updatesOf(start, scale) },
    checkpoints: { averageLast: 1 },
    threads,
  });
  return (await pretrain(config, trainOptions)).modelDirectory !== undefined;
}

/** One fine-tuning. */
export interface FineTuning {
  start: Start;
  /** Pairs learned from; all where it is more than there are. */
  pairs: number;
  seed: number;
}

/** Updates of a fine-tuning: about 20 passes over 1,000 pairs, 8 over 10,000, 5 over all. */
const fineTuningUpdates: Record<number, number> = { 1000: 500, 10000: 1800, 48000: 5000 };

/** Number that stands for all pairs. */
export const allPairs = 48_000;

/** Where a fine-tuning runs. */
export const runOf = ({ start, pairs, seed }: FineTuning, scale: number): string =>
  `${folder(scale)}/${start}-${pairs}-${seed}`;

/** Fine-tunes, or resumes; false where it was interrupted. */
export async function runFineTuning(
  one: FineTuning,
  { scale, trainOptions }: ExperimentContext,
  threads: number,
): Promise<boolean> {
  const maxUpdates = Math.max(1, Math.round(fineTuningUpdates[one.pairs] * scale));
  const config = parseFinetuneConfig({
    output: runOf(one, scale),
    init: `${startOf(one.start, scale)}/model`,
    data: {
      train: { tsv: await pairsFile(one.pairs) },
      validation: { tsv: `${data}/summaries.dev.tsv.gz` },
      maxSourceLength: 256,
      maxTargetLength: 64,
    },
    schedule: { learningRate: 0.001 },
    budget: { maxUpdates },
    validation: {
      everyUpdates: Math.max(1, Math.ceil(maxUpdates / 8)),
      metric: 'rougeL',
      maxSentences: 300,
      numBeams: 1,
    },
    generation: { numBeams: 4, maxNewTokens: 32, noRepeatNgramSize: 3 },
    seed: one.seed,
    threads,
  });
  return (await finetune(config, trainOptions)).modelDirectory !== undefined;
}

/** A random choice of training pairs, the same for every start and seed. */
async function pairsFile(count: number): Promise<string> {
  const whole = `${data}/summaries.train.tsv.gz`;
  if (count >= allPairs) return whole;
  const path = `${root}/pairs-${count}.tsv`;
  if ((await nodeFiles.size(path)) !== undefined) return path;
  const { lines } = await readTextFiles([whole], [0]);
  const targets = (await readTextFiles([whole], [1])).lines;
  const order = Array.from(permutation(lines.length, 1, 'summarization', 0)).slice(0, count);
  await mkdir(root, { recursive: true });
  await writeFile(path, order.map((at) => `${lines[at]}\t${targets[at]}\n`).join(''));
  return path;
}

/** A part of the data as it is evaluated on. */
export async function readPart(
  part: 'train' | 'dev' | 'test',
): Promise<{ bodies: string[]; synopses: string[] }> {
  const read = async (column: number) =>
    (await readTextFiles([`${data}/summaries.${part}.tsv.gz`], [column])).lines;
  return { bodies: await read(0), synopses: await read(1) };
}

/** What a fine-tuned model writes for a part, with the options that it was saved with; computed once, and kept beside it. */
export async function summariesOf(one: FineTuning, part: 'dev' | 'test', scale: number): Promise<string[]> {
  const path = `${runOf(one, scale)}/${part}.txt`;
  if ((await nodeFiles.size(path)) !== undefined)
    return (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  const model = await loadModel(`${runOf(one, scale)}/model`);
  const { bodies } = await readPart(part);
  const results = await model.generate(
    bodies.map((text) => ({ text })),
    {},
    { batchSize: 64 },
  );
  await model.dispose();
  const texts = results.map(({ sequences }) => (sequences[0].text ?? '').replaceAll('\n', ' '));
  await writeFile(path, texts.map((text) => `${text}\n`).join(''));
  return texts;
}
