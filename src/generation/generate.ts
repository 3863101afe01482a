import { PolybeamError } from '../errors.js';
import { searchAlternatives } from './alternatives.js';
import { isAssisted, requireAssistance } from './assisted.js';
import { requireAttention } from './attentionLog.js';
import { constraintsOf, type ForcedWords } from './constraints.js';
import { isContrastive, requireHiddenStates } from './contrastive.js';
import {
  type DecodingRules,
  decodingRules,
  type LengthLimits,
  lengthLimits,
  type ResolvedGenerationOptions,
} from './options.js';
import type { Constraint } from './processors/lexicalConstraints.js';
import type { OutputProgress, ProgressListener } from './progress.js';
import { searchBatch } from './search.js';
import type { GeneratedSequence } from './selector.js';
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

/** Outputs of one input: best first for beams, in order of sample for sampling. */
export interface GenerationResult {
  sequences: GeneratedSequence[];
}

/** How inputs share batches; it changes speed and memory, not results. */
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

interface Entry {
  index: number;
  inputIds: readonly number[];
  attentionMask: readonly number[] | undefined;
  prompt: readonly number[];
  /** What its outputs are drawn to. */
  bias?: readonly number[];
  constraints?: Constraint[];
}

/**
 * Decodes all inputs and returns their outputs in the same order. Sentences are sorted longest first and batched with
 * those of the same decoder prompt length; everything is checked before the model is called.
 *
 * @param options from `resolveGenerationOptions`
 * @param modelRules which options may replace
 * @param onTokens told after each step of a batch what has become of its inputs; an empty input is told of at once
 * @throws PolybeamError INPUT_INVALID naming the input; OPTION_INVALID or OPTION_CONFLICT where a prompt leaves no room.
 */
export async function generate(
  model: StepModel,
  inputs: readonly GenerationInput[],
  options: ResolvedGenerationOptions,
  modelRules: DecodingRules,
  batching: Batching = {},
  onTokens?: ProgressListener,
): Promise<GenerationResult[]> {
  const rules = decodingRules(modelRules, options, model.vocabSize);
  requireAttention(model, options);
  requireHiddenStates(model, options);
  if (onTokens && options.returnAlternatives) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      'returnAlternatives does not go with streams; call generate, or leave returnAlternatives out.',
    );
  }
  const entries = inputs.map((input, index) => checkInput(model, input, index, rules, options));
  requireAssistance(
    model,
    options,
    rules,
    entries.map(({ inputIds }) => inputIds),
  );
  const results: GenerationResult[] = entries.map(() => ({
    sequences: [
      {
        ids: [],
        score: 0,
        tokenLogProbabilities: [],
        ...(options.returnAttention && { attention: [] }),
        ...(options.returnLogits && { logits: [] }),
        ...(isAssisted(options) && { drafts: { passes: 0, drafted: 0, accepted: 0 } }),
      },
    ],
  }));
  const filled = entries.filter(
    (entry) => entry.inputIds.length > 0 && (entry.attentionMask?.includes(1) ?? true),
  );
  const limits = new Map<number, LengthLimits>();
  for (const { prompt } of filled) {
    const limit = lengthLimits(options, prompt.length, model.maxPositions - Number(isContrastive(options)));
    requireRoom(options, rules, prompt.length, limit);
    limits.set(prompt.length, limit);
  }
  for (const entry of filled) {
    const own = inputs[entry.index].forceWordsIds;
    if (!own && !options.forceWordsIds) continue;
    const limit = limits.get(entry.prompt.length) as LengthLimits;
    entry.constraints = constraintsOf(own, options, rules, limit, model.vocabSize, entry.index);
  }
  if (options.orderedConstraints && !filled.some(({ constraints }) => constraints?.length)) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      'orderedConstraints has no effect without forceWordsIds; give some, or leave orderedConstraints out.',
    );
  }
  if (options.prefixBiasBeta > 0 && inputs.length > 0 && inputs.every(({ prefix }) => prefix === undefined)) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `prefixBiasBeta ${options.prefixBiasBeta} has no effect without a prefix; give inputs one, or leave prefixBiasBeta out.`,
    );
  }
  let done = entries.length - filled.length;
  // Each sentence has drafts of its own.
  const batches = makeBatches(filled, isAssisted(options) ? { ...batching, batchSize: 1 } : batching);
  const firstIndex = batching.firstIndex ?? 0;
  if (onTokens && done > 0) {
    const searched = new Set(filled);
    const empty = entries.filter((entry) => !searched.has(entry));
    await onTokens(empty.map(({ index }) => emptyProgress(firstIndex + index, results[index])));
  }
  for (const batch of batches) {
    const promptLength = batch[0].prompt.length;
    const search = options.returnAlternatives ? searchAlternatives : searchBatch;
    const outputs = await search(model, {
      source: padSources(batch, rules.padTokenId),
      sourceLengths: batch.map(({ inputIds }) => inputIds.length),
      prompt: Int32Array.from(batch.flatMap((entry) => entry.prompt)),
      promptLength,
      options,
      limits: limits.get(promptLength) as LengthLimits,
      rules,
      bias: batch.some(({ bias }) => bias) ? batch.map(({ bias = [] }) => bias) : undefined,
      constraints: batch.some(({ constraints }) => constraints)
        ? batch.map(({ constraints = [] }) => constraints)
        : undefined,
      sentenceIds: batch.map((entry) => entry.index + firstIndex),
      onTokens,
    });
    for (let i = 0; i < batch.length; i++) results[batch[i].index] = { sequences: outputs[i] };
    done += batch.length;
    batching.onProgress?.(done, entries.length);
  }
  return results;
}

/** Nothing comes of an empty input. */
function emptyProgress(index: number, { sequences }: GenerationResult): OutputProgress {
  return { index, sequence: 0, ids: [], tentativeIds: [], ended: true, sequences };
}

/** Refuses outputs that the caller demands and that the length forbids. */
function requireRoom(
  { allowedSequences = [] }: ResolvedGenerationOptions,
  { forcedBosTokenId }: DecodingRules,
  promptLength: number,
  { maxNewTokens }: LengthLimits,
): void {
  const longest = allowedSequences.reduce((most, ids) => Math.max(most, ids.length), 0);
  const needed = longest + 1 + Number(promptLength === 1 && forcedBosTokenId !== undefined);
  if (allowedSequences.length === 0 || needed <= maxNewTokens) return;
  throw new PolybeamError(
    'OPTION_CONFLICT',
    `allowedSequences holds one of ${longest} tokens, which needs maxNewTokens ${needed} and has ${maxNewTokens}; raise maxNewTokens.`,
  );
}

function checkInput(
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
function makeBatches(entries: readonly Entry[], { batchSize, maxBatchTokens }: Batching): Entry[][] {
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

function padSources(batch: readonly Entry[], padTokenId: number): SourceBatch {
  const source = batch[0].inputIds.length;
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
