import { nodeFiles } from '../../src/node/files.js';
import { parsePretrainConfig, pretrain, saveTokenizer, trainVocabulary } from '../../src/node.js';
import { readTextFiles } from '../../src/text/trainVocabulary.js';
import type { ExperimentContext } from './experiment.js';

/*
 * The pre-training runs of the summarization experiment: one architecture, one vocabulary, the same texts in the same batches for
 * as many updates, and only the objective differs.
 */

/** Where everything of the experiment lies. */
export const root = 'runs/summarization';

/** Package descriptions and their one-line synopses. */
export const data = '../shared/data/debian';

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

/** Pre-trainings by name: which objective, and the share of the full budget. */
export const pretrainings = {
  bertLm: { objective: { type: 'bertLm' }, share: 1 },
  bart: { objective: { type: 'bart' }, share: 1 },
  mass: { objective: { type: 'mass' }, share: 1 },
  mass30: { objective: { type: 'mass', fragmentShare: 0.3 }, share: 0.5 },
  mass50: { objective: { type: 'mass', fragmentShare: 0.5 }, share: 0.5 },
  mass70: { objective: { type: 'mass', fragmentShare: 0.7 }, share: 0.5 },
} as const;

/** Name of a pre-training. */
export type Pretraining = keyof typeof pretrainings;

/** The directory of the model that a pre-training ends with. */
export const pretrainedModel = (name: Pretraining): string => `${root}/pretrain-${name}/model`;

/** One vocabulary for all, learned from the training texts; made once. */
export async function makeVocabulary(): Promise<string> {
  if ((await nodeFiles.size(`${vocabulary}/tokenizer.json`)) !== undefined) return vocabulary;
  const { lines } = await readTextFiles([`${data}/summaries.train.tsv.gz`]);
  const specialTokens = ['<pad>', '</s>', '<unk>', '<mask>'];
  const trained = await trainVocabulary(lines, { type: 'bpe', size: 8000, specialTokens });
  await saveTokenizer(vocabulary, trained, { modelMaxLength: sizes.maxPositionEmbeddings });
  return vocabulary;
}

/** Runs one pre-training, or resumes it; false where it was interrupted. */
export async function runPretraining(
  name: Pretraining,
  { scale, trainOptions }: ExperimentContext,
  threads: number,
): Promise<boolean> {
  const { objective, share } = pretrainings[name];
  const text = (set: string) => ({ text: `${data}/summaries.${set}.tsv.gz`, column: 1 });
  const config = parsePretrainConfig({
    output: `${root}/pretrain-${name}`,
    objectives: objective,
    data: { train: text('train'), validation: text('dev') },
    vocabulary: { tokenizer: await makeVocabulary() },
    model: sizes,
    schedule: { learningRate: 0.002, warmupUpdates: 500 },
    budget: { maxUpdates: Math.round(pretrainUpdates * share * scale) },
    checkpoints: { averageLast: 1 },
    threads,
  });
  return (await pretrain(config, trainOptions)).modelDirectory !== undefined;
}
