import { join } from 'node:path';
import { transformerPresets } from '../src/encoder/transformer.js';
import type { WeightStore } from '../src/engine/weights.js';
import { sinusoidalPositions } from '../src/nn/positions.js';
import { trainableParameters } from '../src/training/step.js';
import {
  type BenchOptions,
  type NamedCase,
  noteDisturbance,
  peersScript,
  reportPeakMemory,
  roundOptions,
  selectCases,
  withTemporaryDirectory,
} from './bench.js';
import { peerVersions } from './decodePeers.js';
import { profilePrefix, reportOperators } from './operators.js';
import { type Peer, type PeerReply, peerSide, startPeer } from './peer.js';
import { modelFile, writeRandomModel } from './randomModel.js';
import { measureRounds, ownSide } from './rounds.js';
import { type Report, timedRow } from './rows.js';
import {
  encoderLanguageModel,
  learningRate,
  openGradients,
  openUpdate,
  optimizer,
  randomBatch,
  type StepNumbers,
  type TrainDesign,
} from './trainWork.js';

/** 4 layers of Transformer-base with a vocabulary of 8,000, on 8 x 64 tokens. */
export const trainDesign: TrainDesign = {
  config: {
    vocabSize: 8000,
    decoderVocabSize: 8000,
    ...transformerPresets.base,
    encoderLayers: 4,
    maxPositionEmbeddings: 64,
    activationFunction: 'relu',
    scaleEmbedding: true,
    shareEncoderDecoderEmbeddings: true,
    tieWordEmbeddings: true,
    dropout: 0,
    attentionDropout: 0,
    activationDropout: 0,
    initStd: transformerPresets.base.dModel ** -0.5,
  },
  batch: 8,
  length: 64,
};

/** What a step does. */
interface TrainCase extends NamedCase {
  update: boolean;
  open: typeof openGradients;
}

const trainCases: TrainCase[] = [
  { name: 'float32 forward and backward', update: false, open: openGradients },
  { name: 'float32 forward, backward, clipping and AdamW', update: true, open: openUpdate },
];

/** A training step: milliseconds per batch in steady state. */
export async function benchTrain(
  options: BenchOptions,
  report: Report,
  design: TrainDesign = trainDesign,
): Promise<void> {
  const cases = selectCases(trainCases, options.case);
  await withTemporaryDirectory(async (directory) => {
    const specs = trainableParameters(encoderLanguageModel(design.config));
    const weights = await readAll(await writeRandomModel(directory, design.config, specs));
    if (options.operators) {
      for (const one of cases) await profileCase(design, one, weights, options, report);
      return;
    }
    let peer: Peer | undefined;
    try {
      if (options.peers) {
        peer = startPeer(options.peers, [peersScript, String(options.threads)]);
        report.note(await peerVersions(peer));
        await openPeer(peer, modelFile(directory), design);
      }
      for (const one of cases) await measureCase(design, one, weights, options, report, peer);
    } finally {
      await peer?.close();
    }
    reportPeakMemory(report, 'train');
  });
}

async function readAll(store: WeightStore): Promise<Map<string, Float32Array>> {
  const weights = new Map<string, Float32Array>();
  for (const name of store.names()) weights.set(name, await store.read(name));
  return weights;
}

/** The first runs are slow: ONNX Runtime's memory grows. */
const warmUps = 3;

async function measureCase(
  design: TrainDesign,
  one: TrainCase,
  weights: ReadonlyMap<string, Float32Array>,
  options: BenchOptions,
  report: Report,
  peer: Peer | undefined,
): Promise<void> {
  const work = await one.open(design, weights, { threads: options.threads });
  const sides = [ownSide(work.run)];
  if (peer) {
    const request = { op: 'train', update: one.update };
    await work.run();
    noteAgreement(report, one.name, work.numbers(), (await peer.ask(request)) as PeerReply & StepNumbers);
    sides.push(peerSide(peer, 'pytorch eager float32', request));
  }
  const { times, disturbance } = await measureRounds(sides, roundOptions(options, warmUps));
  await work.dispose();
  noteDisturbance(report, one.name, disturbance);
  report.row(
    timedRow({
      bench: 'train',
      case: one.name,
      times: times[0],
      ...(peer ? { peer: { name: sides[1].name, times: times[1] } } : {}),
    }),
  );
}

/** Relative difference at which the sides no longer do the same work. */
const tolerated = 1e-3;

/** Says how far the sides' numbers are apart, and warns where they do not do the same work. */
export function noteAgreement(report: Report, name: string, own: StepNumbers, theirs: StepNumbers): void {
  for (const key of ['loss', 'gradientNorm'] as const) {
    const [a, b] = [own[key], theirs[key]];
    const warning = Math.abs(a - b) > tolerated * Math.abs(b) ? 'warning: ' : '';
    report.note(`${warning}${name}: ${key} ${a.toPrecision(6)}, pytorch's ${b.toPrecision(6)}`);
  }
}

async function openPeer(peer: Peer, weights: string, design: TrainDesign): Promise<void> {
  const { batch, length, config } = design;
  const { inputIds, labels } = randomBatch(design);
  await peer.ask({
    op: 'openTraining',
    weights,
    config,
    batch,
    length,
    positions: [...sinusoidalPositions(length, config.dModel)],
    inputIds: [...inputIds],
    labels: [...labels],
    optimizer,
    learningRate,
  });
}

/** Runs a case with ONNX Runtime's profile on; the first half of the runs is warm-up. */
async function profileCase(
  design: TrainDesign,
  one: TrainCase,
  weights: ReadonlyMap<string, Float32Array>,
  { threads }: BenchOptions,
  report: Report,
): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const work = await one.open(design, weights, { threads, profile: join(directory, profilePrefix) });
    for (let i = 0; i < 4; i++) await work.run();
    await work.dispose();
    reportOperators(report, { bench: 'train', case: one.name, directory, skipped: 1 / 2 });
  });
}
