import { PolybeamError } from '../errors.js';
import { snakeCase } from './nearestName.js';
import { show } from './optionConflicts.js';
import {
  type DecodingRules,
  type GenerationOptions,
  generationOptionsSchema,
  type ModelGenerationDefaults,
  tokensOf,
} from './options.js';
import { samplingOptionFields } from './samplingOptions.js';

/** Names in generation_config.json of the options that polybeam has. */
const optionKeys = {
  num_beams: 'numBeams',
  max_new_tokens: 'maxNewTokens',
  min_new_tokens: 'minNewTokens',
  num_beam_groups: 'numBeamGroups',
  diversity_penalty: 'diversityPenalty',
  length_penalty: 'lengthPenalty',
  early_stopping: 'earlyStopping',
  num_return_sequences: 'numReturnSequences',
  no_repeat_ngram_size: 'noRepeatNgramSize',
  repetition_penalty: 'repetitionPenalty',
  encoder_no_repeat_ngram_size: 'encoderNoRepeatNgramSize',
  encoder_repetition_penalty: 'encoderRepetitionPenalty',
  max_time: 'maxTime',
  do_sample: 'doSample',
  temperature: 'temperature',
  top_k: 'topK',
  penalty_alpha: 'penaltyAlpha',
  top_p: 'topP',
  min_p: 'minP',
  typical_p: 'typicalP',
  epsilon_cutoff: 'epsilonCutoff',
  eta_cutoff: 'etaCutoff',
  force_words_ids: 'forceWordsIds',
  suppress_tokens: 'suppressTokens',
  begin_suppress_tokens: 'beginSuppressTokens',
  bad_words_ids: 'badWordsIds',
  sequence_bias: 'sequenceBias',
  exponential_decay_length_penalty: 'exponentialDecayLengthPenalty',
} as const;

/** Options as generation_config.json names them. */
export function generationConfigOf(options: GenerationOptions): Record<string, unknown> {
  const named = Object.entries(optionKeys).map(([key, name]) => [key, options[name]]);
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}

/**
 * Settings that change what is generated and that polybeam does not have, with the values that mean "off". A model
 * that sets one otherwise is refused: its output would not be what its authors meant.
 */
const unsupportedKeys: Record<string, readonly unknown[]> = {
  assistant_early_exit: [],
  constraints: [],
  dola_layers: [],
  guidance_scale: [1],
  remove_invalid_values: [false],
  stop_strings: [],
  token_healing: [false],
  watermarking_config: [],
};

/** The same for settings that only sampling reads: without sampling they are passed over, as in transformers. */
const unsupportedSamplingKeys = ['top_h'] as const;

/**
 * Values that transformers takes for "off" though they are none of the option's: such a setting is passed over. A test is
 * asked of numbers only.
 */
const offValues: Partial<Record<keyof typeof optionKeys, (value: number) => boolean>> = {
  min_new_tokens: (value) => value < 0,
  no_repeat_ngram_size: (value) => value < 0,
  encoder_no_repeat_ngram_size: (value) => value < 0,
  penalty_alpha: (value) => value < 0,
  top_p: (value) => value > 1,
  typical_p: (value) => value > 1,
  epsilon_cutoff: (value) => value < 0 || value >= 1,
  eta_cutoff: (value) => value < 0 || value >= 1,
};

/** What a model directory says about decoding. */
export interface ModelGeneration {
  defaults: ModelGenerationDefaults;
  rules: DecodingRules;
}

/** How a model's outputs begin. */
export interface StartRules {
  /** Whether they begin with a decoder start token; otherwise the model continues its input. */
  startToken: boolean;
}

/**
 * Reads the parsed content of a generation_config.json (or the same keys of an old config.json). Keys that do not bear
 * on the search (versions, caches, outputs, unknown ones) are passed over; null is absent. So are values that transformers
 * takes for "off", and those of sampling as long as nobody samples.
 *
 * @param file named in errors
 * @throws PolybeamError CONFIG_INVALID for a wrong value, no decoder start token where one is needed, or a setting polybeam lacks.
 */
export function readGenerationConfig(
  json: Readonly<Record<string, unknown>>,
  file = 'generation_config.json',
  { startToken }: StartRules = { startToken: true },
): ModelGeneration {
  const lacking = 'this release does not have it; remove it to decode without';
  for (const [key, neutral] of Object.entries(unsupportedKeys)) {
    const value = settingOf(json, key);
    if (value !== undefined && !neutral.includes(value)) throw invalid(file, key, value, lacking);
  }
  const unusable: Record<string, string> = {};
  for (const key of unsupportedSamplingKeys) {
    const value = settingOf(json, key);
    if (value !== undefined) unusable[key] = refusal(file, key, value, lacking);
  }
  const defaults: ModelGenerationDefaults = readSettings(json, file, unusable);
  for (const [key, name] of [
    ['max_length', 'maxLength'],
    ['min_length', 'minLength'],
  ] as const) {
    const value = settingOf(json, key);
    if (value === undefined || (key === 'min_length' && Number(value) < 0)) continue;
    if (!Number.isInteger(value) || (value as number) < 0)
      throw invalid(file, key, value, 'give an integer from 0');
    defaults[name] = value as number;
  }
  defaults.origin = { file, unusable };
  return { defaults, rules: readRules(json, file, startToken) };
}

/**
 * The options that a file sets.
 *
 * @param unusable takes the refusals of wrong values that only sampling reads
 */
function readSettings(
  json: Readonly<Record<string, unknown>>,
  file: string,
  unusable: Record<string, string>,
): GenerationOptions {
  const settings: Record<string, unknown> = {};
  for (const [key, name] of Object.entries(optionKeys)) {
    const value = settingOf(json, key);
    if (value === undefined) continue;
    const schema = generationOptionsSchema.shape[name];
    const parsed = schema.safeParse(value);
    const off = offValues[key as keyof typeof optionKeys];
    if (parsed.success) settings[name] = parsed.data;
    else if (typeof value === 'number' && off?.(value)) continue;
    else if (name in samplingOptionFields && name !== 'doSample') {
      unusable[name] = refusal(file, key, value, schema.description ?? '');
    } else throw invalid(file, key, value, schema.description ?? '');
  }
  return settings;
}

/**
 * A model's settings without the tokens that its vocabulary lacks, where transformers passes over them: tokens that are
 * suppressed or that end an output.
 *
 * @throws PolybeamError CONFIG_INVALID for other tokens outside the vocabulary, which transformers fails at
 */
export function withinVocabulary(
  { defaults, rules }: ModelGeneration,
  vocabSize: number,
  file: string,
): ModelGeneration {
  const known = (ids: readonly number[]) => ids.filter((id) => id < vocabSize);
  const within = { ...defaults };
  for (const name of ['suppressTokens', 'beginSuppressTokens'] as const) {
    if (within[name]) within[name] = known(within[name]);
  }
  const named = {
    ...tokensOf(within),
    decoder_start_token_id: [rules.decoderStartTokenId ?? []].flat(),
    forced_bos_token_id: [rules.forcedBosTokenId ?? []].flat(),
    forced_eos_token_id: rules.forcedEosTokenIds ?? [],
  };
  for (const [name, ids] of Object.entries(named)) {
    const bad = ids.find((id) => id >= vocabSize);
    if (bad === undefined) continue;
    throw new PolybeamError(
      'CONFIG_INVALID',
      `${file} names token ${bad} in ${snakeCase(name)}: the model's vocabulary has the ids 0 to ${vocabSize - 1}; correct it.`,
    );
  }
  return { defaults: within, rules: { ...rules, eosTokenIds: known(rules.eosTokenIds) } };
}

function readRules(
  json: Readonly<Record<string, unknown>>,
  file: string,
  startToken: boolean,
): DecodingRules {
  const eosTokenIds = idList(json, 'eos_token_id', file) ?? [];
  const found = idList(json, 'decoder_start_token_id', file) ?? idList(json, 'bos_token_id', file);
  const start = startToken ? found?.[0] : undefined;
  if (startToken && start === undefined) {
    throw new PolybeamError(
      'CONFIG_INVALID',
      `${file} has neither decoder_start_token_id nor bos_token_id; add the token that decoding starts from.`,
    );
  }
  const rules: DecodingRules = {
    ...(start !== undefined && { decoderStartTokenId: start }),
    eosTokenIds,
    padTokenId: idList(json, 'pad_token_id', file)?.[0] ?? eosTokenIds[0] ?? start ?? 0,
  };
  const forcedBos = idList(json, 'forced_bos_token_id', file);
  if (forcedBos) rules.forcedBosTokenId = forcedBos[0];
  const forcedEos = idList(json, 'forced_eos_token_id', file);
  if (forcedEos) rules.forcedEosTokenIds = forcedEos;
  if (json.renormalize_logits === true) rules.renormalize = true;
  return rules;
}

/** Keys whose negative ids are ignored, as in transformers. */
const negativeIsNone: readonly string[] = [
  'eos_token_id',
  'pad_token_id',
  'suppress_tokens',
  'begin_suppress_tokens',
];

/** What a file sets a key to; undefined for null, and for ids that name no token. */
function settingOf(json: Readonly<Record<string, unknown>>, key: string): unknown {
  const value = json[key] ?? undefined;
  if (!negativeIsNone.includes(key) || value === undefined) return value;
  const named = [value].flat().filter((id) => !(Number.isInteger(id) && (id as number) < 0));
  if (Array.isArray(value)) return value.length > 0 && named.length === 0 ? undefined : named;
  return named[0];
}

function idList(json: Readonly<Record<string, unknown>>, key: string, file: string): number[] | undefined {
  const value = settingOf(json, key);
  if (value === undefined) return undefined;
  const list = Array.isArray(value) ? value : [value];
  if (list.length === 0 || !list.every(isId)) throw invalid(file, key, value, 'give a token id');
  return [...new Set(list as number[])];
}

function isId(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0;
}

function invalid(file: string, key: string, value: unknown, remedy: string): PolybeamError {
  return new PolybeamError('CONFIG_INVALID', refusal(file, key, value, remedy));
}

function refusal(file: string, key: string, value: unknown, remedy: string): string {
  return `${file} sets ${key} to ${show(value)}: ${remedy.replace(/\.$/, '')}.`;
}
