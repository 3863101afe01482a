import { z } from 'zod';
import { assistedDefaults, assistedOptionFields, type ResolvedAssistedOptions } from './assistedOptions.js';
import type { GenerationOptions } from './optionsSchema.types.js';
import { type ResolvedSamplingOptions, samplingDefaults, samplingOptionFields } from './samplingOptions.js';
import { isShortlist, type Shortlist } from './shortlist.js';

export type { GenerationOptions };

const tokenId = z.int().min(0);
const tokenIds = z.array(tokenId);
const phrase = tokenIds.min(1);
/** Phrases that outputs must contain: one alternative of each item. */
export const forcedWordsSchema = z.array(z.union([phrase, z.array(phrase).min(1)]));
const oneOrMore = z.union([tokenId, tokenIds.min(1)]);

/**
 * The options of a search, by Hugging Face's names in camel case and with their meaning. Each is either honored or
 * refused; the reference page and the command line's help are made from the descriptions.
 */
export const generationOptionsSchema = z.strictObject({
  numBeams: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Number of hypotheses kept at every step, an integer from 1: 1 is greedy search or sampling; more is beam search, with doSample beam sampling. Default 1.',
    ),
  maxNewTokens: z
    .int()
    .min(1)
    .optional()
    .describe(
      "Maximum number of tokens to generate, the end token included: an integer from 1. Default: the model's max_length less the decoder prompt, else 20.",
    ),
  minNewTokens: z
    .int()
    .min(0)
    .optional()
    .describe(
      'Minimum number of tokens to generate before an end token: an integer from 0. Default 0; with conventions ctranslate2, fairseq and unilm 1 without a decoder prompt.',
    ),
  conventions: z
    .enum(['huggingface', 'ctranslate2', 'fairseq', 'marian', 'unilm'])
    .optional()
    .describe(
      'Toolkit whose beam search to reproduce: its order of processors, length in scores, handling of finished hypotheses, and defaults. Default huggingface.',
    ),
  lengthPenalty: z
    .number()
    .optional()
    .describe(
      'Exponent p of the length in beam scores, log-probability / length^p: above 0 favors longer output, below 0 shorter. Default 1; with conventions marian and unilm 0.',
    ),
  numBeamGroups: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Diverse beam search (Vijayakumar et al. 2018): number of groups that numBeams is divided into, which diversityPenalty makes different; 1 is plain beam search. Default 1.',
    ),
  diversityPenalty: z
    .number()
    .min(0)
    .optional()
    .describe(
      "With numBeamGroups: subtracted from a token's log-probability for each beam of an earlier group that chose it in the same step; a number from 0. Default 0.",
    ),
  siblingPenalty: z
    .number()
    .min(0)
    .optional()
    .describe(
      'Beam search with diverse siblings (Li et al. 2016): from the second token on, k times this is subtracted from the log-probability of the k-th best continuation of a hypothesis; a number from 0. Default 0.',
    ),
  gnmtLengthPenalty: z
    .number()
    .optional()
    .describe(
      'Instead of lengthPenalty: exponent a of the length penalty of GNMT (Wu et al. 2016), so that beam scores are log-probability / ((5 + length) / 6)^a. Default: lengthPenalty is used.',
    ),
  wordReward: z
    .number()
    .optional()
    .describe(
      'Instead of lengthPenalty: reward r for each token, so that beam scores are log-probability + r length (He et al. 2016). Default: lengthPenalty is used.',
    ),
  coveragePenalty: z
    .number()
    .min(0)
    .optional()
    .describe(
      'Coverage penalty b (Wu et al. 2016): adds b times the sum over source tokens of log(min(coverage, 1)) to beam scores, where coverage is the total attention that output tokens pay to a source token; a number from 0 (no penalty). Default 0.',
    ),
  patience: z
    .number()
    .gt(0)
    .optional()
    .describe(
      'Beam search waits for round(p numBeams) finished hypotheses, at least 1, where p is this (Kasai et al. 2022): a number above 0; above 1 searches longer, below 1 stops sooner. Default 1.',
    ),
  earlyStopping: z
    .union([z.boolean(), z.literal('never')])
    .optional()
    .describe(
      "When beam search stops after numBeams hypotheses are finished: true, at once; false, when the best open hypothesis would not rank above the worst of them at its present length; 'never', when it could not at any length. Default false.",
    ),
  numReturnSequences: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Number of outputs per input: the n best of beam search or beam sampling (at most numBeams), or independent samples. Default 1.',
    ),
  returnAttention: z
    .boolean()
    .optional()
    .describe(
      'Whether to return the attention of each output token over the source tokens, and the alignment computed from it. Default false.',
    ),
  returnLogits: z
    .boolean()
    .optional()
    .describe(
      'Whether to return the logits of each new token: for the whole vocabulary, before all processors, like output_logits of Hugging Face. Default false.',
    ),
  alignmentLayer: z
    .int()
    .min(0)
    .optional()
    .describe('Decoder layer, from 0, whose cross-attention gives the alignment. Default: the last.'),
  alignmentHeads: z
    .array(z.int().min(0))
    .min(1)
    .optional()
    .describe('Heads of alignmentLayer, from 0, whose attention is averaged: a list. Default: all.'),
  noRepeatNgramSize: z
    .int()
    .min(0)
    .optional()
    .describe('No n-gram of this many tokens may occur twice; 0 is no restriction. Default 0.'),
  noRepeatNgramIgnore: tokenIds
    .optional()
    .describe(
      'With noRepeatNgramSize: ids of tokens, such as punctuation, whose n-grams may occur again; a list. Default: none.',
    ),
  repetitionPenalty: z
    .number()
    .gt(0)
    .optional()
    .describe(
      'Penalty factor for tokens that already occur in the output, a number above 0: above 1 makes them less probable, below 1 more probable. Default 1.',
    ),
  encoderNoRepeatNgramSize: z
    .int()
    .min(0)
    .optional()
    .describe('No n-gram of this many tokens may be copied from the source; 0 is no restriction. Default 0.'),
  encoderRepetitionPenalty: z
    .number()
    .gt(0)
    .optional()
    .describe(
      'Factor for tokens that occur in the source, a number above 0: above 1 makes them more probable, below 1 less. Their value s, a log-probability in beam search and otherwise a logit, becomes s / factor if negative and s factor otherwise. Default 1.',
    ),
  ...samplingOptionFields,
  suppressTokens: tokenIds
    .optional()
    .describe(
      "Ids of tokens that are never generated: a list. Replaces the model's own suppress_tokens. Default: the model's.",
    ),
  beginSuppressTokens: tokenIds
    .optional()
    .describe(
      "Ids of tokens that may not be the first new token, nor the second after a forced first one: a list. Default: the model's begin_suppress_tokens.",
    ),
  badWordsIds: z
    .array(phrase)
    .optional()
    .describe(
      "Forbidden words and phrases: a list of lists of token ids. The last token of each gets logit -Infinity if the others precede it; an end token alone is not forbidden. Replaces the model's own bad_words_ids. Default: the model's.",
    ),
  sequenceBias: z
    .array(z.tuple([phrase, z.number()]))
    .optional()
    .describe(
      "Biases of tokens and phrases: a list of pairs [token ids, number]. The number is added to the logit of the last token if the others precede it, and always for a single token; above 0 makes it more probable, below 0 less. Default: the model's sequence_bias.",
    ),
  eosTokenId: oneOrMore
    .optional()
    .describe("Tokens that end an output: an id or a list of ids. Default: the model's eos_token_id."),
  forcedBosTokenId: tokenId
    .optional()
    .describe(
      "The only token allowed right after the decoder start token: an id, such as a language code's. Default: the model's forced_bos_token_id.",
    ),
  forcedEosTokenId: oneOrMore
    .optional()
    .describe(
      "The only tokens allowed as token number maxNewTokens: an id or a list of ids. Default: the model's forced_eos_token_id.",
    ),
  forceWordsIds: forcedWordsSchema
    .optional()
    .describe(
      'Phrases that every output must contain, by beam search with dynamic beam allocation (Post and Vilar 2018): a list of token id lists, or of lists of such lists, of which one is enough. If an output cannot contain all of them, unmetConstraints lists the missing ones. Default: none.',
    ),
  orderedConstraints: z
    .boolean()
    .optional()
    .describe('Whether forceWordsIds must occur in the order given, one after the other. Default false.'),
  prefixAllowedTokens: z
    .custom<(input: number, ids: readonly number[]) => readonly number[]>(
      (value) => typeof value === 'function',
    )
    .optional()
    .describe(
      'A function (input, ids) => allowed ids: given the index of the input and its ids so far, decoder start token included, the only tokens that may follow; at least one. Default: none.',
    ),
  allowedSequences: z
    .array(phrase)
    .min(1)
    .optional()
    .describe(
      'The only possible outputs: a list of lists of new token ids, without end token. They do not include a first token forced by forcedBosTokenId. Default: any output.',
    ),
  shortlist: z
    .custom<Shortlist>(isShortlist)
    .optional()
    .describe(
      'A lexical shortlist, as loadShortlist returns it: restricts outputs to its target tokens for the source tokens of the batch, which is faster. Probabilities sum to one over these tokens. Tokens that other options name are always allowed. Default: none, every token.',
    ),
  prefixBiasBeta: z
    .number()
    .min(0)
    .lt(1)
    .optional()
    .describe(
      "Bias b toward the prefix of the input instead of forcing it (Arivazhagan et al. 2020): while a hypothesis equals the prefix so far, p becomes (1 - b) p, plus b for the prefix's next token. A number from 0 (the prefix is forced) to below 1. Scores include the bias. Default 0.",
    ),
  returnAlternatives: z
    .boolean()
    .optional()
    .describe(
      'Whether to return alternatives at a position, like CTranslate2: the numReturnSequences most probable tokens after the prefix, end tokens excluded, each with its best continuation. A score is the log-probability of that token plus the score of the continuation. Default false.',
    ),
  minAlternativeExpansionProb: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe(
      'With returnAlternatives: minimum probability of a next token; the most probable one is always kept. A number from 0 to 1. Default 0.',
    ),
  ...assistedOptionFields,
  exponentialDecayLengthPenalty: z
    .tuple([z.int().min(0), z.number().gt(0)])
    .optional()
    .describe(
      "Makes end tokens more probable as outputs grow: [start, factor]; after n > start new tokens the value s of each end token, a log-probability in beam search and otherwise a logit, becomes s + |s| (factor^(n - start) - 1). Default: the model's exponential_decay_length_penalty.",
    ),
  maxTime: z
    .number()
    .gt(0)
    .optional()
    .describe(
      'Seconds, above 0, after which a batch ends with the tokens generated so far, at least one new token each; checked after each token. Default: no limit.',
    ),
  stopStrings: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .optional()
    .describe(
      'Texts that end an output as soon as it contains one: a text or a list of texts; they are kept in the output. The library also needs decode. Default: none.',
    ),
  decode: z
    .custom<(outputs: number[][]) => string[] | Promise<string[]>>((value) => typeof value === 'function')
    .optional()
    .describe(
      "A function from lists of new token ids to their texts, such as a tokenizer's decodeBatch; needed for stopStrings. Default: none.",
    ),
  signal: z
    .custom<AbortSignal>((value) => value instanceof AbortSignal)
    .optional()
    .describe(
      'An AbortSignal: the search ends with error ABORTED once it is aborted, checked before each step. Default: none.',
    ),
  seed: z
    .int()
    .min(0)
    .optional()
    .describe(
      'Seed of sampling: an integer from 0; the same seed and input give the same samples in any batch. Default: a new one each time.',
    ),
});

/** Options without a default, or with the model's rules as default. */
type OptionalName =
  | 'gnmtLengthPenalty'
  | 'wordReward'
  | 'maxTime'
  | 'alignmentLayer'
  | 'alignmentHeads'
  | 'stopStrings'
  | 'decode'
  | 'signal'
  | 'forceWordsIds'
  | 'prefixAllowedTokens'
  | 'allowedSequences'
  | 'shortlist'
  | 'assistantModel'
  | 'promptLookupNumTokens'
  | 'suppressTokens'
  | 'noRepeatNgramIgnore'
  | 'beginSuppressTokens'
  | 'badWordsIds'
  | 'sequenceBias'
  | 'eosTokenId'
  | 'forcedBosTokenId'
  | 'forcedEosTokenId'
  | 'exponentialDecayLengthPenalty';

/** Options with every default filled in. */
export interface ResolvedGenerationOptions
  extends Pick<GenerationOptions, OptionalName>,
    ResolvedSamplingOptions,
    ResolvedAssistedOptions {
  conventions: NonNullable<GenerationOptions['conventions']>;
  numBeams: number;
  /** undefined if `maxLength` applies. */
  maxNewTokens?: number;
  /** Positions, decoder prompt included; undefined if `maxNewTokens` applies. */
  maxLength?: number;
  minNewTokens?: number;
  minLength?: number;
  /** Limits set by the model and not by the caller: they are reduced to the model's positions. */
  yielding?: readonly ('maxNewTokens' | 'minNewTokens')[];
  lengthPenalty: number;
  numBeamGroups: number;
  diversityPenalty: number;
  siblingPenalty: number;
  coveragePenalty: number;
  patience: number;
  earlyStopping: boolean | 'never';
  numReturnSequences: number;
  prefixBiasBeta: number;
  returnAlternatives: boolean;
  minAlternativeExpansionProb: number;
  orderedConstraints: boolean;
  returnAttention: boolean;
  returnLogits: boolean;
  noRepeatNgramSize: number;
  repetitionPenalty: number;
  encoderNoRepeatNgramSize: number;
  encoderRepetitionPenalty: number;
  seed: number;
}

/** Hugging Face's defaults; maxNewTokens is used where neither the caller nor the model limits the length. */
export const generationDefaults = {
  ...samplingDefaults,
  ...assistedDefaults,
  conventions: 'huggingface',
  numBeams: 1,
  maxNewTokens: 20,
  minNewTokens: 0,
  lengthPenalty: 1,
  numBeamGroups: 1,
  diversityPenalty: 0,
  siblingPenalty: 0,
  coveragePenalty: 0,
  patience: 1,
  earlyStopping: false,
  numReturnSequences: 1,
  prefixBiasBeta: 0,
  returnAlternatives: false,
  minAlternativeExpansionProb: 0,
  orderedConstraints: false,
  returnAttention: false,
  returnLogits: false,
  noRepeatNgramSize: 0,
  repetitionPenalty: 1,
  encoderNoRepeatNgramSize: 0,
  encoderRepetitionPenalty: 1,
} as const;
