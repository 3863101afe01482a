import { PolybeamError } from '../errors.js';
import { requireObject, wrongInput } from '../inputs.js';
import { isAssisted } from './assistedOptions.js';
import { type Conventions, conventionsByName, conventionsOf } from './conventions.js';
import { camelCase, nearestName, snakeCase } from './nearestName.js';
import { conflict, refuseConflicts, show } from './optionConflicts.js';
import {
  type GenerationOptions,
  generationDefaults,
  generationOptionsSchema,
  type ResolvedGenerationOptions,
} from './optionsSchema.js';

export { type GenerationOptions, generationOptionsSchema, type ResolvedGenerationOptions };

/** A model's own defaults, from its generation_config.json. */
export interface ModelGenerationDefaults extends GenerationOptions {
  /** Maximum length of an output, decoder prompt included; maxNewTokens overrides it. */
  maxLength?: number;
  /** Minimum length before an end token, decoder prompt included; minNewTokens overrides it. */
  minLength?: number;
  /** Where these settings come from; default: unknown. */
  origin?: SettingsOrigin;
}

/** A file of generation settings, as messages name it. */
interface SettingsOrigin {
  file: string;
  /**
   * Settings of the file that are wrong, each with its refusal: they matter only to a search that reads them, unless the
   * caller sets another value.
   */
  unusable: Readonly<Record<string, string>>;
}

/** Token ids that come with a model rather than with a request. */
export interface DecodingRules {
  /** First token of every decoder prompt, not part of outputs; absent for language models. */
  decoderStartTokenId?: number;
  /** Tokens that end a sequence; may be empty: then only the length ends it. */
  eosTokenIds: readonly number[];
  /** Pads sources to the length of their batch; masked. */
  padTokenId: number;
  /** The only token allowed right after a decoder prompt of one token. */
  forcedBosTokenId?: number;
  /** The only tokens allowed at the last position. */
  forcedEosTokenIds?: readonly number[];
  /** Tokens that are never generated. */
  suppressedTokenIds?: readonly number[];
  /** Tokens that may not be the first new token. */
  beginSuppressedTokenIds?: readonly number[];
  /** Whether beam search renormalizes probabilities over the tokens still allowed. */
  renormalize?: boolean;
}

type OptionName = keyof GenerationOptions;

const optionNames = Object.keys(generationOptionsSchema.shape) as OptionName[];

/** Names used elsewhere for the same thing, which edit distance would not find. */
const otherNames: Record<string, OptionName> = {
  maxLength: 'maxNewTokens',
  minLength: 'minNewTokens',
  beamSize: 'numBeams',
  beams: 'numBeams',
  lenpen: 'lengthPenalty',
  nBest: 'numReturnSequences',
  sampling: 'doSample',
  randomSeed: 'seed',
  constraints: 'forceWordsIds',
  logitBias: 'sequenceBias',
  forbiddenWords: 'badWordsIds',
};

/**
 * Fills in the defaults (the caller's options, then the model's, then Hugging Face's) and refuses what cannot be
 * honored, before anything is allocated. A caller's option that equals the default never conflicts; a model's
 * default that does not apply (temperature without sampling) is passed over, as in Hugging Face.
 *
 * @throws PolybeamError OPTION_UNKNOWN with the nearest name, OPTION_INVALID, or OPTION_CONFLICT naming both options.
 */
export function resolveGenerationOptions(
  userOptions: Readonly<Record<string, unknown>> = {},
  ofModel: ModelGenerationDefaults = {},
): ResolvedGenerationOptions {
  requireObject(ofModel, 'defaults', "a model's options");
  const { origin, ...modelDefaults } = ofModel;
  const user = checkGenerationOptions(userOptions);
  const conventions = user.conventions ?? modelDefaults.conventions ?? generationDefaults.conventions;
  const special: Conventions['defaults'] = conventionsByName[conventions].defaults;
  const defaults = { ...generationDefaults, ...special };
  const resolved = {
    ...defaults,
    ...given(modelDefaults),
    ...given(user),
    seed: user.seed ?? modelDefaults.seed ?? Math.floor(Math.random() * 2 ** 53),
  } as ResolvedGenerationOptions;
  for (const name of ['maxNewTokens', 'maxLength', 'minNewTokens', 'minLength'] as const)
    delete resolved[name];
  const newTokens = user.maxNewTokens ?? modelDefaults.maxNewTokens;
  if (newTokens === undefined && modelDefaults.maxLength !== undefined) {
    resolved.maxLength = modelDefaults.maxLength;
  } else {
    resolved.maxNewTokens = newTokens ?? defaults.maxNewTokens;
  }
  const minNewTokens = user.minNewTokens ?? modelDefaults.minNewTokens;
  const minLength = modelDefaults.minLength ?? special.minLength;
  if (minNewTokens === undefined && minLength !== undefined) {
    resolved.minLength = minLength;
  } else {
    resolved.minNewTokens = minNewTokens ?? defaults.minNewTokens;
  }
  const yielding = (['maxNewTokens', 'minNewTokens'] as const).filter(
    (name) => user[name] === undefined && modelDefaults[name] !== undefined,
  );
  if (yielding.length > 0) resolved.yielding = yielding;
  // The call's kind of search overrides the model's own contrastive search.
  const { doSample, numBeams, topK } = resolved;
  if (
    user.penaltyAlpha === undefined &&
    (doSample || numBeams > 1 || topK < 2 || conventions !== 'huggingface' || isAssisted(resolved))
  )
    resolved.penaltyAlpha = 0;
  if (origin) refuseUnusable(origin, user, resolved);
  try {
    refuseConflicts(user, resolved);
  } catch (error) {
    throw origin ? blameFile(error as PolybeamError, origin, user, modelDefaults) : error;
  }
  return resolved;
}

/** Refuses wrong values of a file that the search would read. @throws PolybeamError CONFIG_INVALID */
function refuseUnusable(
  { unusable }: SettingsOrigin,
  user: GenerationOptions,
  { doSample, penaltyAlpha }: ResolvedGenerationOptions,
): void {
  for (const [name, refusal] of Object.entries(unusable)) {
    const read = doSample || (name === 'topK' && penaltyAlpha > 0);
    if (read && user[name as OptionName] === undefined) throw new PolybeamError('CONFIG_INVALID', refusal);
  }
}

/** The same conflict, naming the file for each option in it that the file set and the caller did not. */
function blameFile(
  error: PolybeamError,
  { file }: SettingsOrigin,
  user: GenerationOptions,
  modelDefaults: GenerationOptions,
): PolybeamError {
  const words = new Set(error.message.match(/\w+/g));
  const set = optionNames.filter(
    (name) => words.has(name) && modelDefaults[name] !== undefined && user[name] === undefined,
  );
  if (set.length === 0) return error;
  const values = set.map((name) => `${snakeCase(name)} to ${show(modelDefaults[name])}`).join(' and ');
  return new PolybeamError(error.code, `${error.message} ${file} sets ${values}.`, { cause: error });
}

/**
 * The warning, as in transformers, for a search that cannot reach the model's own minimum length: no output will end by
 * itself. undefined if there is nothing to warn of; a caller's own minNewTokens is refused instead.
 */
export function lengthWarning(
  { maxNewTokens, minNewTokens, minLength, yielding }: ResolvedGenerationOptions,
  { origin }: ModelGenerationDefaults,
): string | undefined {
  if (maxNewTokens === undefined) return undefined;
  const tooLong =
    minLength !== undefined && minLength - 1 > maxNewTokens
      ? `min_length to ${minLength}`
      : yielding?.includes('minNewTokens') && (minNewTokens as number) > maxNewTokens
        ? `min_new_tokens to ${minNewTokens}`
        : undefined;
  return (
    tooLong &&
    `${origin?.file ?? 'The model'} sets ${tooLong}, and only ${maxNewTokens} new tokens are asked for: no output will have an end; ask for more, or for a lower minimum.`
  );
}

/** @throws INPUT_INVALID for options that `resolveGenerationOptions` has not made, such as those of a caller */
export function requireResolved(options: unknown): void {
  requireObject(options, 'options', 'what resolveGenerationOptions gives');
  const { numBeams, conventions } = options as Partial<ResolvedGenerationOptions>;
  if (typeof numBeams === 'number' && String(conventions) in conventionsByName) return;
  throw wrongInput('options', options, 'give what resolveGenerationOptions gives');
}

/** Checks names and values alone. @throws PolybeamError OPTION_UNKNOWN or OPTION_INVALID. */
export function checkGenerationOptions(userOptions: Readonly<Record<string, unknown>>): GenerationOptions {
  requireObject(userOptions, 'options', 'generation options such as numBeams');
  for (const name of Object.keys(userOptions)) {
    if (!(optionNames as string[]).includes(name)) throw unknownOption(name);
  }
  const parsed = generationOptionsSchema.safeParse(userOptions);
  if (parsed.success) return parsed.data;
  const name = String(parsed.error.issues[0].path[0]) as OptionName;
  throw new PolybeamError(
    'OPTION_INVALID',
    `Option ${name} cannot be ${show(userOptions[name])}: ${generationOptionsSchema.shape[name].description}`,
  );
}

function unknownOption(name: string): PolybeamError {
  const other = Object.keys(otherNames).find((key) => key.toLowerCase() === camelCase(name).toLowerCase());
  const nearest = other !== undefined ? otherNames[other] : nearestName(name, optionNames);
  const remedy =
    nearest !== undefined ? `did you mean ${nearest}?` : `the options are ${optionNames.join(', ')}.`;
  return new PolybeamError('OPTION_UNKNOWN', `There is no generation option "${name}"; ${remedy}`);
}

/** The options that are set at all: undefined stands for absent. */
function given<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

/**
 * A model's rules, overridden by the options.
 *
 * @throws PolybeamError OPTION_INVALID for a token in any option that is not in the vocabulary, OPTION_CONFLICT where nothing
 * could end an allowed sequence
 */
export function decodingRules(
  rules: DecodingRules,
  options: ResolvedGenerationOptions,
  vocabSize: number,
): DecodingRules {
  for (const [name, ids] of Object.entries(tokensOf(options))) {
    const bad = ids.find((id) => id >= vocabSize);
    if (bad === undefined) continue;
    throw new PolybeamError(
      'OPTION_INVALID',
      `Option ${name} cannot hold token ${bad}: the model's vocabulary has the ids 0 to ${vocabSize - 1}.`,
    );
  }
  const { suppressTokens, beginSuppressTokens, badWordsIds = [], allowedSequences } = options;
  const { eosTokenId, forcedBosTokenId, forcedEosTokenId } = options;
  const result = { ...rules };
  if (eosTokenId !== undefined) result.eosTokenIds = [...new Set([eosTokenId].flat())];
  if (forcedBosTokenId !== undefined) result.forcedBosTokenId = forcedBosTokenId;
  if (conventionsOf(options).lastPlace !== 'modelSays') delete result.forcedEosTokenIds;
  if (forcedEosTokenId !== undefined) {
    result.forcedEosTokenIds = [...new Set([forcedEosTokenId].flat())];
  }
  if (allowedSequences && result.eosTokenIds.length === 0) {
    throw conflict('allowedSequences needs an end token, and the model has none; set eosTokenId.');
  }
  const words = badWordsIds.filter((ids) => ids.length === 1).map(([id]) => id);
  const forbidden = words.filter((id) => !result.eosTokenIds.includes(id));
  const suppressed = [...(rules.suppressedTokenIds ?? []), ...(suppressTokens ?? []), ...forbidden];
  if (suppressed.length > 0) result.suppressedTokenIds = [...new Set(suppressed)];
  if (beginSuppressTokens !== undefined) result.beginSuppressedTokenIds = beginSuppressTokens;
  return result;
}

/**
 * The tokens that each option names, by the option's name; the one list of all options that hold token ids.
 *
 * @returns ids in the order given; none for an option that is absent
 */
export function tokensOf(options: GenerationOptions): Partial<Record<OptionName, readonly number[]>> {
  return {
    suppressTokens: options.suppressTokens ?? [],
    beginSuppressTokens: options.beginSuppressTokens ?? [],
    badWordsIds: options.badWordsIds?.flat() ?? [],
    sequenceBias: options.sequenceBias?.flatMap(([ids]) => ids) ?? [],
    noRepeatNgramIgnore: options.noRepeatNgramIgnore ?? [],
    eosTokenId: [options.eosTokenId ?? []].flat(),
    forcedBosTokenId: [options.forcedBosTokenId ?? []].flat(),
    forcedEosTokenId: [options.forcedEosTokenId ?? []].flat(),
    forceWordsIds: options.forceWordsIds?.flat(2) ?? [],
    allowedSequences: options.allowedSequences?.flat() ?? [],
  };
}

/** Lengths of one search, in new tokens. */
export interface LengthLimits {
  minNewTokens: number;
  maxNewTokens: number;
}

/**
 * The limits for a decoder prompt of `promptLength` tokens. The last new token is never read, so a model of
 * `maxPositions` positions can generate maxPositions - promptLength + 1 tokens. The model's own settings are reduced
 * to this limit, as in Hugging Face.
 *
 * @param name of an input with such a prompt, for messages
 * @throws PolybeamError OPTION_INVALID where maxNewTokens asks for more than the model has, OPTION_CONFLICT where the
 * prompt leaves no room or less than minNewTokens.
 */
export function lengthLimits(
  options: ResolvedGenerationOptions,
  promptLength: number,
  maxPositions: number,
  name = 'An input',
): LengthLimits {
  const room = maxPositions - promptLength + 1;
  let { maxNewTokens } = options;
  const { yielding = [] } = options;
  if (room < 1) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `${name} gives the decoder a prompt of ${promptLength} tokens, longer than the model's ${maxPositions} positions; shorten it.`,
    );
  }
  if (maxNewTokens === undefined) {
    maxNewTokens = (options.maxLength as number) - promptLength;
    if (maxNewTokens < 1) {
      throw conflict(
        `A decoder prompt of ${promptLength} tokens leaves no room under the model's max_length ${options.maxLength}; set maxNewTokens.`,
      );
    }
    maxNewTokens = Math.min(maxNewTokens, room);
  } else if (yielding.includes('maxNewTokens')) {
    maxNewTokens = Math.min(maxNewTokens, room);
  } else if (maxNewTokens > room) {
    throw new PolybeamError(
      'OPTION_INVALID',
      `Option maxNewTokens cannot be ${maxNewTokens}: after a decoder prompt of ${promptLength} the model's ${maxPositions} positions leave room for ${room}.`,
    );
  }
  const minNewTokens = options.minNewTokens ?? Math.max(0, (options.minLength as number) - promptLength);
  const asked = options.minNewTokens !== undefined && !yielding.includes('minNewTokens');
  if (!asked) return { minNewTokens: Math.min(minNewTokens, maxNewTokens), maxNewTokens };
  if (minNewTokens > maxNewTokens) {
    throw conflict(
      `minNewTokens ${minNewTokens} is more than the ${maxNewTokens} new tokens there is room for; lower it, or raise maxNewTokens.`,
    );
  }
  return { minNewTokens, maxNewTokens };
}
