import { PolybeamError } from '../errors.js';
import {
  inputName,
  requireIds,
  requireIntegerOption,
  requireKeys,
  requireMask,
  requireObject,
  requireOptionNames,
  wrongInput,
} from '../inputs.js';
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
   * Ids that its outputs have after the decoder start token and `decoderInputIds`, or after the first token if that
   * is forced; with `prefixBiasBeta` a preference. Not for language models, nor for an empty input.
   */
  prefix?: readonly number[];
  /** Phrases that its outputs must contain, in addition to those of the options: see the option of this name. */
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
  /** Called after each batch with the number of inputs done. */
  onProgress?: (done: number, total: number) => void;
}

/** The options of `Batching`. */
export const batchingNames = ['batchSize', 'maxBatchTokens', 'firstIndex', 'onProgress'] as const;

/** Batching of inputs that may be parts of the caller's inputs. */
export interface NamedBatching extends Batching {
  /** For each input the index of the caller's input that it is a part of. Default: its own. */
  partOf?: readonly number[];
}

/** How errors name the inputs of a call. @param index of an input in the call, from 0 */
export function namesOf({ firstIndex = 0, partOf }: NamedBatching): (index: number) => string {
  return (index) => inputName(firstIndex + (partOf?.[index] ?? index));
}

/** @throws OPTION_UNKNOWN, OPTION_INVALID; INPUT_INVALID for what is no object */
export function checkBatching(batching: NamedBatching): void {
  requireOptionNames(batching, [...batchingNames, 'partOf'], 'Batching');
  requireIntegerOption('batchSize', batching.batchSize, 1);
  requireIntegerOption('maxBatchTokens', batching.maxBatchTokens, 1);
  requireIntegerOption('firstIndex', batching.firstIndex, 0);
  const { onProgress } = batching;
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw wrongInput('onProgress', onProgress, 'give a function');
  }
}

/** An input that is checked. */
export interface Entry {
  index: number;
  /** In errors. */
  name: string;
  inputIds: readonly number[];
  attentionMask: readonly number[] | undefined;
  prompt: readonly number[];
  /** The prefix that its outputs prefer. */
  bias?: readonly number[];
  constraints?: Constraint[];
}

const inputKeys = ['inputIds', 'attentionMask', 'decoderInputIds', 'prefix', 'forceWordsIds'] as const;

/** @throws INPUT_INVALID naming the input */
export function checkInput(
  model: StepModel,
  input: GenerationInput,
  { index, name }: Pick<Entry, 'index' | 'name'>,
  rules: DecodingRules,
  options: ResolvedGenerationOptions,
): Entry {
  requireObject(input, name, 'inputIds');
  requireKeys(input, inputKeys, name);
  const { inputIds, attentionMask, decoderInputIds } = input;
  const continues = rules.decoderStartTokenId === undefined;
  // The model's outputs include its input.
  requireIds(inputIds, `${name}: inputIds`, continues ? model.vocabSize : undefined);
  if (attentionMask !== undefined) requireMask(attentionMask, inputIds.length, `${name}: attentionMask`);
  for (const key of ['decoderInputIds', 'prefix'] as const) {
    if (input[key] !== undefined) requireIds(input[key], `${name}: ${key}`, model.vocabSize);
  }
  if (continues && decoderInputIds?.length) {
    throw invalid(
      name,
      `decoderInputIds [${decoderInputIds}] has no place beside inputIds, which the model continues`,
      'append them to inputIds',
    );
  }
  return { index, name, inputIds, attentionMask, ...beginning(input, name, rules, options) };
}

/** A prompt and the prefix after it; both follow a first token that would be forced. */
function beginning(
  input: GenerationInput,
  name: string,
  rules: DecodingRules,
  { prefixBiasBeta, returnAlternatives }: ResolvedGenerationOptions,
): Pick<Entry, 'prompt' | 'bias'> {
  const { inputIds, prefix = [] } = input;
  const { decoderStartTokenId, forcedBosTokenId } = rules;
  const prompt = promptOf(input, rules);
  const forced = prompt.length === 1 && forcedBosTokenId !== undefined ? [forcedBosTokenId] : [];
  // A forced token has no alternative.
  if (prefix.length === 0) return { prompt: returnAlternatives ? [...prompt, ...forced] : prompt };
  if (decoderStartTokenId === undefined) {
    throw invalid(
      name,
      `prefix [${prefix}] has no place beside inputIds, which the model continues`,
      'append it to inputIds',
    );
  }
  if (inputIds.length === 0) {
    throw invalid(name, `prefix [${prefix}] begins the output of nothing`, 'give inputIds, or leave it out');
  }
  const rest = [...forced, ...prefix];
  return prefixBiasBeta > 0 ? { prompt, bias: rest } : { prompt: [...prompt, ...rest] };
}

/** The beginning of an output: the decoder start token and the given ids, or without such a token the input. */
export function promptOf(
  { inputIds, attentionMask, decoderInputIds }: GenerationInput,
  { decoderStartTokenId: start }: DecodingRules,
): readonly number[] {
  if (start === undefined) return inputIds.filter((_, at) => attentionMask?.[at] !== 0);
  return decoderInputIds?.[0] === start ? decoderInputIds : [start, ...(decoderInputIds ?? [])];
}

/** Batches of one prompt length each, longest sources first; a sort that keeps the order of equals. */
export function makeBatches(entries: readonly Entry[], { batchSize, maxBatchTokens }: Batching): Entry[][] {
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
 * ONNX Runtime's product of one row adds four terms at a time, and the remaining terms in another order. At a multiple of
 * four, the padding of a batch changes no bit of a sentence's result.
 */
const wholeTerms = 4;

/**
 * Sources padded to one length: that of the longest, rounded up to a multiple of four within `maxSource`.
 * @param maxSource of the model; default: no padding beyond the longest
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

function invalid(name: string, what: string, remedy: string): PolybeamError {
  return new PolybeamError('INPUT_INVALID', `${name}: ${what}; ${remedy}.`);
}
