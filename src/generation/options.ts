import { z } from 'zod';
import { PolybeamError } from '../errors.js';
import { camelCase, nearestName } from './nearestName.js';

/**
 * The options of a search, by Hugging Face's names in camel case and with their meaning. Each is either honored or
 * refused; the reference page and the command line's help are made from the descriptions.
 */
export const generationOptionsSchema = z.strictObject({
  numBeams: z
    .int()
    .min(1)
    .optional()
    .describe('Hypotheses kept at every step: an integer from 1; 1 is greedy search or sampling. Default 1.'),
  maxNewTokens: z
    .int()
    .min(1)
    .optional()
    .describe(
      "Most tokens to generate, the end token included: an integer from 1. Default: what the model's max_length leaves after the decoder prompt, else 20.",
    ),
  minNewTokens: z
    .int()
    .min(0)
    .optional()
    .describe('Tokens to generate before an end token is allowed: an integer from 0. Default 0.'),
  lengthPenalty: z
    .number()
    .optional()
    .describe(
      'Exponent p of the length in beam scores, log-probability / length^p: above 0 favors longer output, below 0 shorter. Default 1.',
    ),
  earlyStopping: z
    .union([z.boolean(), z.literal('never')])
    .optional()
    .describe(
      "When beam search stops: true, once numBeams hypotheses are finished; false, once the best open beam would not beat the worst of them at its present length; 'never', once it could not at any length. Default false.",
    ),
  numReturnSequences: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Outputs per input: the n best of a beam search (at most numBeams), or independent samples. Default 1.',
    ),
  noRepeatNgramSize: z
    .int()
    .min(0)
    .optional()
    .describe('No n-gram of this many tokens may occur twice; 0 is no restriction. Default 0.'),
  repetitionPenalty: z
    .number()
    .gt(0)
    .optional()
    .describe(
      'Factor above 0 against tokens that already occur in the output: above 1 discourages them, below 1 encourages. Default 1.',
    ),
  doSample: z
    .boolean()
    .optional()
    .describe(
      'Draw tokens at random from the distribution instead of taking the best: true or false. Default false.',
    ),
  temperature: z
    .number()
    .gt(0)
    .optional()
    .describe(
      'Divisor above 0 of the logits before sampling: below 1 sharpens, above 1 flattens. Default 1.',
    ),
  topK: z
    .int()
    .min(0)
    .optional()
    .describe(
      'Sample from this many most probable tokens only: an integer from 0; 0 is all of them. Default 50.',
    ),
  topP: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe(
      'Sample from the fewest most probable tokens whose probabilities reach this sum: a number from 0 to 1; 1 is all. Default 1.',
    ),
  seed: z
    .int()
    .min(0)
    .optional()
    .describe(
      'Seed of sampling: an integer from 0; the same seed and input give the same samples whatever the batch. Default: a new one each time.',
    ),
});

/** What a caller may set; everything is optional. */
export type GenerationOptions = z.infer<typeof generationOptionsSchema>;

/** A model's own defaults, from its generation_config.json. */
export interface ModelGenerationDefaults extends GenerationOptions {
  /** Most positions of an output, decoder prompt included; gives way to maxNewTokens. */
  maxLength?: number;
  /** Positions before an end token is allowed, decoder prompt included; gives way to minNewTokens. */
  minLength?: number;
}

/** Token ids that come with a model rather than with a request. */
export interface DecodingRules {
  /** First token of every decoder prompt. */
  decoderStartTokenId: number;
  /** Tokens that end a sequence; may be empty: then only the length does. */
  eosTokenIds: readonly number[];
  /** Fills sources up to the length of their batch, masked out. */
  padTokenId: number;
  /** The only token allowed right after a decoder prompt of one token. */
  forcedBosTokenId?: number;
  /** The only tokens allowed in the last place. */
  forcedEosTokenIds?: readonly number[];
  /** Tokens that are never produced. */
  suppressedTokenIds?: readonly number[];
  /** Whether beam search scales log-probabilities to sum to one over the tokens still allowed. */
  renormalize?: boolean;
}

/** Options with every default filled in. */
export interface ResolvedGenerationOptions {
  numBeams: number;
  /** undefined where `maxLength` rules. */
  maxNewTokens?: number;
  /** Positions, decoder prompt included; undefined where `maxNewTokens` rules. */
  maxLength?: number;
  minNewTokens?: number;
  minLength?: number;
  lengthPenalty: number;
  earlyStopping: boolean | 'never';
  numReturnSequences: number;
  noRepeatNgramSize: number;
  repetitionPenalty: number;
  doSample: boolean;
  temperature: number;
  topK: number;
  topP: number;
  seed: number;
}

/** Hugging Face's defaults; maxNewTokens is used where neither the caller nor the model limits the length. */
export const generationDefaults = {
  numBeams: 1,
  maxNewTokens: 20,
  minNewTokens: 0,
  lengthPenalty: 1,
  earlyStopping: false,
  numReturnSequences: 1,
  noRepeatNgramSize: 0,
  repetitionPenalty: 1,
  doSample: false,
  temperature: 1,
  topK: 50,
  topP: 1,
} as const;

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
  modelDefaults: ModelGenerationDefaults = {},
): ResolvedGenerationOptions {
  const user = checkGenerationOptions(userOptions);
  const pick = <K extends keyof typeof generationDefaults>(name: K): NonNullable<GenerationOptions[K]> =>
    (user[name] ?? modelDefaults[name] ?? generationDefaults[name]) as NonNullable<GenerationOptions[K]>;
  const resolved: ResolvedGenerationOptions = {
    numBeams: pick('numBeams'),
    lengthPenalty: pick('lengthPenalty'),
    earlyStopping: pick('earlyStopping'),
    numReturnSequences: pick('numReturnSequences'),
    noRepeatNgramSize: pick('noRepeatNgramSize'),
    repetitionPenalty: pick('repetitionPenalty'),
    doSample: pick('doSample'),
    temperature: pick('temperature'),
    topK: pick('topK'),
    topP: pick('topP'),
    seed: user.seed ?? modelDefaults.seed ?? Math.floor(Math.random() * 2 ** 53),
  };
  const newTokens = user.maxNewTokens ?? modelDefaults.maxNewTokens;
  if (newTokens === undefined && modelDefaults.maxLength !== undefined) {
    resolved.maxLength = modelDefaults.maxLength;
  } else {
    resolved.maxNewTokens = newTokens ?? generationDefaults.maxNewTokens;
  }
  const minNewTokens = user.minNewTokens ?? modelDefaults.minNewTokens;
  if (minNewTokens === undefined && modelDefaults.minLength !== undefined) {
    resolved.minLength = modelDefaults.minLength;
  } else {
    resolved.minNewTokens = minNewTokens ?? generationDefaults.minNewTokens;
  }
  refuseConflicts(user, resolved);
  return resolved;
}

/** Checks names and values alone. @throws PolybeamError OPTION_UNKNOWN or OPTION_INVALID. */
export function checkGenerationOptions(userOptions: Readonly<Record<string, unknown>>): GenerationOptions {
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

function refuseConflicts(user: GenerationOptions, resolved: ResolvedGenerationOptions): void {
  const { doSample, numBeams, numReturnSequences, maxNewTokens, minNewTokens } = resolved;
  if (doSample && numBeams > 1) {
    throw conflict(
      `doSample true with numBeams ${numBeams} is beam sampling, which this release does not have; set numBeams to 1 to sample, or doSample to false for beam search.`,
    );
  }
  if (!doSample && numReturnSequences > numBeams) {
    throw conflict(
      `numReturnSequences ${numReturnSequences} is more than numBeams ${numBeams}; raise numBeams, or set doSample to true for independent samples.`,
    );
  }
  if (!doSample) {
    for (const name of ['temperature', 'topK', 'topP', 'seed'] as const) {
      if (changes(user, name)) {
        throw conflict(
          `${name} ${show(user[name])} has no effect with doSample false; set doSample to true, or leave ${name} out.`,
        );
      }
    }
  }
  if (numBeams === 1) {
    for (const name of ['earlyStopping', 'lengthPenalty'] as const) {
      if (changes(user, name)) {
        throw conflict(
          `${name} ${show(user[name])} has no effect with numBeams 1; raise numBeams, or leave ${name} out.`,
        );
      }
    }
  }
  if (maxNewTokens !== undefined && minNewTokens !== undefined && minNewTokens > maxNewTokens) {
    throw conflict(
      `minNewTokens ${minNewTokens} is more than maxNewTokens ${maxNewTokens}; lower the one or raise the other.`,
    );
  }
}

/** Whether the caller set the option to something other than what would hold anyway. */
function changes(
  user: GenerationOptions,
  name: 'temperature' | 'topK' | 'topP' | 'seed' | 'earlyStopping' | 'lengthPenalty',
) {
  if (user[name] === undefined) return false;
  return name === 'seed' || user[name] !== generationDefaults[name];
}

/** Lengths of one search, in new tokens. */
export interface LengthLimits {
  minNewTokens: number;
  maxNewTokens: number;
}

/**
 * The limits for a decoder prompt of `promptLength` tokens. The last new token is never read, so a model of
 * `maxPositions` positions can produce maxPositions - promptLength + 1 tokens.
 *
 * @throws PolybeamError OPTION_INVALID where maxNewTokens asks for more than the model has, OPTION_CONFLICT where the
 * prompt leaves no room or less than minNewTokens.
 */
export function lengthLimits(
  options: ResolvedGenerationOptions,
  promptLength: number,
  maxPositions: number,
): LengthLimits {
  const room = maxPositions - promptLength + 1;
  let { maxNewTokens } = options;
  if (room < 1) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `A decoder prompt of ${promptLength} tokens is longer than the model's ${maxPositions} positions; shorten it.`,
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
  } else if (maxNewTokens > room) {
    throw new PolybeamError(
      'OPTION_INVALID',
      `Option maxNewTokens cannot be ${maxNewTokens}: after a decoder prompt of ${promptLength} the model's ${maxPositions} positions leave room for ${room}.`,
    );
  }
  const minNewTokens = options.minNewTokens ?? Math.max(0, (options.minLength as number) - promptLength);
  if (minNewTokens > maxNewTokens) {
    throw conflict(
      `minNewTokens ${minNewTokens} is more than the ${maxNewTokens} new tokens there is room for; lower it, or raise maxNewTokens.`,
    );
  }
  return { minNewTokens, maxNewTokens };
}

function conflict(message: string): PolybeamError {
  return new PolybeamError('OPTION_CONFLICT', message);
}

function show(value: unknown): string {
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
}
