import { requireDevice } from '../engine/tryDevice.js';
import { PolybeamError } from '../errors.js';
import { requireConfig } from '../inputs.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { fingerprintPairs, type TokenPair } from '../training/batching.js';
import { evaluateLoss } from '../training/evaluateLoss.js';
import { createProgress } from '../training/progress.js';
import { aloneIn } from '../training/runLock.js';
import { prepareTokenizer } from '../training/runParts.js';
import { sequenceToSequence } from '../training/sequenceToSequence.js';
import type { Tasks } from '../training/step.js';
import type { TrainOptions } from '../training/train.js';
import type { Validation } from '../training/trainer.js';
import type { TrainStep } from '../training/trainStep.js';
import type { TrainResult } from '../training/wholeRun.js';
import { createPretrainingBatches, type MixedObjective, type PretrainingData } from './batches.js';
import type { PretrainConfig } from './config.js';
import { cutPieces, tokenizeDocuments } from './corpus.js';
import { type PretrainedModel, pretrainedModel } from './model.js';
import { objectiveKinds } from './objectives.js';
import { pretrainIdentity } from './parseConfig.js';
import { pretrainingRun } from './run.js';
import { allTexts, readTexts, type Texts } from './texts.js';
import { readVocabularyFacts, type VocabularyFacts } from './vocabularyFacts.js';

/**
 * Pre-trains a model as a configuration says: vocabulary, pieces of text, a mixture of objectives corrupted anew in each epoch,
 * checkpoints, validation loss, and at the end a model directory `<output>/model` to fine-tune from. A run found in the output
 * directory is resumed.
 * @throws what `trainLoop` throws; INPUT_INVALID and FILE_NOT_FOUND for data; TOKENIZER_INVALID; WEIGHT_SHAPE for `init`
 */
export async function pretrain(config: PretrainConfig, options: TrainOptions = {}): Promise<TrainResult> {
  requireConfig(config, options);
  await requireDevice(config.device);
  return aloneIn(config.output, () => pretrainAlone(config, options));
}

async function pretrainAlone(config: PretrainConfig, options: TrainOptions): Promise<TrainResult> {
  const progress = options.output ? createProgress(options.output) : undefined;
  const note = (text: string) => progress?.note(text);
  const texts = await readTexts(config.data.train, config.data.pairs, options);
  const place = {
    output: config.output,
    modelMaxLength: config.model?.maxPositionEmbeddings ?? Number.MAX_SAFE_INTEGER,
  };
  const tokenizer = await prepareTokenizer(config.vocabulary, place, () => allTexts(texts), note);
  const facts = await readVocabularyFacts(tokenizer);
  const made = await pretrainedModel(config, tokenizer);
  const mixture = makeMixture(config, made, facts);
  refuseLong(config, made, mixture);
  const data = await prepareData(texts, config, { tokenizer, facts, mixture }, options);
  const batching = { ...config.batch, seed: config.seed, maxLength: config.data.maxLength };
  const batches = createPretrainingBatches(data, mixture, batching);
  note(describeData(data, batches.droppedLong, tokenizer.vocabSize));

  return pretrainingRun(
    {
      config,
      tasks: tasksOf(mixture, made),
      batches,
      identity: pretrainIdentity(config, fingerprint(data)),
      modelFiles: made.files,
      validation: (step) => validation(config, { tokenizer, facts, mixture, step }, options),
    },
    options,
    progress,
  );
}

function makeMixture(
  config: PretrainConfig,
  made: PretrainedModel,
  facts: VocabularyFacts,
): MixedObjective[] {
  const context = {
    model: made.model,
    prefix: made.prefix,
    facts: { ...facts, decoderStartTokenId: made.decoderStartTokenId },
    labelSmoothing: config.optimizer.labelSmoothing,
  };
  const count = (type: string) => config.objectives.filter((objective) => objective.type === type).length;
  return config.objectives.map(({ type, weight, options }, at) => ({
    name: count(type) > 1 ? `${type}${at + 1}` : type,
    weight,
    objective: objectiveKinds[type].make(context, options),
  }));
}

function refuseLong(
  { data }: PretrainConfig,
  { model, prefix }: PretrainedModel,
  mixture: readonly MixedObjective[],
): void {
  const apart = Math.min(model.maxSource, model.maxTarget);
  for (const { name, objective } of mixture) {
    const { extraTokens, inOneRow, reads } = objective;
    const room = inOneRow && prefix ? prefix.stack.maxPositions : apart;
    const texts = inOneRow && reads === 'pairs' ? 2 : 1;
    if (texts * data.maxLength + extraTokens <= room) continue;
    const most = Math.floor((room - extraTokens) / texts);
    throw new PolybeamError(
      'CONFIG_INVALID',
      `data.maxLength is ${data.maxLength}${texts === 2 ? ', for each text of a pair' : ''}, ${name} adds up to ${extraTokens} tokens, and the model has ${room} positions: ` +
        `lower data.maxLength to ${most}, or raise model.maxPositionEmbeddings.`,
    );
  }
}

interface Parts {
  tokenizer: Tokenizer;
  facts: VocabularyFacts;
  mixture: readonly MixedObjective[];
}

/** Tokenizes, cuts pieces, and leaves out what no objective could use; says so. */
async function prepareData(
  { documents, pairs }: Texts,
  { data }: PretrainConfig,
  { tokenizer, facts, mixture }: Parts,
  { onWarning }: TrainOptions,
): Promise<PretrainingData> {
  const prepared: PretrainingData = {};
  if (documents && mixture.some(({ objective }) => objective.reads === 'text')) {
    const separator = facts.suffix[0] ?? facts.padTokenId;
    const corpus = await tokenizeDocuments(documents, tokenizer);
    const { pieces, short } = cutPieces(corpus, { ...data, separator });
    const accepted = pieces.filter((piece) =>
      mixture.every(({ objective }) => objective.accepts?.(piece.length) ?? true),
    );
    const left = short + pieces.length - accepted.length;
    if (left > 0)
      onWarning?.(`${left} of ${pieces.length + short} pieces of text are too short and are left out.`);
    if (accepted.length === 0) throw allShort(pieces.length + short, data.minLength);
    prepared.text = accepted;
  }
  if (pairs && mixture.some(({ objective }) => objective.reads === 'pairs')) {
    const encode = (texts: string[], side: 'source' | 'target') =>
      tokenizer.encodeBatch(texts, { addSpecialTokens: false, side });
    const target = await encode(pairs.target, 'target');
    const source = await encode(pairs.source, 'source');
    prepared.pairs = source.map(({ ids }, at): TokenPair => ({ source: ids, target: target[at].ids }));
  }
  for (const { objective } of mixture) {
    const texts = objective.reads === 'pairs' ? sidesOf(prepared.pairs) : prepared.text;
    // Longer ones, and pairs with a blank side, are left out of batches.
    if (texts)
      await objective.prepare?.(texts.filter(({ length }) => length > 0 && length <= data.maxLength));
  }
  return prepared;
}

function sidesOf(pairs: readonly TokenPair[] | undefined): ArrayLike<number>[] | undefined {
  return pairs?.flatMap(({ source, target }) => [source, target]);
}

function allShort(count: number, minLength: number): PolybeamError {
  return new PolybeamError(
    'INPUT_INVALID',
    `All ${count} pieces of text are shorter than data.minLength (${minLength}) or than an objective's fragment: give longer ` +
      'texts, lower them, or join documents with data.packing: packed.',
  );
}

function describeData({ text, pairs }: PretrainingData, droppedLong: number, vocabSize: number): string {
  const tokens = text?.reduce((sum, piece) => sum + piece.length, 0) ?? 0;
  const parts = [
    text ? `${text.length} pieces of text with ${(tokens / 1e6).toFixed(2)} million tokens` : undefined,
    pairs ? `${pairs.length} pairs` : undefined,
    droppedLong > 0 ? `${droppedLong} longer than data.maxLength left out` : undefined,
    `vocabulary of ${vocabSize}`,
  ];
  return `data: ${parts.filter((part) => part !== undefined).join(', ')}`;
}

/**
 * The objectives, and beside them plain generation from a source, which is never run here: what it has beyond them (the
 * cross-attention of BERT+LM) belongs to the model and is saved with it.
 */
function tasksOf(mixture: readonly MixedObjective[], { model }: PretrainedModel): Tasks {
  const own = Object.fromEntries(mixture.map(({ name, objective }) => [name, objective.loss]));
  return { ...own, whole: sequenceToSequence(model, 0) };
}

function fingerprint({ text = [], pairs = [] }: PretrainingData): string {
  return fingerprintPairs([...text.map((ids) => ({ source: ids, target: [] })), ...pairs]);
}

/** The loss on held-out text, corrupted alike each time; undefined where there is none. */
async function validation(
  config: PretrainConfig,
  parts: Parts & { step: TrainStep },
  options: TrainOptions,
): Promise<(() => Promise<Validation>) | undefined> {
  const { validation: text, validationPairs } = config.data;
  if (!text && !validationPairs) return undefined;
  const reads = new Set([text && 'text', validationPairs && 'pairs']);
  const mixture = parts.mixture.filter(({ objective }) => reads.has(objective.reads));
  const texts = await readTexts(text, validationPairs, options);
  const all = await prepareData(texts, config, { ...parts, mixture }, options);
  const { maxPieces } = config.validation;
  const data = { text: all.text?.slice(0, maxPieces), pairs: all.pairs?.slice(0, maxPieces) };
  const batching = {
    ...config.batch,
    accumulate: 1,
    seed: config.seed,
    maxLength: config.data.maxLength,
    shuffle: false,
  };
  const batches = createPretrainingBatches(data, mixture, batching).epoch(0);
  return async () => {
    const values = await evaluateLoss(parts.step, batches);
    return { score: values.loss, values: { ...values } };
  };
}
