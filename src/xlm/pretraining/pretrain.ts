import { requireDevice } from '../../engine/tryDevice.js';
import { requireConfig } from '../../inputs.js';
import { pretrainingRun } from '../../pretraining/run.js';
import { readVocabularyFacts } from '../../pretraining/vocabularyFacts.js';
import { createProgress } from '../../training/progress.js';
import { refuseProblems } from '../../training/readConfig.js';
import { aloneIn } from '../../training/runLock.js';
import type { Tasks } from '../../training/step.js';
import type { TrainOptions } from '../../training/train.js';
import type { TrainResult } from '../../training/wholeRun.js';
import { prepareJointTokenizer, readLanguageLines } from '../languageLines.js';
import type { XlmPretrainConfig } from './config.js';
import { countTokens, fingerprintLanguages, type TokenizedData, tokenizeLanguages } from './data.js';
import { createLaneBatches } from './lanes.js';
import { lanesOf, type MixedXlmObjective } from './mixture.js';
import { endTokenOf, pretrainedXlm } from './model.js';
import type { XlmContext } from './objective.js';
import { xlmObjectiveKinds } from './objectives.js';
import { languagesOf, lengthProblems, xlmPretrainIdentity } from './parseConfig.js';
import { validateByLanguage } from './validate.js';

/**
 * Pre-trains an XLM (Conneau and Lample 2019) as a configuration says: vocabulary, streams of each language, a mixture of objectives
 * masked anew in each round, checkpoints, validation by language, and at the end an `xlm` model directory `<output>/model`, which
 * transformers loads too. A run found in the output directory is resumed.
 * @throws what `trainLoop` throws; INPUT_INVALID, FILE_NOT_FOUND and FILE_CORRUPT for data; TOKENIZER_INVALID; WEIGHT_SHAPE,
 * CONFIG_INVALID and LANGUAGE_UNKNOWN for `init`
 */
export async function pretrainXlm(
  config: XlmPretrainConfig,
  options: TrainOptions = {},
): Promise<TrainResult> {
  requireConfig(config, options);
  await requireDevice(config.device);
  return aloneIn(config.output, () => pretrainXlmAlone(config, options));
}

async function pretrainXlmAlone(config: XlmPretrainConfig, options: TrainOptions): Promise<TrainResult> {
  const progress = options.output ? createProgress(options.output) : undefined;
  const note = (text: string) => progress?.note(text);
  const lines = await readLanguageLines(config.data.train, config.data.pairs, options);
  const { maxPositionEmbeddings } = config.model ?? {};
  const { tokenizer, directory } = await prepareJointTokenizer(config, lines, maxPositionEmbeddings, note);
  const facts = await readVocabularyFacts(tokenizer);
  const endToken = endTokenOf(tokenizer);
  const made = await pretrainedXlm(config, languagesOf(config), tokenizer, directory);
  refuseProblems(lengthProblems(config, made.model.maxPositionEmbeddings), config.init ?? 'The model');
  const data = await tokenizeLanguages(lines, tokenizer, endToken, config.data);
  const context: XlmContext = {
    model: made.model,
    facts,
    tokenizer,
    endToken,
    languages: made.languages,
    counts: countTokens(data, tokenizer.vocabSize),
    labelSmoothing: config.optimizer.labelSmoothing,
    note,
  };
  const mixture = makeMixture(config, context);
  for (const { objective } of mixture) await objective.prepare?.(data.streams);
  const lanes = lanesOf(data, mixture, made.languages, {
    ...config.batch,
    ...config.data,
    seed: config.seed,
  });
  const batches = createLaneBatches(lanes, { seed: config.seed, accumulate: config.batch.accumulate });
  note(describeData(data, tokenizer.vocabSize));
  note(`shares: ${lanes.map(({ name, share }) => `${name} ${(100 * share).toFixed(1)} %`).join(', ')}`);
  return pretrainingRun(
    {
      config,
      tasks: tasksOf(mixture),
      batches,
      identity: xlmPretrainIdentity(config, fingerprint(data, mixture)),
      modelFiles: made.files,
      untrained: made.untrained,
      validation: (step) => validateByLanguage(config, { context, mixture, step }, options),
    },
    options,
    progress,
  );
}

function makeMixture(config: XlmPretrainConfig, context: XlmContext): MixedXlmObjective[] {
  const count = (type: string) => config.objectives.filter((objective) => objective.type === type).length;
  return config.objectives.map(({ type, weight, options }, at) => ({
    name: count(type) > 1 ? `${type}${at + 1}` : type,
    weight,
    objective: xlmObjectiveKinds[type].make(context, options),
  }));
}

function tasksOf(mixture: readonly MixedXlmObjective[]): Tasks {
  return Object.fromEntries(mixture.map(({ name, objective }) => [name, objective.loss]));
}

/** Of texts, and of what objectives have prepared from other files. */
function fingerprint(data: TokenizedData, mixture: readonly MixedXlmObjective[]): string {
  const prepared = mixture.flatMap(({ objective }) => objective.fingerprint?.() ?? []);
  return [fingerprintLanguages(data), ...prepared].join(' ');
}

function describeData({ streams, pairs, droppedLong }: TokenizedData, vocabSize: number): string {
  const millions = (rows: readonly ArrayLike<number>[]) =>
    (rows.reduce((sum, { length }) => sum + length, 0) / 1e6).toFixed(2);
  const parts = [
    ...[...streams].map(
      ([language, rows]) => `${language} ${rows.length} rows with ${millions(rows)} million tokens`,
    ),
    ...pairs.map(({ from, to, pairs: all }) => `${from}-${to} ${all.length} pairs`),
    ...(droppedLong > 0 ? [`${droppedLong} pairs longer than data.maxLength left out`] : []),
    `vocabulary of ${vocabSize}`,
  ];
  return `data: ${parts.join(', ')}`;
}
