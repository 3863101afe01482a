import { PolybeamError } from '../errors.js';
import { createInterruption } from './abort.js';
import { withDrafts } from './assisted.js';
import { isAssisted } from './assistedOptions.js';
import { attentionOf, createAttentionLog, logAttention, wantsAttention } from './attentionLog.js';
import { createBackPointers, rowsOf, trace } from './backPointers.js';
import { createBeamSelector } from './beam.js';
import { createDrawnRanking } from './beamSampling.js';
import { createConstrainedSelector } from './constrainedBeam.js';
import { createContrastiveSelector, isContrastive } from './contrastive.js';
import { conventionsOf, searchesBeams } from './conventions.js';
import { createEditMaker, needsHistory, selectionSpec } from './edits.js';
import { advancePosition, createFrontier, park, removeFinished } from './frontier.js';
import { createGreedySelector } from './greedy.js';
import { createGroupBeamSelector } from './groupBeam.js';
import type { DecodingRules, LengthLimits, ResolvedGenerationOptions } from './options.js';
import { createForcing } from './processors/forcedTokens.js';
import type { Constraint } from './processors/lexicalConstraints.js';
import { endForbidden } from './processors/minNewTokens.js';
import { withPrefixBias } from './processors/prefixBias.js';
import { createStopper } from './processors/stopStrings.js';
import {
  beginSuppressedToken,
  endToken,
  suppressedToken,
  tokenClasses,
} from './processors/suppressedTokens.js';
import { createProgress, givenBeginning, type ProgressListener } from './progress.js';
import { createSamplingSelector } from './sampling.js';
import type { GeneratedSequence, SearchContext, Selector } from './selector.js';
import { restrictToShortlist } from './shortlistVocabulary.js';
import type { Candidates, SourceBatch, StepModel } from './stepModel.js';

/** One batch to decode. */
export interface SearchRequest {
  source: SourceBatch;
  /** Tokens of each source without its padding; where absent, outputs show attention over the padding too. [batch] */
  sourceLengths?: readonly number[];
  /** Decoder prompts. [batch, promptLength] */
  prompt: Int32Array;
  promptLength: number;
  /** See `SearchContext.prefix`; made from the prompts if they are scored. */
  prefix?: SearchContext['prefix'];
  /** The prefix of each sentence for `prefixBiasBeta`; undefined if none has one. [batch] */
  bias?: readonly (readonly number[])[];
  options: ResolvedGenerationOptions;
  limits: LengthLimits;
  rules: DecodingRules;
  /** Index in the caller's list of each sentence. [batch] */
  sentenceIds: readonly number[];
  /** The constraints of each sentence; undefined if no sentence has any. [batch] */
  constraints?: readonly (readonly Constraint[])[];
  /**
   * Finished sentences leave the model's batch once they are this share of it, from 0 (at once) to 1 (all together).
   * Leaving costs a copy of the caches, staying costs computing unused rows; the result is the same.
   */
  pruneAt?: number;
  /** Receives the progress of the outputs after each new token; the search waits for it. */
  onTokens?: ProgressListener;
}

const defaultPruneAt = 1 / 8;

/** The last new token is not read, so it needs no position. */
const unreadTokens = 1;

/**
 * The one search loop: start, then choose, append and step until every sentence is finished. The selector chooses the
 * tokens, and the model computes the logits.
 *
 * @returns for each sentence of the batch its outputs: best first for beams, in order of sample for sampling; fewer than
 * numReturnSequences only where fewer hypotheses exist.
 * @throws PolybeamError LOGITS_INVALID where the model computed NaN, ABORTED where the signal said so.
 */
export async function searchBatch(whole: StepModel, given: SearchRequest): Promise<GeneratedSequence[][]> {
  const request = conventionsOf(given.options).scoresForced ? splitPrompt(given) : given;
  const { source, prompt, promptLength, options, limits } = request;
  const restricted = restrictToShortlist(whole, given);
  const context = createContext(restricted, request);
  const { drafts, rules } = context;
  const model = drafts ? withDrafts(restricted, options, rules, drafts) : restricted;
  const { frontier, attention, rawLogits } = context;
  const hidden = (count: number) => hiddenClasses(context, count);
  const selector = createSelector(context, request.constraints);
  const forced = createForcing(context);
  const forcing = request.bias ? withPrefixBias(context, request.bias, forced) : forced;
  const edits = createEditMaker(context, selector, forcing);
  const stopper = createStopper(context);
  const results = (sentence: number) => outputs(context, selector, request, sentence);
  const progress = request.onTokens && createProgress(context, selector, results);
  const interruption = createInterruption(options.signal);
  const deadline = performance.now() + 1000 * (options.maxTime ?? Number.POSITIVE_INFINITY);
  await interruption();
  const started = await model.start({
    source,
    prompt,
    promptLength,
    beams: frontier.beams,
    maxLength: frontier.maxLength,
    selection: selectionSpec(context, selector.candidates, edits.needs, model.vocabSize),
    ...edits.next(1, 1, hidden(1)),
  });
  let { state, candidates } = started;
  try {
    for (let count = 1; ; count++) {
      const rows = count === 1 ? 1 : frontier.beams;
      // Only the model itself can give hidden states.
      const { hidden: states } = candidates;
      const offer = forcing.offer(candidates, rows, count, hidden(count));
      const offered = states && offer !== candidates ? { ...offer, hidden: states } : offer;
      const turn: Turn = {
        candidates: offered,
        rows,
        count,
        hidden: forcing.forces(count) ? 0 : hidden(count),
        last: count === limits.maxNewTokens || performance.now() > deadline,
      };
      if (attention) logAttention(attention, candidates);
      rawLogits?.push((candidates.rawLogits as Float32Array).slice());
      if (stopper && !selector.end) turn.stops = await stopper.marks(offered, rows);
      advanceSlots(context, selector, turn);
      if (stopper && selector.end) {
        for (const slot of await stopper.endRows(selector, count)) park(frontier, slot);
      }
      if (progress) await request.onTokens?.(progress(count));
      if (frontier.parked === frontier.active) break;
      await interruption();
      advancePosition(frontier);
      if (frontier.parked > 0 && frontier.parked >= frontier.active * (request.pruneAt ?? defaultPruneAt)) {
        state = await model.keep(state, removeFinished(frontier));
      }
      // A step that forced tokens make unnecessary still runs if attention, logits or hidden states are requested.
      if (forcing.spares(count + 1) && !attention && !rawLogits && !selector.readsHidden) continue;
      candidates = await model.step(state, {
        tokens: frontier.tokens,
        position: frontier.position,
        ancestry: frontier.ancestry,
        ...edits.next(frontier.beams, count + 1, hidden(count + 1)),
      });
    }
  } finally {
    model.dispose(state);
  }
  return Array.from({ length: source.batch }, (_, sentence) => results(sentence));
}

/** Classes of tokens that may not be chosen as new token number `count`. */
function hiddenClasses({ rules, limits, frontier, prefix }: SearchContext, count: number): number {
  const first = prefix ? prefix.length + 1 : firstFree(rules, frontier.promptLength);
  return (
    suppressedToken |
    (endForbidden(limits, count) ? endToken : 0) |
    (count === first ? beginSuppressedToken : 0)
  );
}

/** Number of the first new token that is not a scored prompt token. */
function firstFree(rules: DecodingRules, promptLength: number): number {
  return promptLength === 1 && rules.forcedBosTokenId !== undefined ? 2 : 1;
}

/** The same request with all prompt tokens but the first as forced new tokens. */
function splitPrompt(request: SearchRequest): SearchRequest {
  const { prompt, promptLength, limits, rules, source } = request;
  const length = promptLength - 1;
  if (length === 0) return request;
  const { minNewTokens, maxNewTokens } = limits;
  const columns = (from: number, to: number) =>
    Int32Array.from(
      Array.from({ length: source.batch }, (_, sentence) => [
        ...prompt.subarray(sentence * promptLength + from, sentence * promptLength + to),
      ]).flat(),
    );
  return {
    ...request,
    prompt: columns(0, 1),
    promptLength: 1,
    prefix: { ids: columns(1, promptLength), length },
    limits: {
      minNewTokens: minNewTokens > 0 ? minNewTokens + length : 0,
      maxNewTokens: maxNewTokens + length,
    },
    rules: { ...rules, forcedBosTokenId: undefined },
  };
}

function createContext(model: StepModel, request: SearchRequest): SearchContext {
  const { source, prompt, promptLength, prefix, options, limits, rules, sentenceIds } = request;
  const { batch } = source;
  const samples = options.doSample ? options.numReturnSequences : 1;
  const contrastive = isContrastive(options);
  const proposals = contrastive ? Math.min(options.topK, model.vocabSize) : samples;
  const beams = options.numBeams > 1 ? options.numBeams : proposals;
  const maxLength = promptLength + limits.maxNewTokens - (contrastive ? 0 : unreadTokens);
  requireMemory(request, beams, maxLength);
  return {
    source,
    prompt,
    prefix,
    frontier: createFrontier(batch, beams, prompt, promptLength, maxLength, needsHistory({ options })),
    pointers: createBackPointers(batch * beams * Math.min(limits.maxNewTokens, 64)),
    options,
    limits,
    rules,
    classes: tokenClasses(model.vocabSize, rules),
    batch,
    sentenceIds,
    rawLogits: options.returnLogits ? [] : undefined,
    drafts: isAssisted(options) ? { passes: 0, drafted: 0, accepted: 0 } : undefined,
    attention: wantsAttention(options) ? createAttentionLog(source.source) : undefined,
  };
}

/** Maximum number of token positions in all rows of a batch: keys and values of more fill any memory. */
const mostPlaces = 2 ** 28;

/** @throws PolybeamError OPTION_CONFLICT for a search that no memory holds */
function requireMemory({ source, options, limits }: SearchRequest, beams: number, maxLength: number): void {
  const places = source.batch * beams * maxLength;
  if (places <= mostPlaces) return;
  const { numBeams, numReturnSequences } = options;
  const rows = numBeams > 1 ? `numBeams ${numBeams}` : `numReturnSequences ${numReturnSequences}`;
  throw new PolybeamError(
    'OPTION_CONFLICT',
    `${rows} with maxNewTokens ${limits.maxNewTokens} needs room for ${places} tokens in a batch of ${source.batch}, more than the ${mostPlaces} there can be; lower one of them.`,
  );
}

function createSelector(context: SearchContext, constraints: SearchRequest['constraints']): Selector {
  if (constraints) return createConstrainedSelector(context, constraints);
  const { doSample, numBeams, numBeamGroups } = context.options;
  if (isContrastive(context.options)) return createContrastiveSelector(context);
  if (doSample && numBeams === 1) return createSamplingSelector(context);
  if (!searchesBeams(context.options)) return createGreedySelector(context);
  if (doSample) return createBeamSelector(context, createDrawnRanking(context));
  return numBeamGroups > 1 ? createGroupBeamSelector(context) : createBeamSelector(context);
}

/** The candidates of all sentences for new token number `count`. */
interface Turn {
  candidates: Candidates;
  /** Of each sentence. */
  rows: number;
  count: number;
  /** Token classes that may not be chosen. */
  hidden: number;
  /** Whether there will be no more tokens. */
  last: boolean;
  /** See `Selector.advance`. */
  stops?: Uint8Array;
}

function advanceSlots({ frontier }: SearchContext, selector: Selector, turn: Turn): void {
  const { candidates, rows, count, hidden, last, stops } = turn;
  for (let slot = 0; slot < frontier.active; slot++) {
    if (frontier.finished[slot]) continue;
    const firstRow = slot * rows;
    for (let row = firstRow; row < firstRow + rows; row++) checkRow(candidates, row, count);
    if (selector.advance(slot, candidates, firstRow, rows, count, hidden, last, stops)) park(frontier, slot);
  }
}

/**
 * Refuses NaN. In a row without an allowed token the normalizer is 0, so that its log-probabilities would
 * be NaN too: they become -Infinity, and the selectors skip the row.
 */
function checkRow({ logits, logSumExp, width }: Candidates, row: number, count: number): void {
  const sum = logSumExp[row];
  if (Number.isFinite(sum)) return;
  const own = logits.subarray(row * width, (row + 1) * width);
  if (own.every((logit) => logit === Number.NEGATIVE_INFINITY)) {
    logSumExp[row] = 0;
    return;
  }
  throw new PolybeamError(
    'LOGITS_INVALID',
    `The model computed ${sum} for new token ${count}: its weights are damaged or overflow; check the checkpoint, or run it in float32.`,
  );
}

function outputs(
  context: SearchContext,
  selector: Selector,
  { promptLength, sourceLengths }: SearchRequest,
  sentence: number,
): GeneratedSequence[] {
  const kept = givenBeginning(context, sentence);
  return selector.outputs(sentence).map(({ node, score, ...more }) => {
    const { ids, logProbabilities } = trace(context.pointers, node);
    const sequence: GeneratedSequence = {
      ids: [...kept, ...ids],
      score,
      tokenLogProbabilities: logProbabilities,
      ...more,
    };
    if (context.drafts) sequence.drafts = { ...context.drafts };
    if (context.rawLogits) sequence.logits = logitsOf(context, context.rawLogits, node);
    if (!context.attention || !context.options.returnAttention) return sequence;
    const rows = attentionOf(context.attention, context.pointers, node, sentence, promptLength);
    // Copied, since views of the search's memory would keep all hypotheses alive.
    return { ...sequence, attention: rows.map((row) => row.slice(0, sourceLengths?.[sentence])) };
  });
}

/** For each new token up to `node`, the logits of the row that it was chosen from. [vocabSize] each */
function logitsOf(
  { pointers, classes }: SearchContext,
  steps: readonly Float32Array[],
  node: number,
): Float32Array[] {
  const width = classes.length;
  return rowsOf(pointers, node).map((row, step) => steps[step].slice(row * width, (row + 1) * width));
}
