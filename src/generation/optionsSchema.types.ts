// Made by `npm run docs` from the schema beside it: do not edit.

import type { AssistantModel } from './assistant.js';
import type { Shortlist } from './shortlist.js';

/** What a caller may set; everything is optional. */
export type GenerationOptions = {
  /**
   * Hypotheses kept at every step: an integer from 1; 1 is greedy search or sampling, more with doSample
   * beam sampling. Default 1.
   */
  numBeams?: number;
  /**
   * Most tokens to generate, the end token included: an integer from 1. Default: what the model's
   * max_length leaves after the decoder prompt, else 20.
   */
  maxNewTokens?: number;
  /**
   * Tokens to generate before an end token is allowed: an integer from 0. Default 0; with conventions
   * ctranslate2, fairseq and unilm 1 without a decoder prompt.
   */
  minNewTokens?: number;
  /**
   * Whose search to repeat where toolkits differ: the order of processors, the length in scores, what
   * becomes of hypotheses that end, and defaults. Default huggingface.
   */
  conventions?: 'huggingface' | 'ctranslate2' | 'fairseq' | 'marian' | 'unilm';
  /**
   * Exponent p of the length in beam scores, log-probability / length^p: above 0 favors longer output,
   * below 0 shorter. Default 1; with conventions marian and unilm 0.
   */
  lengthPenalty?: number;
  /**
   * Diverse beam search (Vijayakumar et al. 2018): groups that share numBeams equally and avoid one
   * another by diversityPenalty; 1 is plain beam search. Default 1.
   */
  numBeamGroups?: number;
  /**
   * With numBeamGroups: what a token loses in log-probability for each beam of an earlier group that
   * takes it in the same step; a number from 0. Default 0.
   */
  diversityPenalty?: number;
  /**
   * Beam search with diverse siblings (Li et al. 2016): the k-th best continuation of a hypothesis loses
   * k times this in log-probability, from the second token on; a number from 0. Default 0.
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
   * Beam scores gain b times the sum over source tokens of log(min(coverage, 1)), coverage being the
   * attention that the tokens of the output pay to one; for this b, a number from 0, which is no penalty
   * (Wu et al. 2016). Default 0.
   */
  coveragePenalty?: number;
  /**
   * Factor p above 0 of the number of finished hypotheses that beam search waits for, round(p numBeams),
   * at least 1: above 1 searches longer, below 1 stops sooner (Kasai et al. 2022). Default 1.
   */
  patience?: number;
  /**
   * When beam search stops: true, once numBeams hypotheses are finished; false, once the best open beam
   * would not beat the worst of them at its present length; 'never', once it could not at any length.
   * Default false.
   */
  earlyStopping?: boolean | 'never';
  /**
   * Outputs per input: the n best of a beam search or of beam sampling (at most numBeams), or
   * independent samples. Default 1.
   */
  numReturnSequences?: number;
  /**
   * Whether outputs come with the attention of each of their tokens over those of the source, and the
   * alignment that follows from it. Default false.
   */
  returnAttention?: boolean;
  /**
   * Whether outputs come with the logits that each new token was chosen from: all of the vocabulary,
   * before all processors, as output_logits of Hugging Face. Default false.
   */
  returnLogits?: boolean;
  /** Layer of the decoder, from 0, whose cross-attention stands for the alignment. Default: the last. */
  alignmentLayer?: number;
  /** Heads of alignmentLayer, from 0, whose attention is averaged: a list. Default: all of them. */
  alignmentHeads?: number[];
  /** No n-gram of this many tokens may occur twice; 0 is no restriction. Default 0. */
  noRepeatNgramSize?: number;
  /**
   * With noRepeatNgramSize: ids of tokens, such as punctuation, whose n-grams may occur again; a list.
   * Default: none.
   */
  noRepeatNgramIgnore?: number[];
  /**
   * Factor above 0 against tokens that already occur in the output: above 1 discourages them, below 1
   * encourages. Default 1.
   */
  repetitionPenalty?: number;
  /** No n-gram of this many tokens may be copied from the source; 0 is no restriction. Default 0. */
  encoderNoRepeatNgramSize?: number;
  /**
   * Factor above 0 in favor of tokens that occur in the source: above 1 favors them, below 1 disfavors:
   * their value s, a log-probability in beam search and else a logit, becomes s / factor where negative
   * and s factor otherwise. Default 1.
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
   * Sample from this many most probable tokens only, or with penaltyAlpha choose among them: an integer
   * from 0; 0 is all of them. Default 50.
   */
  topK?: number;
  /**
   * Contrastive search (Su et al. 2022): of the topK most probable tokens take the one with the best
   * probability, weighted 1 - a, less its likeness to what is there, weighted a: a number from 0, which
   * is off, to 1; 0.6 with topK 4 is usual. Default 0.
   */
  penaltyAlpha?: number;
  /**
   * Sample from the fewest most probable tokens whose probabilities reach this sum: a number from 0 to
   * 1; 1 is all. Default 1.
   */
  topP?: number;
  /**
   * Sample only from tokens that are at least this many times as probable as the most probable one: a
   * number from 0, which keeps all, to 1 (Nguyen et al. 2024). Default 0.
   */
  minP?: number;
  /**
   * Sample from the fewest tokens whose information, -log p, is nearest to the entropy and whose
   * probabilities reach this sum: a number above 0, up to 1, which keeps all (locally typical sampling,
   * Meister et al. 2023). Default 1.
   */
  typicalP?: number;
  /**
   * Sample only from tokens of at least this probability: a number from 0, which keeps all, to below 1
   * (Hewitt et al. 2022). Default 0.
   */
  epsilonCutoff?: number;
  /**
   * Sample only from tokens of at least probability min(e, sqrt(e) exp(-H)), for this e and the entropy
   * H: a number from 0, which keeps all, to below 1 (Hewitt et al. 2022). Default 0.
   */
  etaCutoff?: number;
  /**
   * Ids of tokens that are never produced: a list. Replaces the model's own suppress_tokens. Default:
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
   * -Infinity where the others precede it; an end token alone is not forbidden. Replaces the model's own
   * bad_words_ids. Default: the model's.
   */
  badWordsIds?: number[][];
  /**
   * Biases of tokens and phrases: a list of pairs [token ids, number]. The number is added to the logit
   * of the last token where the others precede it, always for a single token; above 0 favors, below 0
   * disfavors. Default: the model's sequence_bias.
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
   * The only tokens allowed in the last place, maxNewTokens: an id or a list of ids. Default: the
   * model's forced_eos_token_id.
   */
  forcedEosTokenId?: number | number[];
  /**
   * Phrases that every output must contain, by beam search with dynamic beam allocation (Post and Vilar
   * 2018): a list whose items are lists of token ids, or lists of such lists, of which one is enough.
   * Where an output cannot meet them, unmetConstraints names those it lacks. Default: none.
   */
  forceWordsIds?: (number[] | number[][])[];
  /** Whether forceWordsIds must come in the order given, one after the other. Default false. */
  orderedConstraints?: boolean;
  /**
   * A function (input, ids) => allowed ids: given the index of the input and its ids so far, decoder
   * start token included, the only tokens that may follow; at least one. Default: none.
   */
  prefixAllowedTokens?: (input: number, ids: readonly number[]) => readonly number[];
  /**
   * The only possible outputs: a list of lists of new token ids, without end token. A first token forced
   * by forcedBosTokenId is no part of them. Default: any output.
   */
  allowedSequences?: number[][];
  /**
   * A lexical shortlist, as loadShortlist reads it: outputs are of those tokens alone that it offers for
   * any source token of the batch, which is faster; their probabilities sum to one over these. What
   * other options name may always come. Default: none, every token.
   */
  shortlist?: Shortlist;
  /**
   * Draws outputs to the prefix of their input instead of holding them to it: while a hypothesis agrees
   * with the prefix, p becomes (1 - b) p, plus b for the prefix's next token (Arivazhagan et al. 2020);
   * for this b, a number from 0, which holds them to it, to below 1. Scores include it. Default 0.
   */
  prefixBiasBeta?: number;
  /**
   * Whether to return alternatives at a position: the numReturnSequences most probable tokens after the
   * prefix, end tokens aside, each with the best output that goes on from there, as CTranslate2 does. A
   * score is the log-probability of that token plus the score of what follows. Default false.
   */
  returnAlternatives?: boolean;
  /**
   * With returnAlternatives: leaves out next tokens that are less probable than this, but never the most
   * probable one; a number from 0 to 1. Default 0.
   */
  minAlternativeExpansionProb?: number;
  /**
   * A smaller model of the same vocabulary, as loadModel gives it, that drafts tokens ahead for greedy
   * search; the model checks a draft in one pass and keeps what it would have chosen itself (Leviathan
   * et al. 2023). Outputs stay the same. Default: none.
   */
  assistantModel?: AssistantModel;
  /** With assistantModel: most tokens of a draft, an integer from 1. Default 20. */
  numAssistantTokens?: number;
  /**
   * With assistantModel: whether numAssistantTokens stays (constant), or grows by 2 after a draft that
   * was right throughout and shrinks by 1 after another (heuristic; each output begins anew). Default
   * constant.
   */
  numAssistantTokensSchedule?: 'constant' | 'heuristic';
  /**
   * With assistantModel: a draft ends with the first token whose probability the assistant puts below
   * this; a number from 0, which ends none, to 1. Default 0.4.
   */
  assistantConfidenceThreshold?: number;
  /**
   * Drafts without a second model, for outputs that repeat the source, the prompt or themselves: where
   * the last tokens occurred before, the tokens that followed there, at most this many, are the draft;
   * an integer from 1, such as 10. Outputs stay the same. Default: none.
   */
  promptLookupNumTokens?: number;
  /**
   * With promptLookupNumTokens: most last tokens that are looked for, an integer from 1; fewer where so
   * many are not found. Default 2.
   */
  maxMatchingNgramSize?: number;
  /**
   * Makes ending likelier as outputs grow: [start, factor]; after n > start new tokens the value s of
   * each end token, a log-probability in beam search and else a logit, becomes s + |s| (factor^(n -
   * start) - 1). Default: the model's exponential_decay_length_penalty.
   */
  exponentialDecayLengthPenalty?: [number, number];
  /**
   * Seconds above 0 after which a batch ends with what it has, at least one new token each; checked
   * after each token. Default: no limit.
   */
  maxTime?: number;
  /**
   * Texts that end an output as soon as it contains one: a text or a list of texts; they stay part of
   * the output. In the library, give decode too. Default: none.
   */
  stopStrings?: string | string[];
  /**
   * A function that turns lists of new token ids into their texts, such as a tokenizer's decodeBatch;
   * needed for stopStrings. Default: none.
   */
  decode?: (outputs: number[][]) => string[] | Promise<string[]>;
  /**
   * An AbortSignal: the search ends with error ABORTED once it is aborted, checked before each step.
   * Default: none.
   */
  signal?: AbortSignal;
  /**
   * Seed of sampling: an integer from 0; the same seed and input give the same samples whatever the
   * batch. Default: a new one each time.
   */
  seed?: number;
};
