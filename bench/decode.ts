import { join } from 'node:path';
import type { EncoderDecoder } from '../src/decoder/encoderDecoder.js';
import { createStepModel, type SequenceModel } from '../src/decoder/stepModel.js';
import { transformer } from '../src/decoder/transformer.js';
import { type TransformerConfig, transformerPresets } from '../src/encoder/transformer.js';
import type { WeightPrecision } from '../src/engine/quantize.js';
import type { WeightStore } from '../src/engine/weights.js';
import { type AssistantModel, assistance } from '../src/generation/assistant.js';
import { generate } from '../src/generation/generate.js';
import type { GenerationInput } from '../src/generation/inputs.js';
import { resolveGenerationOptions } from '../src/generation/options.js';
import type { GeneratedSequence } from '../src/generation/selector.js';
import { threefry } from '../src/training/random.js';
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
import {
  chooseTranslator,
  convertModel,
  type DecodePeer,
  type DecodeRequest,
  openDecodePeers,
  versionsOf,
} from './decodePeers.js';
import { profilePrefix, reportOperators } from './operators.js';
import { type Peer, startPeer } from './peer.js';
import { benchSeed, padTokenOf, transformerWeights, writeRandomModel } from './randomModel.js';
import { measureRounds, ownSide, type Side } from './rounds.js';
import { type Report, timedRow } from './rows.js';

/** What is decoded: a model, and sentences that all run to the same length. */
export interface DecodeDesign {
  config: TransformerConfig;
  sourceTokens: number;
  /** New tokens of every sentence; times are per step. */
  steps: number;
}

/** A batch of sentences and a beam. */
export interface DecodeCase extends NamedCase {
  batch: number;
  beams: number;
  precision: WeightPrecision;
  /** Tokens that may come, where not all may. */
  shortlist?: number;
  /** Whether the same weights in int8 draft for it. */
  drafts?: boolean;
}

/** Transformer-base with a vocabulary of 32,000: 60 M parameters. */
export const decodeDesign: DecodeDesign = {
  config: {
    vocabSize: 32_000,
    decoderVocabSize: 32_000,
    ...transformerPresets.base,
    maxPositionEmbeddings: 512,
    activationFunction: 'relu',
    scaleEmbedding: true,
    shareEncoderDecoderEmbeddings: true,
    tieWordEmbeddings: true,
    dropout: 0,
    attentionDropout: 0,
    activationDropout: 0,
    initStd: transformerPresets.base.dModel ** -0.5,
  },
  sourceTokens: 24,
  steps: 32,
};

const decodeCase = (
  precision: WeightPrecision,
  batch: number,
  beams: number,
  onRequest = false,
): DecodeCase => ({ name: `${precision} batch ${batch} beam ${beams}`, batch, beams, precision, onRequest });

/** 1,600 tokens of 32,000 are what a batch of 16 sentences gets from a table of some 10 targets a token. */
const shortlistCase = (batch: number, beams: number, onRequest = false): DecodeCase => ({
  name: `int8 shortlist batch ${batch} beam ${beams}`,
  batch,
  beams,
  precision: 'int8',
  shortlist: 1600,
  onRequest,
});

/** The columns of the table; the largest batch takes minutes on the peers. */
export const decodeCases = [
  ...(['float32', 'int8'] as const).flatMap((precision) => [
    decodeCase(precision, 1, 1),
    decodeCase(precision, 1, 4),
    decodeCase(precision, 16, 4),
    decodeCase(precision, 64, 4, true),
  ]),
  { ...decodeCase('float32', 1, 1), name: 'float32 batch 1 beam 1, int8 drafts', drafts: true },
  decodeCase('int4', 1, 1),
  decodeCase('int4', 1, 4),
  shortlistCase(1, 4),
  shortlistCase(16, 4),
  shortlistCase(64, 4, true),
];

/** Decoding: milliseconds per step of whole `generate` calls, encoder and prompt included. */
export async function benchDecode(
  options: BenchOptions,
  report: Report,
  design: DecodeDesign = decodeDesign,
): Promise<void> {
  const cases = selectCases(decodeCases, options.case);
  await withTemporaryDirectory(async (directory) => {
    const specs = transformerWeights(design.config);
    const weights = await writeRandomModel(directory, design.config, specs);
    const architecture = transformer(design.config);
    if (options.operators) {
      for (const one of cases) await profileCase(architecture, design, one, weights, options, report);
      return;
    }
    const { peers, threads } = options;
    const converted = peers && (await convertModel(peers, directory, threads));
    if (peers) report.note(await versionsOf(peers, threads));
    for (const one of cases) {
      const opened = peers && (await openPeers(peers, design, one, options, directory, converted!, report));
      const model = createStepModel(architecture, { weights, threads, weightPrecision: one.precision });
      const drafting = one.drafts
        ? createStepModel(architecture, { weights, threads, weightPrecision: 'int8' })
        : undefined;
      try {
        const models = { model, assistantModel: drafting && assistantOf(drafting, architecture) };
        await measureCase(models, design, one, options, report, opened ? opened.sides : []);
      } finally {
        await model.release();
        await drafting?.release();
        if (opened) await opened.peer.close();
      }
    }
    reportPeakMemory(report, 'decode');
  });
}

/** Random source sentences, the same in every run. [batch][sourceTokens] */
export function randomSources(design: DecodeDesign, batch: number): number[][] {
  const words = new Uint32Array(2);
  return Array.from({ length: batch }, (_, row) =>
    Array.from({ length: design.sourceTokens }, (_, column) => {
      threefry(benchSeed, row, column, 0, words);
      return words[0] % padTokenOf(design.config);
    }),
  );
}

/** Tokens that may come, evenly over the vocabulary. Ascending ids, `count` or what there are. */
export function spreadTokens({ config }: DecodeDesign, count: number): number[] {
  const words = padTokenOf(config);
  const kept = Math.min(count, words);
  return Array.from({ length: kept }, (_, i) => Math.floor((i * words) / kept));
}

/** A model that drafts, as `loadModel` would give it. */
function assistantOf(steps: SequenceModel, architecture: EncoderDecoder): AssistantModel {
  const { maxSource, sourceVocabSize } = architecture;
  return { [assistance]: { steps, maxSource, sourceVocabSize, continues: false } };
}

/** What decodes a case. */
interface Models {
  model: SequenceModel;
  assistantModel?: AssistantModel;
}

/** Decodes a batch once. @returns the best sequence of each sentence */
export async function decodeOnce(
  { model, assistantModel }: Models,
  design: DecodeDesign,
  { batch, beams, shortlist }: Pick<DecodeCase, 'batch' | 'beams' | 'shortlist'>,
  steps = design.steps,
): Promise<GeneratedSequence[]> {
  const tokens = shortlist === undefined ? undefined : Int32Array.from(spreadTokens(design, shortlist));
  const inputs: GenerationInput[] = randomSources(design, batch).map((inputIds) => ({ inputIds }));
  const padTokenId = padTokenOf(design.config);
  const results = await generate(
    model,
    inputs,
    resolveGenerationOptions({
      numBeams: beams,
      minNewTokens: steps,
      maxNewTokens: steps,
      ...(assistantModel && { assistantModel, numAssistantTokens: 8, assistantConfidenceThreshold: 0 }),
      ...(tokens && {
        shortlist: { offsets: Int32Array.of(0), targets: new Int32Array(0), always: tokens },
      }),
    }),
    { decoderStartTokenId: padTokenId, eosTokenIds: [], padTokenId },
    { batchSize: batch },
  );
  return results.map(({ sequences }) => sequences[0]);
}

const warmUps = 2;

async function measureCase(
  models: Models,
  design: DecodeDesign,
  one: DecodeCase,
  options: BenchOptions,
  report: Report,
  peers: readonly DecodePeer[],
): Promise<void> {
  const sequences = await decodeOnce(models, design, one);
  const own = sequences.map(({ ids }) => ids);
  for (const { drafts } of sequences)
    if (drafts) report.note(`${one.name}: ${drafts.accepted} of ${drafts.drafted} drafted tokens accepted`);
  // Rounded weights are rounded otherwise by each.
  for (const { side, outputs } of one.precision === 'float32' ? peers : []) {
    noteAgreement(report, one.name, own, side.name, await outputs());
  }
  const sides: Side[] = [ownSide(() => decodeOnce(models, design, one)), ...peers.map(({ side }) => side)];
  const { times, disturbance } = await measureRounds(sides, roundOptions(options, warmUps));
  noteDisturbance(report, one.name, disturbance);
  const [ownTimes, ...peerTimes] = times.map((side) => side.map((ms) => ms / design.steps));
  const row = { bench: 'decode', case: one.name, times: ownTimes };
  if (peers.length === 0) report.row(timedRow(row));
  peers.forEach(({ side }, index) => {
    report.row(timedRow({ ...row, peer: { name: side.name, times: peerTimes[index] } }));
  });
}

/** The peers decode the same weights: most outputs must be the same, all but those that a rounding tips over. */
function noteAgreement(
  report: Report,
  name: string,
  own: readonly (readonly number[])[],
  peer: string,
  theirs: readonly (readonly number[])[],
): void {
  const equal = own.filter((ids, row) => ids.join() === theirs[row].join()).length;
  const warning = equal * 2 < own.length ? 'warning: ' : '';
  report.note(`${warning}${name}: ${equal} of ${own.length} outputs equal to ${peer}'s`);
}

/** A process with the peers of one case, and nothing else. */
async function openPeers(
  python: string,
  design: DecodeDesign,
  one: DecodeCase,
  options: BenchOptions,
  directory: string,
  converted: string,
  report: Report,
): Promise<{ peer: Peer; sides: DecodePeer[] }> {
  const request = decodeRequest(design, one);
  const translator = await chooseTranslator(python, converted, options, request, report);
  const peer = startPeer(python, [peersScript, String(options.threads)], translator.env);
  return { peer, sides: await openDecodePeers(peer, directory, translator, request) };
}

function decodeRequest(design: DecodeDesign, one: DecodeCase): DecodeRequest {
  const { name, batch, beams, precision, shortlist } = one;
  const computeType = precision === 'float32' ? 'float32' : 'int8';
  const request: DecodeRequest = {
    name,
    batch,
    beams,
    steps: design.steps,
    sources: randomSources(design, batch),
    computeType,
  };
  return shortlist === undefined ? request : { ...request, shortlist: spreadTokens(design, shortlist) };
}

/** Runs a case twice with ONNX Runtime's profile on; the first time is warm-up. */
async function profileCase(
  architecture: EncoderDecoder,
  design: DecodeDesign,
  one: DecodeCase,
  weights: WeightStore,
  { threads }: BenchOptions,
  report: Report,
): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const profile = join(directory, profilePrefix);
    const model = createStepModel(architecture, {
      weights,
      threads,
      profile,
      weightPrecision: one.precision,
    });
    for (let run = 0; run < 2; run++) await decodeOnce({ model }, design, one);
    await model.release();
    reportOperators(report, { bench: 'decode', case: one.name, directory, skipped: 1 / 2 });
  });
}
