import { PolybeamError } from '../errors.js';
import { assistance, createLookUpDrafter, createModelDrafter, type Drafter } from './assistant.js';
import { isAssisted } from './assistedOptions.js';
import type { Entry } from './inputs.js';
import { conflict } from './optionConflicts.js';
import type { DecodingRules, ResolvedGenerationOptions } from './options.js';
import type { DecodingState, StartFeed, StepFeed, StepModel } from './stepModel.js';

/** Draft statistics of one output. */
export interface DraftCounts {
  /** Times that the model ran; without drafts, once for each new token. */
  passes: number;
  /** Tokens proposed to it. */
  drafted: number;
  /** Proposed tokens that were accepted: the model chose the same and had read them already. */
  accepted: number;
}

interface State extends DecodingState {
  inner: DecodingState;
  drafter: Drafter;
  maxLength: number;
  /** Tokens at positions 0 to the last that the search gave. */
  text: number[];
  /** What the model's last pass read from `position` on: a token of the search, then its drafts. */
  pass: { position: number; tokens: readonly number[] };
  /** Maximum number of tokens of the next draft. */
  most: number;
}

/**
 * The model as before, run less often (Leviathan et al., "Fast inference from transformers via speculative decoding",
 * 2023, for greedy search). The next token and its draft are read in one pass, which keeps
 * the logits at each position. While the search appends drafted tokens, its steps are answered from these logits, edited as
 * each step requires. After the first other token, the positions behind it are ignored and overwritten.
 *
 * So the search decides every token itself, from the logits after the tokens that it chose: drafts change no result, up to
 * the rounding of products that are computed for several places at once.
 *
 * @param model one that can extend; one sentence, one beam
 * @param counts are added to
 */
export function withDrafts(
  model: StepModel,
  options: ResolvedGenerationOptions,
  rules: DecodingRules,
  counts: DraftCounts,
): StepModel {
  const { extend, select } = model as Required<StepModel>;
  const growing = options.assistantModel !== undefined && options.numAssistantTokensSchedule === 'heuristic';

  async function drafts(state: State, position: number): Promise<readonly number[]> {
    // The last position that is ever read.
    const room = state.maxLength - 1 - position;
    if (room < 1) return [];
    const found = await state.drafter.draft(state.text, Math.min(state.most, room));
    // An end token is never read: the pass ends before it.
    const stop = found.findIndex((id) => rules.eosTokenIds.includes(id) || id >= model.vocabSize);
    return stop < 0 ? found : found.slice(0, stop);
  }

  /** @param place of the last pass whose choice was not what it had drafted, or its last */
  function settle(state: State, place: number): void {
    const drafted = state.pass.tokens.length - 1;
    if (!growing || drafted < 1) return;
    state.most = place === drafted ? state.most + 2 : Math.max(1, state.most - 1);
  }

  async function step(state: State, feed: StepFeed) {
    const { position } = feed;
    const token = feed.tokens[0];
    const { text, pass, inner } = state;
    text[position] = token;
    text.length = position + 1;
    const place = position - pass.position;
    if (pass.tokens[place] === token) {
      counts.accepted++;
      return select(inner, place, feed);
    }
    settle(state, place - 1);
    const tokens = [token, ...(await drafts(state, position))];
    state.pass = { position, tokens };
    counts.passes++;
    counts.drafted += tokens.length - 1;
    if (tokens.length === 1) return model.step(inner, feed);
    await extend(inner, Int32Array.from(tokens), position);
    return select(inner, 0, feed);
  }

  return {
    ...model,
    start: async (feed) => {
      const { state: inner, candidates } = await model.start(feed);
      counts.passes++;
      const state: State = {
        batch: 1,
        beams: 1,
        inner,
        drafter: createDrafter(feed, options, rules),
        maxLength: feed.maxLength,
        text: [...feed.prompt],
        pass: { position: feed.promptLength, tokens: [] },
        most: options.promptLookupNumTokens ?? options.numAssistantTokens,
      };
      return { state, candidates };
    },
    step: (state, feed) => step(state as State, feed),
    keep: async (state) => state,
    adopt: undefined,
    dispose: (state) => {
      const { inner, drafter } = state as State;
      drafter.dispose();
      model.dispose(inner);
    },
  };
}

function createDrafter(feed: StartFeed, options: ResolvedGenerationOptions, rules: DecodingRules): Drafter {
  const assistant = options.assistantModel?.[assistance];
  if (assistant) {
    const confidence = options.assistantConfidenceThreshold;
    return createModelDrafter(assistant.steps, feed, { eosTokenIds: rules.eosTokenIds, confidence });
  }
  // What a model continues is its prompt already.
  const continues = rules.decoderStartTokenId === undefined;
  const { inputIds, attentionMask } = feed.source;
  const source = continues ? [] : [...inputIds].filter((_, at) => attentionMask[at] === 1);
  return createLookUpDrafter({ maxNgram: options.maxMatchingNgramSize, source });
}

/**
 * Refuses drafts where the model cannot check them or the assistant cannot make them.
 *
 * @param inputs all of the call
 * @throws PolybeamError OPTION_CONFLICT for a model or an assistant that does not fit, INPUT_INVALID for a source that the
 * assistant cannot read, MODEL_CANNOT_GENERATE
 */
export function requireAssistance(
  model: StepModel,
  options: ResolvedGenerationOptions,
  rules: DecodingRules,
  inputs: readonly Pick<Entry, 'inputIds' | 'name'>[],
): void {
  if (!isAssisted(options)) return;
  const { assistantModel } = options;
  const name = assistantModel ? 'assistantModel' : 'promptLookupNumTokens';
  if (!model.extend || !model.select) {
    throw conflict(
      `${name} needs a model that reads several tokens at once, which ensembles, models whose requests share steps, int8 weights and devices other than the CPU do not offer; leave ${name} out.`,
    );
  }
  if (!assistantModel) return;
  const assistant = assistantModel[assistance];
  if (!assistant) {
    throw new PolybeamError(
      'MODEL_CANNOT_GENERATE',
      'assistantModel has no decoder and cannot draft; give one that generates.',
    );
  }
  const { steps, maxSource, sourceVocabSize, continues } = assistant;
  if (steps.vocabSize !== model.vocabSize) {
    throw conflict(
      `assistantModel has a vocabulary of ${steps.vocabSize} tokens and the model one of ${model.vocabSize}; give an assistant of the same vocabulary, or use promptLookupNumTokens.`,
    );
  }
  if (continues !== (rules.decoderStartTokenId === undefined)) {
    throw conflict(
      `assistantModel ${continues ? 'continues texts' : 'reads a source'} and the model does not; give an assistant of the same kind.`,
    );
  }
  for (const { inputIds: ids, name: input } of continues ? [] : inputs) {
    const foreign = ids.find((id) => id >= sourceVocabSize);
    if (foreign === undefined && ids.length <= maxSource) continue;
    throw new PolybeamError(
      'INPUT_INVALID',
      foreign === undefined
        ? `${input}: inputIds has ${ids.length} ids, and assistantModel reads ${maxSource}; shorten it, or leave assistantModel out.`
        : `${input}: inputIds holds ${foreign}, and assistantModel knows the ids 0 to ${sourceVocabSize - 1}; give an assistant of the same vocabulary.`,
    );
  }
}
