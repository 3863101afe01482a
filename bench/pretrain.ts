import { setTimeout as sleep } from 'node:timers/promises';
import { transformer } from '../src/decoder/transformer.js';
import { type TransformerConfig, transformerPresets } from '../src/encoder/transformer.js';
import type { WeightStore } from '../src/engine/weights.js';
import { sinusoidalPositions } from '../src/nn/positions.js';
import { createPretrainingBatches } from '../src/pretraining/batches.js';
import { createDraws } from '../src/pretraining/draws.js';
import { mass, massOptionsSchema } from '../src/pretraining/mass.js';
import type { PretrainingObjective } from '../src/pretraining/objective.js';
import type { VocabularyFacts } from '../src/pretraining/vocabularyFacts.js';
import { compileTrainStep } from '../src/training/step.js';
import type { TrainBatch } from '../src/training/trainStep.js';
import {
  type BenchOptions,
  noteDisturbance,
  peersScript,
  reportPeakMemory,
  roundOptions,
  withTemporaryDirectory,
} from './bench.js';
import { peerVersions } from './decodePeers.js';
import { type Peer, type PeerReply, peerSide, startPeer } from './peer.js';
import { benchSeed, modelFile, padTokenOf, transformerWeights, writeRandomModel } from './randomModel.js';
import { measureRounds, ownSide } from './rounds.js';
import { type Report, rounded, timedRow } from './rows.js';
import { noteAgreement } from './train.js';
import { learningRate, optimizer, type StepNumbers } from './trainWork.js';

/** What is pre-trained: an encoder-decoder, MASS on texts of varied length. */
export interface PretrainDesign {
  config: TransformerConfig;
  /** Texts whose batches are made. */
  texts: number;
  maxTokens: number;
  maxLength: number;
}

/** The preset `small` of the training configuration with a vocabulary of 8,000, batches of 4,096 tokens. */
export const pretrainDesign: PretrainDesign = {
  config: {
    vocabSize: 8000,
    decoderVocabSize: 8000,
    ...transformerPresets.small,
    maxPositionEmbeddings: 512,
    activationFunction: 'relu',
    scaleEmbedding: true,
    shareEncoderDecoderEmbeddings: true,
    tieWordEmbeddings: true,
    dropout: 0,
    attentionDropout: 0,
    activationDropout: 0,
    initStd: transformerPresets.small.dModel ** -0.5,
  },
  texts: 20_000,
  maxTokens: 4096,
  maxLength: 126,
};

/** A MASS update, what making its batch takes beside it, and how much of the batches of an epoch is padding. */
export async function benchPretrain(
  options: BenchOptions,
  report: Report,
  design: PretrainDesign = pretrainDesign,
): Promise<void> {
  const objective = massOf(design.config);
  const batches = makeBatches(design, objective).epoch(0);
  const batch = batches.build(0);
  await withTemporaryDirectory(async (directory) => {
    const store = await writeRandomModel(directory, design.config, transformerWeights(design.config));
    const step = await compileTrainStep(objective.loss, await readAll(store), {
      threads: options.threads,
      optimizer,
    });
    let peer: Peer | undefined;
    try {
      if (options.peers) {
        peer = startPeer(options.peers, [peersScript, String(options.threads)]);
        report.note(await peerVersions(peer));
        await openPeer(peer, modelFile(directory), design, batch);
      }
      const stepMs = await measureUpdate(step, batch, options, report, peer);
      reportBatches(batches, stepMs, report);
    } finally {
      step.dispose();
      // Its programs go behind a promise.
      await sleep(0);
      await peer?.close();
    }
    reportPeakMemory(report, 'pretrain');
  });
}

function massOf(config: TransformerConfig): PretrainingObjective {
  return mass(transformer(config), factsOf(config), massOptionsSchema.parse({}));
}

/** Ids stand for themselves: the last is padding, the two before it end and mask. */
function factsOf(config: TransformerConfig): VocabularyFacts & { decoderStartTokenId: number } {
  const padTokenId = padTokenOf(config);
  const [endId, maskTokenId] = [padTokenId - 1, padTokenId - 2];
  return {
    vocabSize: config.vocabSize,
    padTokenId,
    maskTokenId,
    prefix: [],
    suffix: [endId],
    startsWord: new Uint8Array(config.vocabSize).fill(1),
    endsSentence: new Uint8Array(config.vocabSize),
    ordinary: Int32Array.from({ length: maskTokenId }, (_, id) => id),
    decoderStartTokenId: padTokenId,
  };
}

/** Texts of 8 tokens to `maxLength`, short ones more often, of random ids. */
function makeBatches(
  { config, texts, maxTokens, maxLength }: PretrainDesign,
  objective: PretrainingObjective,
) {
  const { ordinary } = factsOf(config);
  const text = Array.from({ length: texts }, (_, at) => {
    const draws = createDraws(benchSeed, 'texts', 0, at);
    const length = Math.floor(
      Math.min(8, maxLength) + (maxLength - Math.min(8, maxLength)) * draws.uniform() ** 1.5,
    );
    return Int32Array.from({ length: Math.max(2, length) }, () => ordinary[draws.below(ordinary.length)]);
  });
  const batching = {
    seed: benchSeed,
    maxTokens,
    maxLength,
    sortWindow: 20_000,
    lengthMultiple: 4,
    accumulate: 1,
  };
  return createPretrainingBatches({ text }, [{ name: 'mass', weight: 1, objective }], batching);
}

async function readAll(store: WeightStore): Promise<Map<string, Float32Array>> {
  const weights = new Map<string, Float32Array>();
  for (const name of store.names()) weights.set(name, await store.read(name));
  return weights;
}

/** The first runs are slow: ONNX Runtime's memory grows. */
const warmUps = 3;

const caseName = 'float32 MASS update';

/** Times an update beside the peer's; polybeam's median in ms. */
async function measureUpdate(
  step: Awaited<ReturnType<typeof compileTrainStep>>,
  { task: _, ...batch }: TrainBatch,
  options: BenchOptions,
  report: Report,
  peer: Peer | undefined,
): Promise<number> {
  let update = 0;
  let numbers: StepNumbers = { loss: Number.NaN, gradientNorm: Number.NaN };
  const run = async () => {
    const which = { seed: benchSeed, update: ++update, micro: 0 };
    numbers = await step.update(batch, { ...which, learningRate, accumulatedTokens: 0 });
  };
  const sides = [ownSide(run)];
  if (peer) {
    const request = { op: 'pretrain' };
    await run();
    noteAgreement(report, caseName, numbers, (await peer.ask(request)) as PeerReply & StepNumbers);
    sides.push(peerSide(peer, 'pytorch eager float32', request));
  }
  const { times, disturbance } = await measureRounds(sides, roundOptions(options, warmUps));
  noteDisturbance(report, caseName, disturbance);
  const row = timedRow({
    bench: 'pretrain',
    case: caseName,
    times: times[0],
    ...(peer ? { peer: { name: sides[1].name, times: times[1] } } : {}),
  });
  report.row(row);
  return row.row.ms!;
}

/** Batches whose making is timed. */
const timedBatches = 100;

function reportBatches(
  batches: { count: number; build(index: number): TrainBatch },
  stepMs: number,
  report: Report,
): void {
  const count = Math.min(timedBatches, batches.count);
  const times: number[] = [];
  let computed = 0;
  let real = 0;
  for (let index = 0; index < count; index++) {
    const start = performance.now();
    const { feeds, sourceTokens, targetTokens } = batches.build(index);
    times.push(performance.now() - start);
    computed += feeds.inputIds.data.length + feeds.decoderInputIds.data.length;
    real += sourceTokens + targetTokens;
  }
  const row = timedRow({ bench: 'pretrain', case: 'making a batch', times });
  report.row({ ...row, row: { ...row.row, share: row.row.ms! / stepMs } });
  report.row({
    row: { bench: 'pretrain', case: 'padding of batches', share: 1 - real / computed },
  });
  report.note(`making a batch takes ${rounded((100 * row.row.ms!) / stepMs)} % of the time of its update`);
}

async function openPeer(
  peer: Peer,
  weights: string,
  { config }: PretrainDesign,
  { feeds, targetTokens }: TrainBatch,
): Promise<void> {
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([name, { shape, data }]) => [name, { shape, data: [...data] }]),
  );
  await peer.ask({
    op: 'openPretraining',
    weights,
    config,
    positions: [...sinusoidalPositions(config.maxPositionEmbeddings, config.dModel)],
    inputs,
    targetTokens,
    optimizer,
    learningRate,
  });
}
