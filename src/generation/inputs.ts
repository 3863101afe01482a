import { PolybeamError } from '../errors.js';
import type { ForcedWords } from './constraints.js';
import type { DecodingRules, ResolvedGenerationOptions } from './options.js';
import type { Constraint } from './processors/lexicalConstraints.js';
import type { SourceBatch, StepModel } from './stepModel.js';

/** One sentence to decode. */
export interface GenerationInput {
  /** Source token ids, or for a model that continues texts the text; empty gives an empty output. */
  inputIds: readonly number[];
  /** 1 for a token, 0 for padding; default all 1. Same length as inputIds. */
  attentionMask?: readonly number[];
  /**
   * Beginning of the output to continue; the decoder start token is put before it where it is missing. Not for models
   * without such a token: they continue inputIds.
   */
  decoderInputIds?: readonly number[];
  /**
   * Ids that its outputs go on with after the decoder start token and `decoderInputIds`, or after the first token where that
   * is forced; with `prefixBiasBeta` that they are drawn to. Not for models that continue inputIds, nor for an empty input.
   */
  prefix?: readonly number[];
  /** Phrases that its outputs must contain, beside those of the options: see the option of this name. */
  forceWordsIds?: ForcedWords;
}

/** How inputs share batches; it changes speed and memory, and results only with a shortlist or int8 weights. */
export interface Batching {
  /** Most sentences in a batch. Default 16; with drafts (`assistantModel`, `promptLookupNumTokens`) always 1. */
  batchSize?: number;
  /** Most source tokens in a batch, padding included; a longer sentence makes a batch of its own. Default no limit. */
  maxBatchTokens?: number;
  /** Index of the first input among all that are sampled with one seed, for callers that come in portions. Default 0. */
  firstIndex?: number;
  /** Told after each batch how many inputs are done. */
  onProgress?: (done: number, total: number) => void;
}

/** An input that is checked. */
export interface Entry {
  index: number;
  inputIds: readonly number[];
  attentionMask: readonly number[] | undefined;
  prompt: readonly number[];
  /** What its outputs are drawn to. */
  bias?: readonly number[];
  constraints?: Constraint[];
}

/** @throws INPUT_INVALID naming the input */
export function checkInput(
  model: StepModel,
  input: GenerationInput,
  index: number,
  rules: DecodingRules,
  options: ResolvedGenerationOptions,
): Entry {
  const { inputIds, attentionMask, decoderInputIds } = input;
  const bad = inputIds.find((id) => !Number.isInteger(id) || id < 0);
  if (bad !== undefined) throw invalid(index, `inputIds holds ${bad}`, 'give token ids from 0');
  if (attentionMask && attentionMask.length !== inputIds.length) {
    throw invalid(
      index,
      `attentionMask has ${attentionMask.length} values for ${inputIds.length} inputIds`,
      'give one each',
    );
  }
  const badMask = attentionMask?.find((value) => value !== 0 && value !== 1);
  if (badMask !== undefined) throw invalid(index, `attentionMask holds ${badMask}`, 'give 0 or 1');
  const continues = rules.decoderStartTokenId === undefined;
  if (continues && decoderInputIds?.length) {
    throw invalid(
      index,
      `decoderInputIds [${decoderInputIds}] has no place beside inputIds, which the model continues`,
      'append them to inputIds',
    );
  }
  const given = continues ? 'inputIds' : 'decoderInputIds';
  for (const name of [given, 'prefix'] as const) {
    const badId = input[name]?.find((id) => !Number.isInteger(id) || id < 0 || id >= model.vocabSize);
    if (badId === undefined) continue;
    throw invalid(index, `${name} holds ${badId}`, `give token ids from 0 to ${model.vocabSize - 1}`);
  }
  return { index, inputIds, attentionMask, ...beginning(input, index, rules, options) };
}

/** A prompt and the prefix after it; both follow a first token that would be forced. */
function beginning(
  input: GenerationInput,
  index: number,
  rules: DecodingRules,
  { prefixBiasBeta, returnAlternatives }: ResolvedGenerationOptions,
): Pick<Entry, 'prompt' | 'bias'> {
  const { inputIds, prefix = [] } = input;
  const { decoderStartTokenId, forcedBosTokenId } = rules;
  const prompt = promptOf(input, rules);
  const forced = prompt.length === 1 && forcedBosTokenId !== undefined ? [forcedBosTokenId] : [];
  // There is no alternative to a forced token.
  if (prefix.length === 0) return { prompt: returnAlternatives ? [...prompt, ...forced] : prompt };
  if (decoderStartTokenId === undefined) {
    throw invalid(
      index,
      `prefix [${prefix}] has no place beside inputIds, which the model continues`,
      'append it to inputIds',
    );
  }
  if (inputIds.length === 0) {
    throw invalid(index, `prefix [${prefix}] begins the output of nothing`, 'give inputIds, or leave it out');
  }
  const rest = [...forced, ...prefix];
  return prefixBiasBeta > 0 ? { prompt, bias: rest } : { prompt: [...prompt, ...rest] };
}

/** What an output begins with: the decoder start token and what is given, or without such a token the input. */
export function promptOf(
  { inputIds, attentionMask, decoderInputIds }: GenerationInput,
  { decoderStartTokenId: start }: DecodingRules,
): readonly number[] {
  if (start === undefined) return inputIds.filter((_, at) => attentionMask?.[at] !== 0);
  return decoderInputIds?.[0] === start ? decoderInputIds : [start, ...(decoderInputIds ?? [])];
}

/** Batches of one prompt length each, longest sources first; a sort that keeps the order of equals. */
export function makeBatches(entries: readonly Entry[], { batchSize, maxBatchTokens }: Batching): Entry[][] {
  for (const [name, value] of Object.entries({ batchSize, maxBatchTokens })) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 1)) {
      throw new PolybeamError('OPTION_INVALID', `Option ${name} cannot be ${value}: give an integer from 1.`);
    }
  }
  const most = batchSize ?? (maxBatchTokens === undefined ? 16 : Number.POSITIVE_INFINITY);
  const sorted = [...entries].sort(
    (a, b) => b.prompt.length - a.prompt.length || b.inputIds.length - a.inputIds.length,
  );
  const batches: Entry[][] = [];
  for (const entry of sorted) {
    const batch = batches.at(-1);
    const fits =
      batch !== undefined &&
      batch[0].prompt.length === entry.prompt.length &&
      batch.length < most &&
      (batch.length + 1) * batch[0].inputIds.length <= (maxBatchTokens ?? Number.POSITIVE_INFINITY);
    if (fits) batch.push(entry);
    else batches.push([entry]);
  }
  return batches;
}

/**
 * ONNX Runtime's product of one row adds up four terms at a time, and what is left at the end in another order. At a multiple of
 * four, what a batch adds to a sentence in padding changes no bit of the sentence's result.
 */
const wholeTerms = 4;

/**
 * Sources of one length: that of the longest, on to the next multiple of four where the model has room for it.
 * @param maxSource of the model; undefined: on to nothing
 */
export function padSources(batch: readonly Entry[], padTokenId: number, maxSource = 0): SourceBatch {
  const longest = batch[0].inputIds.length;
  const source = Math.max(longest, Math.min(Math.ceil(longest / wholeTerms) * wholeTerms, maxSource));
  const inputIds = new Int32Array(batch.length * source).fill(padTokenId);
  const attentionMask = new Int32Array(batch.length * source);
  batch.forEach((entry, row) => {
    inputIds.set(entry.inputIds, row * source);
    if (entry.attentionMask) attentionMask.set(entry.attentionMask, row * source);
    else attentionMask.fill(1, row * source, row * source + entry.inputIds.length);
  });
  return { inputIds, attentionMask, batch: batch.length, source };
}

function invalid(index: number, what: string, remedy: string): PolybeamError {
  return new PolybeamError('INPUT_INVALID', `Input ${index}: ${what}; ${remedy}.`);
}
