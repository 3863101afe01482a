import type { Device } from '../../engine/program.js';
import { requireDevice } from '../../engine/tryDevice.js';
import { requireConfig } from '../../inputs.js';
import { fitsMass } from '../../pretraining/mass.js';
import { readVocabularyFacts, type VocabularyFacts } from '../../pretraining/vocabularyFacts.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import type { BatchingOptions, TokenPair } from '../../training/batching.js';
import { createProgress } from '../../training/progress.js';
import { aloneIn } from '../../training/runLock.js';
import { createSchedule } from '../../training/schedule.js';
import { compileTrainStep, trainableParameters } from '../../training/step.js';
import type { TrainOptions } from '../../training/train.js';
import { type TrainResult, wholeRun } from '../../training/wholeRun.js';
import { languageShares } from '../jointVocabulary.js';
import { prepareJointTokenizer, readLanguageLines } from '../languageLines.js';
import {
  type Generate,
  type TranslationBatching,
  translationBatches,
  translationObjectives,
} from './batches.js';
import type { TranslationConfig } from './config.js';
import { fingerprintLanguages, type LanguageIds, tokenizeLanguages } from './data.js';
import { openGeneration } from './generation.js';
import { roundTrips } from './languageCodes.js';
import { createLiveTranslator } from './liveTranslator.js';
import { type TranslatorModel, translatorModel } from './model.js';
import { translationIdentity } from './parseConfig.js';
import { translatorStart } from './start.js';
import { objectiveOf, planRounds, type Rounds, type WeightedTask } from './tasks.js';
import { type HeldOutTexts, type TranslationHeldOut, validateTranslator } from './validate.js';

/**
 * Trains a translator without parallel text (or with some), as a configuration says: vocabulary, denoising, back-translation with the
 * weights that are being trained, checkpoints, validation there and back, and at the end a model directory `<output>/model`. A run
 * found in the output directory is resumed.
 * @throws what `trainLoop` throws; INPUT_INVALID and FILE_NOT_FOUND for data; CONFIG_INVALID, TOKENIZER_INVALID, LANGUAGE_UNKNOWN
 */
export async function trainTranslator(
  config: TranslationConfig,
  options: TrainOptions = {},
): Promise<TrainResult> {
  requireConfig(config, options);
  await requireDevice(config.device);
  return aloneIn(config.output, () => trainTranslatorAlone(config, options));
}

async function trainTranslatorAlone(config: TranslationConfig, options: TrainOptions): Promise<TrainResult> {
  const progress = options.output ? createProgress(options.output) : undefined;
  const note = (text: string) => progress?.note(text);
  const lines = await readLanguageLines(config.data.train, config.data.pairs, options);
  const { tokenizer } = await prepareJointTokenizer(config, lines, config.model.maxPositionEmbeddings, note);
  const facts = await readVocabularyFacts(tokenizer);
  const model = await translatorModel(config, tokenizer);
  const data = await tokenizeLanguages(lines, tokenizer);
  const batching = batchingOptions(config);
  const tasks = tasksOf(config, data);
  const rounds = planRounds(tasks, batching);
  note(describeData(data, rounds, tokenizer));

  const all = translationObjectives(model.decoder, config.optimizer.labelSmoothing);
  const used = new Set<string>(tasks.map(({ task }) => objectiveOf(task)));
  const objectives = Object.fromEntries(Object.entries(all).filter(([name]) => used.has(name)));
  const specs = trainableParameters(objectives);
  const { weights, notes } = await translatorStart(config, specs, model, tokenizer);
  for (const text of notes) note(text);
  const device = { device: config.device as Device, threads: config.threads };
  const step = await compileTrainStep(objectives, weights, { ...device, optimizer: config.optimizer });
  const total = [...weights.values()].reduce((sum, one) => sum + one.length, 0);
  note(`model: ${(total / 1e6).toFixed(1)} million parameters, ${rounds.epoch(0).count} batches an epoch`);
  const translator = createLiveTranslator(model.decoder, step, model.ids, model.room, device);
  const generation = await openGeneration(
    config,
    { data, translator, tokenizer, vocabSize: model.config.vocabSize, room: model.room },
    device,
  );
  const make = makeOptions(config, model, facts, generation.generate);
  try {
    return await wholeRun({
      step,
      batches: translationBatches(rounds, make),
      schedule: createSchedule(config.schedule),
      warmupUpdates: config.schedule.warmupUpdates,
      config: { ...config, batch: { accumulate: 1 } },
      run: {
        directory: config.output,
        identity: translationIdentity(config, fingerprintLanguages(data), model.config),
      },
      modelFiles: model.files,
      validate: await validation(config, { step, translator, tokenizer, model, make }, options),
      signal: options.signal,
      onWarning: options.onWarning,
      progress,
    });
  } finally {
    await generation.release();
    await translator.release();
  }
}

function batchingOptions({ seed, batch, data }: TranslationConfig): BatchingOptions {
  const { maxTokens, maxSentences, sortWindow, lengthMultiple } = batch;
  return { seed, maxTokens, maxSentences, maxLength: data.maxLength, sortWindow, lengthMultiple };
}

function makeOptions(
  config: TranslationConfig,
  { ids }: TranslatorModel,
  facts: VocabularyFacts,
  generate: Generate,
): TranslationBatching {
  const languages = new Set(ids.languages.values());
  return {
    seed: config.seed,
    ids,
    noise: config.denoising,
    mass: config.mass,
    facts: { ...facts, ordinary: facts.ordinary.filter((id) => !languages.has(id)) },
    lengthMultiple: config.batch.lengthMultiple,
    summed: config.batch.update === 'round',
    generate,
  };
}

/** Tasks that have a weight at any time, in the order in which they take turns. */
function tasksOf(
  { weights, backTranslation, mass, data: { alpha } }: TranslationConfig,
  data: LanguageIds,
): WeightedTask[] {
  const same = (texts: readonly Int32Array[]): TokenPair[] =>
    texts.map((text) => ({ source: text, target: text }));
  const of = (language: string) => data.texts.get(language) ?? [];
  const languages = [...data.texts.keys()];
  const shares = languageShares(
    languages.map((language) => of(language).length),
    alpha,
  );
  // As many batches in a round as there are languages.
  const rates = shares.map((share) => share * languages.length);
  const denoising = languages.map((language, at): WeightedTask => {
    const examples = same(of(language));
    return { task: { type: 'denoise', language }, examples, weight: weights.denoising, rate: rates[at] };
  });
  const fragments = languages.map((language, at): WeightedTask => {
    const examples = same(of(language).filter(({ length }) => fitsMass(length + 1, mass)));
    return { task: { type: 'mass', language }, examples, weight: weights.mass, rate: rates[at] };
  });
  const back = backTranslation.directions.map((direction): WeightedTask => {
    const examples = same(of(direction.to));
    return { task: { type: 'backTranslate', direction }, examples, weight: weights.backTranslation };
  });
  const supervised = data.pairs.flatMap(({ direction, pairs }): WeightedTask[] => {
    const [back, weight] = [{ from: direction.to, to: direction.from }, weights.translation];
    const turned = pairs.map(({ source, target }) => ({ source: target, target: source }));
    return [
      { task: { type: 'translate', direction }, examples: pairs, weight },
      { task: { type: 'translate', direction: back }, examples: turned, weight },
    ];
  });
  return [...fragments, ...denoising, ...back, ...supervised].filter(({ weight }) =>
    weight.some(([, value]) => value > 0),
  );
}

function describeData(
  { texts, pairs }: LanguageIds,
  { droppedLong }: Rounds,
  { vocabSize }: Tokenizer,
): string {
  const parts = [
    ...[...texts].map(([language, list]) => `${list.length} texts of ${language}`),
    ...pairs.map(({ direction: { from, to }, pairs: list }) => `${list.length} pairs of ${from} and ${to}`),
    ...(droppedLong > 0 ? [`${droppedLong} times one longer than data.maxLength left out of a task`] : []),
    `vocabulary of ${vocabSize}`,
  ];
  return `data: ${parts.join(', ')}`;
}

interface ValidationParts extends Pick<TranslationHeldOut, 'step' | 'translator' | 'tokenizer'> {
  model: TranslatorModel;
  make: TranslationBatching;
}

/** What scores the present weights, or undefined where the configuration has nothing held out. */
async function validation(
  config: TranslationConfig,
  { step, translator, tokenizer, model, make }: ValidationParts,
  options: TrainOptions,
) {
  const { validation: texts, validationPairs } = config.data;
  if (!texts && !validationPairs) return undefined;
  const lines = await readLanguageLines(texts, validationPairs, options);
  const { metric, maxSentences, lowercase } = config.validation;
  // What is longer than the model can read is cut.
  const { room } = model;
  const heldOut = async (given: readonly string[]): Promise<HeldOutTexts> => {
    const some = given.slice(0, maxSentences);
    const encoded = await tokenizer.encodeBatch(some, { addSpecialTokens: false, maxLength: room });
    return { lines: some, ids: encoded.map(({ ids }) => ids) };
  };
  const own = new Map<string, HeldOutTexts>();
  for (const [language, list] of lines.texts) own.set(language, await heldOut(list));
  const pairs: TranslationHeldOut['pairs'][number][] = [];
  for (const { from, to, source, target } of lines.pairs)
    pairs.push({ direction: { from, to }, source: await heldOut(source), target: await heldOut(target) });
  return validateTranslator({
    step,
    translator,
    tokenizer,
    metric,
    lowercase,
    texts: own,
    pairs,
    roundTrips: metric === 'loss' ? [] : roundTrips(config.backTranslation.directions),
    losses: metric === 'loss' ? heldOutLosses(config, own, make) : undefined,
  });
}

/** Batches of the held-out texts for the tasks that need nothing else, damaged alike each time. */
function heldOutLosses(
  config: TranslationConfig,
  texts: ReadonlyMap<string, HeldOutTexts>,
  make: TranslationBatching,
) {
  const ids = new Map(
    [...texts].map(([language, list]) => [language, list.ids.map((one) => Int32Array.from(one))]),
  );
  const alone = { ...config, backTranslation: { ...config.backTranslation, directions: [] } };
  const tasks = tasksOf(alone, { texts: ids, pairs: [] }).map((task) => ({
    ...task,
    weight: [[0, 1]] as const,
  }));
  const rounds = planRounds(tasks, { ...batchingOptions(config), shuffle: false });
  return translationBatches(rounds, { ...make, summed: false }).epoch(0);
}
