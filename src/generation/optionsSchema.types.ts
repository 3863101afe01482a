// Made by `npm run docs` from the schema beside it: do not edit.

import type { AssistantModel } from './assistant.js';
import type { Shortlist } from './shortlist.js';

/** What a caller may set; everything is optional. */
export type GenerationOptions = {
  /**
   * Number of hypotheses kept at every step, an integer from 1: 1 is greedy search or sampling; more is
   * beam search, with doSample beam sampling. Default 1.
   */
  numBeams?: number;
  /**
   * Maximum number of tokens to generate, the end token included: an integer from 1. Default: the
   * model's max_length less the decoder prompt, else 20.
   */
  maxNewTokens?: number;
  /**
   * Minimum number of tokens to generate before an end token: an integer from 0. Default 0; with
   * conventions ctranslate2, fairseq and unilm 1 without a decoder prompt.
   */
  minNewTokens?: number;
  /**
   * Toolkit whose beam search to reproduce: its order of processors, length in scores, handling of
   * finished hypotheses, and defaults. Default huggingface.
   */
  conventions?: 'huggingface' | 'ctranslate2' | 'fairseq' | 'marian' | 'unilm';
  /**
   * Exponent p of the length in beam scores, log-probability / length^p: above 0 favors longer output,
   * below 0 shorter. Default 1; with conventions marian and unilm 0.
   */
  lengthPenalty?: number;
  /**
   * Diverse beam search (Vijayakumar et al. 2018): number of groups that numBeams is divided into, which
   * diversityPenalty makes different; 1 is plain beam search. Default 1.
   */
  numBeamGroups?: number;
  /**
   * With numBeamGroups: subtracted from a token's log-probability for each beam of an earlier group that
   * chose it in the same step; a number from 0. Default 0.
   */
  diversityPenalty?: number;
  /**
   * Beam search with diverse siblings (Li et al. 2016): from the second token on, k times this is
   * subtracted from the log-probability of the k-th best continuation of a hypothesis; a number from 0.
   * Default 0.
   */
  siblingPenalty?: number;
  /**
   * Instead of lengthPenalty: exponent a of the length penalty of GNMT (Wu et al. 2016), so that beam
   * scores are log-probability / ((5 + length) / 6)^a. Default: lengthPenalty is used.
   */
  gnmtLengthPenalty?: number;
  /**
   * Instead of lengthPenalty: reward r for each token, so that beam scores are log-probability + r
   * length (He et al. 2016). Default: lengthPenalty is used.
   */
  wordReward?: number;
  /**
   * Coverage penalty b (Wu et al. 2016): adds b times the sum over source tokens of log(min(coverage,
   * 1)) to beam scores, where coverage is the total attention that output tokens pay to a source token;
   * a number from 0 (no penalty). Default 0.
   */
  coveragePenalty?: number;
  /**
   * Beam search waits for round(p numBeams) finished hypotheses, at least 1, where p is this (Kasai et
   * al. 2022): a number above 0; above 1 searches longer, below 1 stops sooner. Default 1.
   */
  patience?: number;
  /**
   * When beam search stops after numBeams hypotheses are finished: true, at once; false, when the best
   * open hypothesis would not rank above the worst of them at its present length; 'never', when it could
   * not at any length. Default false.
   */
  earlyStopping?: boolean | 'never';
  /**
   * Number of outputs per input: the n best of beam search or beam sampling (at most numBeams), or
   * independent samples. Default 1.
   */
  numReturnSequences?: number;
  /**
   * Whether to return the attention of each output token over the source tokens, and the alignment
   * computed from it. Default false.
   */
  returnAttention?: boolean;
  /**
   * Whether to return the logits of each new token: for the whole vocabulary, before all processors,
   * like output_logits of Hugging Face. Default false.
   */
  returnLogits?: boolean;
  /** Decoder layer, from 0, whose cross-attention gives the alignment. Default: the last. */
  alignmentLayer?: number;
  /** Heads of alignmentLayer, from 0, whose attention is averaged: a list. Default: all. */
  alignmentHeads?: number[];
  /** No n-gram of this many tokens may occur twice; 0 is no restriction. Default 0. */
  noRepeatNgramSize?: number;
  /**
   * With noRepeatNgramSize: ids of tokens, such as punctuation, whose n-grams may occur again; a list.
   * Default: none.
   */
  noRepeatNgramIgnore?: number[];
  /**
   * Penalty factor for tokens that already occur in the output, a number above 0: above 1 makes them
   * less probable, below 1 more probable. Default 1.
   */
  repetitionPenalty?: number;
  /** No n-gram of this many tokens may be copied from the source; 0 is no restriction. Default 0. */
  encoderNoRepeatNgramSize?: number;
  /**
   * Factor for tokens that occur in the source, a number above 0: above 1 makes them more probable,
   * below 1 less. Their value s, a log-probability in beam search and otherwise a logit, becomes s /
   * factor if negative and s factor otherwise. Default 1.
   */
  encoderRepetitionPenalty?: number;
  /**
   * Draw tokens at random from the distribution instead of taking the best: true or false. Default
   * false.
   */
  doSample?: boolean;
  /** Divisor above 0 of the logits before sampling: below 1 sharpens, above 1 flattens. Default 1. */
  temperature?: number;
  /**
   * Sample only from this many most probable tokens, or with penaltyAlpha choose among them: an integer
   * from 0; 0 is all. Default 50.
   */
  topK?: number;
  /**
   * Contrastive search (Su et al. 2022) with weight a: of the topK most probable tokens choose the one
   * that maximizes (1 - a) times its probability minus a times its similarity to the tokens before; a
   * number from 0 (off) to 1; 0.6 with topK 4 is common. Default 0.
   */
  penaltyAlpha?: number;
  /**
   * Sample from the fewest most probable tokens whose probabilities sum to at least this: a number from
   * 0 to 1; 1 is all. Default 1.
   */
  topP?: number;
  /**
   * Sample only from tokens that are at least this many times as probable as the most probable one: a
   * number from 0 (all) to 1 (Nguyen et al. 2024). Default 0.
   */
  minP?: number;
  /**
   * Locally typical sampling (Meister et al. 2023): sample from the fewest tokens whose information,
   * -log p, is nearest to the entropy and whose probabilities sum to at least this; a number above 0, up
   * to 1 (all). Default 1.
   */
  typicalP?: number;
  /**
   * Sample only from tokens of at least this probability: a number from 0 (all) to below 1 (Hewitt et
   * al. 2022). Default 0.
   */
  epsilonCutoff?: number;
  /**
   * Sample only from tokens of at least probability min(e, sqrt(e) exp(-H)), where e is this and H the
   * entropy: a number from 0 (all) to below 1 (Hewitt et al. 2022). Default 0.
   */
  etaCutoff?: number;
  /**
   * Ids of tokens that are never generated: a list. Replaces the model's own suppress_tokens. Default:
   * the model's.
   */
  suppressTokens?: number[];
  /**
   * Ids of tokens that may not be the first new token, nor the second after a forced first one: a list.
   * Default: the model's begin_suppress_tokens.
   */
  beginSuppressTokens?: number[];
  /**
   * Forbidden words and phrases: a list of lists of token ids. The last token of each gets logit
   * -Infinity if the others precede it; an end token alone is not forbidden. Replaces the model's own
   * bad_words_ids. Default: the model's.
   */
  badWordsIds?: number[][];
  /**
   * Biases of tokens and phrases: a list of pairs [token ids, number]. The number is added to the logit
   * of the last token if the others precede it, and always for a single token; above 0 makes it more
   * probable, below 0 less. Default: the model's sequence_bias.
   */
  sequenceBias?: [number[], number][];
  /** Tokens that end an output: an id or a list of ids. Default: the model's eos_token_id. */
  eosTokenId?: number | number[];
  /**
   * The only token allowed right after the decoder start token: an id, such as a language code's.
   * Default: the model's forced_bos_token_id.
   */
  forcedBosTokenId?: number;
  /**
   * The only tokens allowed as token number maxNewTokens: an id or a list of ids. Default: the model's
   * forced_eos_token_id.
   */
  forcedEosTokenId?: number | number[];
  /**
   * Phrases that every output must contain, by beam search with dynamic beam allocation (Post and Vilar
   * 2018): a list of token id lists, or of lists of such lists, of which one is enough. If an output
   * cannot contain all of them, unmetConstraints lists the missing ones. Default: none.
   */
  forceWordsIds?: (number[] | number[][])[];
  /** Whether forceWordsIds must occur in the order given, one after the other. Default false. */
  orderedConstraints?: boolean;
  /**
   * A function (input, ids) => allowed ids: given the index of the input and its ids so far, decoder
   * start token included, the only tokens that may follow; at least one. Default: none.
   */
  prefixAllowedTokens?: (input: number, ids: readonly number[]) => readonly number[];
  /**
   * The only possible outputs: a list of lists of new token ids, without end token. They do not include
   * a first token forced by forcedBosTokenId. Default: any output.
   */
  allowedSequences?: number[][];
  /**
   * A lexical shortlist, as loadShortlist returns it: restricts outputs to its target tokens for the
   * source tokens of the batch, which is faster. Probabilities sum to one over these tokens. Tokens that
   * other options name are always allowed. Default: none, every token.
   */
  shortlist?: Shortlist;
  /**
   * Bias b toward the prefix of the input instead of forcing it (Arivazhagan et al. 2020): while a
   * hypothesis equals the prefix so far, p becomes (1 - b) p, plus b for the prefix's next token. A
   * number from 0 (the prefix is forced) to below 1. Scores include the bias. Default 0.
   */
  prefixBiasBeta?: number;
  /**
   * Whether to return alternatives at a position, like CTranslate2: the numReturnSequences most probable
   * tokens after the prefix, end tokens excluded, each with its best continuation. A score is the
   * log-probability of that token plus the score of the continuation. Default false.
   */
  returnAlternatives?: boolean;
  /**
   * With returnAlternatives: minimum probability of a next token; the most probable one is always kept.
   * A number from 0 to 1. Default 0.
   */
  minAlternativeExpansionProb?: number;
  /**
   * A smaller model with the same vocabulary, as loadModel returns it, that drafts tokens for greedy
   * search; the model checks a draft in one pass and keeps the tokens that it would have chosen itself
   * (Leviathan et al. 2023). Outputs do not change. Default: none.
   */
  assistantModel?: AssistantModel;
  /** With assistantModel: maximum number of tokens in a draft, an integer from 1. Default 20. */
  numAssistantTokens?: number;
  /**
   * With assistantModel: whether numAssistantTokens stays the same (constant), or grows by 2 after an
   * entirely correct draft and shrinks by 1 after any other (heuristic; starts again for each output).
   * Default constant.
   */
  numAssistantTokensSchedule?: 'constant' | 'heuristic';
  /**
   * With assistantModel: a draft ends with the first token whose probability under the assistant is
   * below this; a number from 0 (no limit) to 1. Default 0.4.
   */
  assistantConfidenceThreshold?: number;
  /**
   * Drafts without a second model, for outputs that repeat the source, the prompt or themselves: the
   * draft is the tokens, at most this many, that followed an earlier occurrence of the last tokens; an
   * integer from 1, such as 10. Outputs do not change. Default: none.
   */
  promptLookupNumTokens?: number;
  /**
   * With promptLookupNumTokens: maximum number of last tokens to search for, an integer from 1; if they
   * are not found, fewer are tried. Default 2.
   */
  maxMatchingNgramSize?: number;
  /**
   * Makes end tokens more probable as outputs grow: [start, factor]; after n > start new tokens the
   * value s of each end token, a log-probability in beam search and otherwise a logit, becomes s + |s|
   * (factor^(n - start) - 1). Default: the model's exponential_decay_length_penalty.
   */
  exponentialDecayLengthPenalty?: [number, number];
  /**
   * Seconds, above 0, after which a batch ends with the tokens generated so far, at least one new token
   * each; checked after each token. Default: no limit.
   */
  maxTime?: number;
  /**
   * Texts that end an output as soon as it contains one: a text or a list of texts; they are kept in the
   * output. The library also needs decode. Default: none.
   */
  stopStrings?: string | string[];
  /**
   * A function from lists of new token ids to their texts, such as a tokenizer's decodeBatch; needed for
   * stopStrings. Default: none.
   */
  decode?: (outputs: number[][]) => string[] | Promise<string[]>;
  /**
   * An AbortSignal: the search ends with error ABORTED once it is aborted, checked before each step.
   * Default: none.
   */
  signal?: AbortSignal;
  /**
   * Seed of sampling: an integer from 0; the same seed and input give the same samples in any batch.
   * Default: a new one each time.
   */
  seed?: number;
};
