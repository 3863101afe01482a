import { PolybeamError } from '../errors.js';
import { requireFunction, requireList, requireObject } from '../inputs.js';
import { searchAlternatives } from './alternatives.js';
import { requireAssistance } from './assisted.js';
import { isAssisted } from './assistedOptions.js';
import { requireAttention } from './attentionLog.js';
import { constraintsOf } from './constraints.js';
import { isContrastive, requireHiddenStates } from './contrastive.js';
import {
  checkBatching,
  checkInput,
  type Entry,
  type GenerationInput,
  makeBatches,
  type NamedBatching,
  namesOf,
  padSources,
} from './inputs.js';
import {
  type DecodingRules,
  decodingRules,
  type LengthLimits,
  lengthLimits,
  type ResolvedGenerationOptions,
  requireResolved,
} from './options.js';
import type { ProgressListener } from './progress.js';
import { searchBatch } from './search.js';
import type { GeneratedSequence } from './selector.js';
import type { StepModel } from './stepModel.js';

/** Outputs of one input: best first for beams, in the order of samples for sampling. */
export interface GenerationResult {
  sequences: GeneratedSequence[];
}

/**
 * Decodes all inputs and returns their outputs in the same order. Sentences are sorted longest first and batched with
 * those of the same decoder prompt length; everything is checked before the model is called.
 *
 * @param options from `resolveGenerationOptions`
 * @param modelRules which options may replace
 * @param onTokens receives the progress of a batch's inputs after each step, and that of an empty input at once
 * @throws PolybeamError INPUT_INVALID naming the input; OPTION_INVALID or OPTION_CONFLICT where a prompt leaves no room.
 */
export async function generate(
  model: StepModel,
  inputs: readonly GenerationInput[],
  options: ResolvedGenerationOptions,
  modelRules: DecodingRules,
  batching: NamedBatching = {},
  onTokens?: ProgressListener,
): Promise<GenerationResult[]> {
  requireObject(model, 'model', 'the functions of a step model');
  requireFunction(model.step, 'model.step');
  requireResolved(options);
  requireObject(modelRules, 'modelRules', 'decoding rules such as eosTokenIds');
  requireList(inputs, 'inputs', 'inputs');
  checkBatching(batching);
  const run: Run = {
    model,
    options,
    rules: decodingRules(modelRules, options, model.vocabSize),
    firstIndex: batching.firstIndex ?? 0,
    onTokens,
  };
  requireAbilities(run);
  const nameOf = namesOf(batching);
  const entries = Array.from(inputs, (input, index) =>
    checkInput(model, input, { index, name: nameOf(index) }, run.rules, options),
  );
  requireAssistance(model, options, run.rules, entries);
  const filled = entries.filter(isFilled);
  const limits = limitsOf(filled, run);
  addConstraints(filled, inputs, limits, run);
  requireEffect(options, inputs, filled);
  // Each sentence has its own drafts.
  const batches = makeBatches(filled, isAssisted(options) ? { ...batching, batchSize: 1 } : batching);
  const results = entries.map(() => emptyResult(options));
  let done = entries.length - filled.length;
  if (done > 0) await tellOfEmpty(entries, results, run);
  for (const batch of batches) {
    const outputs = await searchEntries(batch, limits.get(batch[0].prompt.length)!, run);
    for (let i = 0; i < batch.length; i++) results[batch[i].index] = { sequences: outputs[i] };
    done += batch.length;
    batching.onProgress?.(done, entries.length);
  }
  return results;
}

/** What all batches of a call share. */
interface Run {
  model: StepModel;
  options: ResolvedGenerationOptions;
  rules: DecodingRules;
  firstIndex: number;
  onTokens?: ProgressListener;
}

/** Limits by the length of a prompt. */
type Limits = Map<number, LengthLimits>;

function requireAbilities({ model, options, onTokens }: Run): void {
  requireAttention(model, options);
  requireHiddenStates(model, options);
  if (!(onTokens && options.returnAlternatives)) return;
  throw new PolybeamError(
    'OPTION_CONFLICT',
    'returnAlternatives does not go with streams; call generate, or leave returnAlternatives out.',
  );
}

function isFilled({ inputIds, attentionMask }: Entry): boolean {
  return inputIds.length > 0 && (attentionMask?.includes(1) ?? true);
}

function limitsOf(entries: readonly Entry[], { model, options, rules }: Run): Limits {
  const limits: Limits = new Map();
  const positions = model.maxPositions - Number(isContrastive(options));
  for (const { prompt, name } of entries) {
    const limit = lengthLimits(options, prompt.length, positions, name);
    requireRoom(options, rules, prompt.length, limit);
    limits.set(prompt.length, limit);
  }
  return limits;
}

function addConstraints(
  entries: readonly Entry[],
  inputs: readonly GenerationInput[],
  limits: Limits,
  { model, options, rules }: Run,
): void {
  for (const entry of entries) {
    const own = inputs[entry.index].forceWordsIds;
    if (own === undefined && !options.forceWordsIds) continue;
    const limit = limits.get(entry.prompt.length)!;
    entry.constraints = constraintsOf(own, options, rules, limit, model.vocabSize, entry.name, entry);
  }
}

/** Refuses options that need a property which no input has. */
function requireEffect(
  { orderedConstraints, prefixBiasBeta }: ResolvedGenerationOptions,
  inputs: readonly GenerationInput[],
  entries: readonly Entry[],
): void {
  if (orderedConstraints && !entries.some(({ constraints }) => constraints?.length)) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      'orderedConstraints has no effect without forceWordsIds; give some, or leave orderedConstraints out.',
    );
  }
  if (prefixBiasBeta > 0 && inputs.length > 0 && inputs.every(({ prefix }) => prefix === undefined)) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `prefixBiasBeta ${prefixBiasBeta} has no effect without a prefix; give inputs one, or leave prefixBiasBeta out.`,
    );
  }
}

/** The output of an empty input is empty. */
function emptyResult(options: ResolvedGenerationOptions): GenerationResult {
  const sequence: GeneratedSequence = {
    ids: [],
    score: 0,
    tokenLogProbabilities: [],
    ...(options.returnAttention && { attention: [] }),
    ...(options.returnLogits && { logits: [] }),
    ...(isAssisted(options) && { drafts: { passes: 0, drafted: 0, accepted: 0 } }),
  };
  return { sequences: [sequence] };
}

async function tellOfEmpty(
  entries: readonly Entry[],
  results: readonly GenerationResult[],
  { onTokens, firstIndex }: Run,
): Promise<void> {
  await onTokens?.(
    entries
      .filter((entry) => !isFilled(entry))
      .map(({ index }) => ({
        index: firstIndex + index,
        sequence: 0,
        ids: [],
        tentativeIds: [],
        ended: true,
        sequences: results[index].sequences,
      })),
  );
}

/** Searches for the outputs of a batch whose prompts have one length. */
function searchEntries(
  batch: readonly Entry[],
  limits: LengthLimits,
  { model, options, rules, firstIndex, onTokens }: Run,
): Promise<GeneratedSequence[][]> {
  const search = options.returnAlternatives ? searchAlternatives : searchBatch;
  return search(model, {
    source: padSources(batch, rules.padTokenId, model.maxSource),
    sourceLengths: batch.map(({ inputIds }) => inputIds.length),
    prompt: Int32Array.from(batch.flatMap((entry) => entry.prompt)),
    promptLength: batch[0].prompt.length,
    options,
    limits,
    rules,
    bias: batch.some(({ bias }) => bias) ? batch.map(({ bias = [] }) => bias) : undefined,
    constraints: batch.some(({ constraints }) => constraints)
      ? batch.map(({ constraints = [] }) => constraints)
      : undefined,
    sentenceIds: batch.map((entry) => entry.index + firstIndex),
    onTokens,
  });
}

/** Refuses required outputs that the length does not allow. */
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
