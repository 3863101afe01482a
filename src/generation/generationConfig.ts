import { PolybeamError } from '../errors.js';
import {
  checkGenerationOptions,
  type DecodingRules,
  type GenerationOptions,
  type ModelGenerationDefaults,
} from './options.js';

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
  top_h: [],
  watermarking_config: [],
};

/** What a model directory says about decoding. */
export interface ModelGeneration {
  defaults: ModelGenerationDefaults;
  rules: DecodingRules;
}

/** How a model begins to write. */
export interface StartRules {
  /** Whether with a decoder start token; otherwise it continues what it is given. */
  startToken: boolean;
}

/**
 * Reads the parsed content of a generation_config.json (or the same keys of an old config.json). Keys that do not bear
 * on the search (versions, caches, outputs, unknown ones) are passed over; null is absent.
 *
 * @param file named in errors
 * @throws PolybeamError CONFIG_INVALID for a wrong value, no decoder start token where one is needed, or a setting polybeam lacks.
 */
export function readGenerationConfig(
  json: Readonly<Record<string, unknown>>,
  file = 'generation_config.json',
  { startToken }: StartRules = { startToken: true },
): ModelGeneration {
  const options: Record<string, unknown> = {};
  for (const [key, name] of Object.entries(optionKeys)) {
    if (json[key] !== undefined && json[key] !== null) options[name] = json[key];
  }
  for (const [key, neutral] of Object.entries(unsupportedKeys)) {
    const value = json[key];
    if (value !== undefined && value !== null && !neutral.includes(value)) {
      throw invalid(file, key, value, 'this release does not have it; remove it to decode without');
    }
  }
  let defaults: ModelGenerationDefaults;
  try {
    defaults = { ...checkGenerationOptions(options) };
  } catch (error) {
    throw new PolybeamError('CONFIG_INVALID', `${file}: ${(error as Error).message}`, { cause: error });
  }
  for (const [key, name] of [
    ['max_length', 'maxLength'],
    ['min_length', 'minLength'],
  ] as const) {
    const value = json[key];
    if (value === undefined || value === null) continue;
    if (!Number.isInteger(value) || (value as number) < 0)
      throw invalid(file, key, value, 'give an integer from 0');
    defaults[name] = value as number;
  }
  return { defaults, rules: readRules(json, file, startToken) };
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

function idList(json: Readonly<Record<string, unknown>>, key: string, file: string): number[] | undefined {
  const value = json[key];
  if (value === undefined || value === null) return undefined;
  const list = Array.isArray(value) ? value : [value];
  if (list.length === 0 || !list.every(isId)) throw invalid(file, key, value, 'give a token id');
  return [...new Set(list as number[])];
}

function isId(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0;
}

function invalid(file: string, key: string, value: unknown, remedy: string): PolybeamError {
  return new PolybeamError('CONFIG_INVALID', `${file} sets ${key} to ${JSON.stringify(value)}: ${remedy}.`);
}
