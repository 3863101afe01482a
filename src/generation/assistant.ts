import type { Candidates, DecodingState, StartFeed, StepModel } from './stepModel.js';
import { everyLogit } from './stepModel.js';

/** The property of a model that holds what another model needs to use it as an assistant. */
export const assistance = Symbol('assistance');

/** A model that can draft for another: any that `loadModel` gives. */
export interface AssistantModel {
  /** Undefined where the model cannot generate. */
  readonly [assistance]: Assistance | undefined;
}

/** What an assistant needs. */
export interface Assistance {
  steps: StepModel;
  /** Maximum length of a source. */
  maxSource: number;
  /** Source ids that the model knows: 0 up to, but not, this one. */
  sourceVocabSize: number;
  /** Whether it continues texts, without a decoder start token. */
  continues: boolean;
}

/** Whether a value is a model, though perhaps one that cannot generate. */
export function isAssistantModel(value: unknown): value is AssistantModel {
  return typeof value === 'object' && value !== null && assistance in value;
}

/** Proposes a continuation of a text. */
export interface Drafter {
  /**
   * @param text tokens from the start of the decoder prompt on; of what was given before, any end may be replaced
   * @param most tokens wanted at most, from 1
   * @returns token ids; none where there is nothing to propose
   */
  draft(text: readonly number[], most: number): Promise<readonly number[]>;
  /** Frees what it holds. */
  dispose(): void;
}

/** When a draft ends before it has as many tokens as are wanted. */
export interface DraftEnd {
  /** With such a token. */
  eosTokenIds: readonly number[];
  /** With a token that is less probable. */
  confidence: number;
}

/** Drafts by a model's own greedy choice, without processors. */
export function createModelDrafter(
  model: StepModel,
  {
    source,
    prompt,
    promptLength,
    maxLength,
  }: Pick<StartFeed, 'source' | 'prompt' | 'promptLength' | 'maxLength'>,
  end: DraftEnd,
): Drafter {
  const positions = Math.min(maxLength, model.maxPositions);
  const ancestry = new Int32Array(positions);
  /** The tokens whose keys and values the cache holds, by position; what follows a cut is written over. */
  let read: number[] = [];
  let state: DecodingState | undefined;

  async function begin(): Promise<DecodingState> {
    const selection = { ...everyLogit, candidates: 1 };
    const feed = { source, prompt, promptLength, beams: 1, maxLength: positions, selection };
    read = [...prompt];
    return (await model.start(feed)).state;
  }

  function readOne(token: number, position: number): Promise<Candidates> {
    read.length = position;
    read.push(token);
    const tokens = Int32Array.of(token);
    return model.step(state as DecodingState, { tokens, position, ancestry });
  }

  return {
    draft: async (text, most) => {
      if (text.length > positions) return [];
      state ??= await begin();
      let known = 0;
      while (known < text.length - 1 && read[known] === text[known]) known++;
      let last = text[known];
      const drafts: number[] = [];
      for (let position = known; position < positions; position++) {
        const { ids, logits, logSumExp } = await readOne(last, position);
        if (position + 1 < text.length) {
          last = text[position + 1];
          continue;
        }
        last = (ids as Int32Array)[0];
        drafts.push(last);
        const probability = Math.exp(logits[0] - logSumExp[0]);
        if (drafts.length === most || end.eosTokenIds.includes(last) || probability < end.confidence) break;
      }
      return drafts;
    },
    dispose: () => {
      if (state) model.dispose(state);
      state = undefined;
    },
  };
}

/** How `lookUp` searches. */
export interface LookUpOptions {
  /** Maximum number of last tokens to search for. */
  maxNgram: number;
  /** Searched before the text itself. */
  source: readonly number[];
}

/**
 * Drafts by prompt look-up (Saxena 2023; `PromptLookupCandidateGenerator` of transformers): of the longest n-gram at the
 * end of the text that occurred before, the tokens that followed its first occurrence. For equal n the source comes before
 * the text, since a translation copies names and numbers from there.
 */
export function createLookUpDrafter(options: LookUpOptions): Drafter {
  return { draft: async (text, most) => lookUp(text, most, options), dispose: () => {} };
}

function lookUp(
  text: readonly number[],
  most: number,
  { maxNgram, source }: LookUpOptions,
): readonly number[] {
  for (let size = Math.min(maxNgram, text.length); size >= 1; size--) {
    const ngram = text.slice(text.length - size);
    for (const within of [source, text]) {
      const after = firstAfter(within, ngram);
      if (after < within.length) return within.slice(after, after + most);
    }
  }
  return [];
}

/** The place after the first occurrence of `ngram`; the end where there is none. */
function firstAfter(within: readonly number[], ngram: readonly number[]): number {
  for (let start = 0; start + ngram.length < within.length; start++) {
    if (ngram.every((id, i) => within[start + i] === id)) return start + ngram.length;
  }
  return within.length;
}
