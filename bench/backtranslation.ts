import { setTimeout as sleep } from 'node:timers/promises';
import { type XlmTranslatorConfig, xlmTranslator } from '../src/decoder/xlm.js';
import type { ParameterSpec } from '../src/engine/parameters.js';
import { writeSafetensors } from '../src/pretrained/safetensors.js';
import { createDraws } from '../src/pretraining/draws.js';
import { massOptionsSchema } from '../src/pretraining/mass.js';
import { initialWeights } from '../src/training/initialize.js';
import { compileTrainStep, trainableParameters } from '../src/training/step.js';
import type { TrainBatch, TrainStep } from '../src/training/trainStep.js';
import { type Generate, translationBatches, translationObjectives } from '../src/xlm/translation/batches.js';
import {
  createLiveTranslator,
  sourceOf,
  type TranslatorIds,
  textRoom,
} from '../src/xlm/translation/liveTranslator.js';
import { planRounds, type Rounds, type TranslationTask } from '../src/xlm/translation/tasks.js';
import {
  type BenchOptions,
  noteDisturbance,
  peersScript,
  reportPeakMemory,
  roundOptions,
  withTemporaryDirectory,
} from './bench.js';
import { peerVersions } from './decodePeers.js';
import { type Peer, type PeerReply, startPeer } from './peer.js';
import { benchSeed, modelFile } from './randomModel.js';
import { measureRounds, ownCpuMs, type Side } from './rounds.js';
import { median, type Report, rounded, timedRow } from './rows.js';
import { learningRate, optimizer } from './trainWork.js';

/** What is trained: a translator of two languages, and its texts. */
export interface BackTranslationDesign {
  config: XlmTranslatorConfig;
  sentences: number;
  /** Tokens of the shortest and the longest text. */
  lengths: readonly [number, number];
  /** Rounds of batches, gone through again and again. */
  rounds: number;
}

/** 3 + 3 layers, d 256, vocabulary 8,000: what learns captions on a CPU. */
export const backTranslationDesign: BackTranslationDesign = {
  config: {
    vocabSize: 8000,
    embDim: 256,
    nLayers: 3,
    decoderLayers: 3,
    nHeads: 4,
    dropout: 0,
    attentionDropout: 0,
    geluActivation: true,
    sinusoidalEmbeddings: false,
    causal: false,
    nLangs: 2,
    useLangEmb: true,
    maxPositionEmbeddings: 64,
    embedInitStd: 256 ** -0.5,
    layerNormEps: 1e-12,
    tieWordEmbeddings: true,
    shareEmbeddings: true,
    firstLanguageId: 4,
  },
  sentences: 32,
  lengths: [8, 24],
  rounds: 3,
};

const ids: TranslatorIds = {
  padTokenId: 0,
  eosTokenId: 1,
  languages: new Map([
    ['a', 4],
    ['b', 5],
  ]),
};

const firstWord = 10;

/** Where a round's time went, in milliseconds. */
interface RoundParts {
  generation: number;
  training: number;
  data: number;
}

/** A round of unsupervised translation: denoising and back-translation of two languages, four updates and two translations. */
export async function benchBackTranslation(
  options: BenchOptions,
  report: Report,
  design: BackTranslationDesign = backTranslationDesign,
): Promise<void> {
  const decoder = xlmTranslator(design.config);
  const { translation } = translationObjectives(decoder, 0);
  const specs = trainableParameters(translation);
  const weights = initialWeights(specs, benchSeed);
  const plan = planOf(design);
  await withTemporaryDirectory(async (directory) => {
    const step = await compileTrainStep({ translation }, weights, { threads: options.threads, optimizer });
    const translator = createLiveTranslator(decoder, step, ids, textRoom(decoder, 1), {
      threads: options.threads,
    });
    // Random weights do not end a text: outputs are made as long as what they translate.
    const generate: Generate = (texts, direction) => {
      const length = Math.max(...texts.map((text) => text.length)) + 1;
      return translator.translate(texts, direction, { minNewTokens: length, maxNewTokens: length });
    };
    let peer: Peer | undefined;
    try {
      if (options.peers) {
        peer = startPeer(options.peers, [peersScript, String(options.threads)]);
        report.note(await peerVersions(peer));
        await writeWeights(directory, specs, weights);
        await openPeer(peer, modelFile(directory), design, plan);
      }
      await measure({ step, plan, generate, design, peer }, options, report);
    } finally {
      step.dispose();
      await translator.release();
      // The step's programs go behind a promise.
      await sleep(0);
      await peer?.close();
    }
    reportPeakMemory(report, 'backtranslation');
  });
}

/** Texts of two languages and the order of their tasks. */
function planOf({ config, sentences, lengths, rounds }: BackTranslationDesign): Rounds {
  const [shortest, longest] = lengths;
  const textsOf = (language: string) =>
    Array.from({ length: sentences * rounds }, (_, at) => {
      const draws = createDraws(benchSeed, `texts ${language}`, 0, at);
      const text = Int32Array.from(
        { length: shortest + draws.below(longest - shortest + 1) },
        () => firstWord + draws.below(config.vocabSize - firstWord),
      );
      return { source: text, target: text };
    });
  const [a, b] = [textsOf('a'), textsOf('b')];
  const weight = [[0, 1]] as const;
  const tasks: { task: TranslationTask; examples: typeof a }[] = [
    { task: { type: 'denoise', language: 'a' }, examples: a },
    { task: { type: 'denoise', language: 'b' }, examples: b },
    { task: { type: 'backTranslate', direction: { from: 'b', to: 'a' } }, examples: a },
    { task: { type: 'backTranslate', direction: { from: 'a', to: 'b' } }, examples: b },
  ];
  return planRounds(
    tasks.map((task) => ({ ...task, weight })),
    {
      seed: benchSeed,
      maxTokens: 100_000,
      maxSentences: sentences,
      maxLength: longest,
      sortWindow: 100_000,
      lengthMultiple: 1,
    },
  );
}

function batchesOf(plan: Rounds, generate: Generate, { vocabSize }: XlmTranslatorConfig) {
  return translationBatches(plan, {
    seed: benchSeed,
    ids,
    noise: { shuffle: 3, dropout: 0.1, blank: 0.1 },
    mass: massOptionsSchema.parse({}),
    facts: {
      vocabSize,
      padTokenId: 0,
      maskTokenId: 3,
      prefix: [],
      suffix: [1],
      startsWord: new Uint8Array(vocabSize).fill(1),
      endsSentence: new Uint8Array(vocabSize),
      ordinary: Int32Array.from({ length: vocabSize - firstWord }, (_, at) => at + firstWord),
    },
    lengthMultiple: 1,
    summed: false,
    generate,
  });
}

interface Work {
  step: TrainStep;
  plan: Rounds;
  generate: Generate;
  design: BackTranslationDesign;
  peer?: Peer;
}

/** The first runs are slow: ONNX Runtime's memory grows. */
const warmUps = 3;

const tasksOfRound = 4;

async function measure(
  { step, plan, generate, design, peer }: Work,
  options: BenchOptions,
  report: Report,
): Promise<void> {
  const { build, count } = batchesOf(plan, generate, design.config).epoch(0);
  const own: RoundParts[] = [];
  const theirs: RoundParts[] = [];
  let update = 0;
  let losses: number[] = [];
  const run = async () => {
    const parts: RoundParts = { generation: 0, training: 0, data: 0 };
    losses = [];
    for (let task = 0; task < tasksOfRound; task++) {
      const started = performance.now();
      const batch = await build(update % count);
      const made = performance.now();
      const which = { seed: benchSeed, update: ++update, micro: 0 };
      losses.push((await step.update(batch, { ...which, learningRate, accumulatedTokens: 0 })).loss);
      const generation = 1000 * (batch.seconds?.generation ?? 0);
      parts.generation += generation;
      parts.data += made - started - generation;
      parts.training += performance.now() - made;
    }
    own.push(parts);
    return parts.generation + parts.training + parts.data;
  };
  const sides: Side[] = [{ name: 'polybeam', cpuMs: ownCpuMs, run }];
  if (peer) {
    await run();
    const reply = await askRound(peer, theirs);
    noteLosses(report, losses, reply.losses as number[]);
    sides.push({
      name: 'pytorch eager float32',
      cpuMs: peer.cpuMs,
      run: async () => (await askRound(peer, theirs)).ms as number,
    });
  }
  const { times, disturbance } = await measureRounds(sides, roundOptions(options, warmUps));
  noteDisturbance(report, caseName, disturbance);
  reportRound(report, times, own.slice(-options.rounds), theirs.slice(-options.rounds));
}

const caseName = 'round: 4 updates, 2 translations';

async function askRound(peer: Peer, parts: RoundParts[]): Promise<PeerReply> {
  const reply = await peer.ask({ op: 'translationRound' });
  parts.push({ generation: reply.generation as number, training: reply.training as number, data: 0 });
  return reply;
}

function reportRound(
  report: Report,
  times: readonly number[][],
  own: readonly RoundParts[],
  theirs: readonly RoundParts[],
): void {
  const peerOf = (values: readonly number[] | undefined) =>
    values && values.length > 0 ? { peer: { name: 'pytorch eager float32', times: values } } : {};
  report.row(timedRow({ bench: 'backtranslation', case: caseName, times: times[0], ...peerOf(times[1]) }));
  const whole = median(times[0]);
  for (const part of ['generation', 'training', 'data'] as const) {
    const row = timedRow({
      bench: 'backtranslation',
      case: `of it ${part}`,
      times: own.map((parts) => parts[part]),
      ...(part === 'data' ? {} : peerOf(theirs.map((parts) => parts[part]))),
    });
    report.row({ ...row, row: { ...row.row, share: row.row.ms! / whole } });
  }
  const [generation, training] = (['generation', 'training'] as const).map((part) =>
    median(own.map((parts) => parts[part])),
  );
  // Two of the four updates learn from what was generated.
  const share = generation / (generation + training / 2);
  report.row({ row: { bench: 'backtranslation', case: 'generation in a step of back-translation', share } });
}

/** Says so where the two sides did not compute the same. */
function noteLosses(report: Report, own: readonly number[], theirs: readonly number[]): void {
  const shown = (losses: readonly number[]) => losses.map(rounded).join(', ');
  const apart = own.some((loss, at) => Math.abs(loss - theirs[at]) > 2e-3 * loss);
  report.note(
    apart
      ? `warning: losses differ: polybeam ${shown(own)}, peer ${shown(theirs)}`
      : `losses agree: ${shown(own)}`,
  );
}

async function writeWeights(
  directory: string,
  specs: readonly ParameterSpec[],
  weights: ReadonlyMap<string, Float32Array>,
): Promise<void> {
  const tensors = specs.map(({ name, shape }) => {
    const data = () => new Uint8Array(weights.get(name)!.slice().buffer);
    return { name, format: 'F32', shape, data } as const;
  });
  await writeSafetensors(modelFile(directory), tensors);
}

/** Gives the peer the batches of all rounds: denoising as it is fed, back-translation as the texts and their sources. */
async function openPeer(
  peer: Peer,
  weights: string,
  { config }: BackTranslationDesign,
  plan: Rounds,
): Promise<void> {
  const noisy = batchesOf(plan, async (texts) => texts.map((text) => Array.from(text)), config).epoch(0);
  const planned = plan.epoch(0);
  const batches: object[] = [];
  for (let index = 0; index < planned.count; index++) {
    const { task, padded } = planned.batch(index);
    if (task.type !== 'backTranslate') {
      batches.push({ feeds: plainFeeds(await noisy.build(index)) });
      continue;
    }
    const { from, to } = task.direction;
    const texts = padded.pairs.map(({ target }) => Array.from(target));
    batches.push({
      texts,
      sources: texts.map((text) => sourceOf(text, { from: to, to: from }, ids)),
      languages: [ids.languages.get(to), ids.languages.get(from)],
    });
  }
  await peer.ask({ op: 'openTranslation', weights, config, batches, optimizer, learningRate });
}

function plainFeeds({ feeds }: TrainBatch): object {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { shape, data }]) => [name, { shape, data: [...data] }]),
  );
}
