import type { GenerationOptions, ResolvedGenerationOptions } from './optionsSchema.js';

/**
 * Differences between toolkits that search with the same options: the order of processors, the length that scores
 * are divided by, the handling of hypotheses that end. Search, selector and edits read these properties, never a
 * toolkit's name.
 */
export interface Conventions {
  /** Defaults that differ; `minLength` counts as the model setting of that name does, prompt and start token included. */
  readonly defaults: { readonly lengthPenalty?: number; readonly minLength?: number };
  /** Whether one beam is searched and scored like several; otherwise it is greedy search, scored by the model alone. */
  readonly oneBeamIsABeam: boolean;
  /** The values that repetition penalties and the length decay change in beam search. */
  readonly penaltySpace: 'logits' | 'logProbabilities';
  /** Whether probabilities are normalized over the tokens that processors allow: if `renormalize_logits` is set, or always. */
  readonly renormalize: 'modelSays' | 'always' | 'never';
  /** Whether repetition penalty and n-grams count the decoder start token. */
  readonly startRepeats: boolean;
  /** The base of the exponent `lengthPenalty`: the length, or (5 + length) / 6. */
  readonly lengthBase: 'length' | 'gnmt';
  /** Whether a decoder prompt, without its start token, counts in the length. */
  readonly promptCounts: boolean;
  /** Whether prompts and forced tokens are scored with the model's log-probabilities, like new tokens. */
  readonly scoresForced: boolean;
  /** The last token: that of `forced_eos_token_id`, any token, or an end token. */
  readonly lastPlace: 'modelSays' | 'any' | 'end';
  /** Whether the first token after a prompt may end only the best hypothesis; other hypotheses that end there are dropped. */
  readonly onlyBestEndsFirst: boolean;
  /**
   * Which beam a hypothesis occupies when it ends: none, since the next best continuation fills it ('none'); that of
   * a continuation in this step ('once'); or a beam permanently ('always').
   */
  readonly endTakesPlace: 'none' | 'once' | 'always';
  /** Which finished hypotheses are kept if there are more than requested. */
  readonly keeps: 'best' | 'first';
  /** When a sentence is done: by `earlyStopping`, once enough hypotheses are finished, or once none is open. */
  readonly stops: 'earlyStopping' | 'enough' | 'exhausted';
  /**
   * Whether, without a length penalty, a sentence is done once a best continuation of a step has ended and there are as many
   * hypotheses as requested.
   */
  readonly stopsAtBest: boolean;
  /** Whether `patience` has a meaning. */
  readonly hasPatience: boolean;
}

/** transformers 5, `GenerationMixin._beam_search`. */
const huggingface: Conventions = {
  defaults: {},
  oneBeamIsABeam: false,
  penaltySpace: 'logProbabilities',
  renormalize: 'modelSays',
  startRepeats: true,
  lengthBase: 'length',
  promptCounts: false,
  scoresForced: false,
  lastPlace: 'modelSays',
  onlyBestEndsFirst: false,
  endTakesPlace: 'none',
  keeps: 'best',
  stops: 'earlyStopping',
  stopsAtBest: false,
  hasPatience: true,
};

export const conventionsByName = {
  huggingface,
  /** CTranslate2 4.8, `BeamSearch` with prefixes returned. */
  ctranslate2: {
    ...huggingface,
    defaults: { minLength: 2 },
    oneBeamIsABeam: true,
    penaltySpace: 'logits',
    renormalize: 'always',
    startRepeats: false,
    promptCounts: true,
    lastPlace: 'any',
    onlyBestEndsFirst: true,
    stops: 'enough',
    stopsAtBest: true,
  },
  /** fairseq 0.12, `SequenceGenerator`. */
  fairseq: {
    ...huggingface,
    defaults: { minLength: 2 },
    oneBeamIsABeam: true,
    renormalize: 'never',
    scoresForced: true,
    lastPlace: 'end',
    keeps: 'first',
    stops: 'enough',
    hasPatience: false,
  },
  /** Marian 1.12, `BeamSearch` and `History`. */
  marian: {
    ...huggingface,
    defaults: { lengthPenalty: 0 },
    oneBeamIsABeam: true,
    renormalize: 'never',
    scoresForced: true,
    lastPlace: 'any',
    endTakesPlace: 'always',
    stops: 'exhausted',
    hasPatience: false,
  },
  /** UniLM's s2s-ft, `BertForSeq2SeqDecoder.beam_search`, and the choice from its traces. */
  unilm: {
    ...huggingface,
    defaults: { lengthPenalty: 0, minLength: 2 },
    oneBeamIsABeam: true,
    renormalize: 'never',
    startRepeats: false,
    lengthBase: 'gnmt',
    lastPlace: 'any',
    endTakesPlace: 'once',
    stops: 'exhausted',
    hasPatience: false,
  },
} as const satisfies Record<NonNullable<GenerationOptions['conventions']>, Conventions>;

/** The conventions that options name. */
export function conventionsOf({ conventions }: Pick<ResolvedGenerationOptions, 'conventions'>): Conventions {
  return conventionsByName[conventions];
}

/** Whether hypotheses are kept in beams; otherwise each row chooses independently. */
export function searchesBeams(
  options: Pick<ResolvedGenerationOptions, 'conventions' | 'numBeams' | 'doSample'>,
): boolean {
  return options.numBeams > 1 || (!options.doSample && conventionsOf(options).oneBeamIsABeam);
}
