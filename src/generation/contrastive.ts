import { PolybeamError } from '../errors.js';
import { addNode } from './backPointers.js';
import { unreadToken } from './frontier.js';
import { hiddenCandidates } from './independentRows.js';
import type { ResolvedGenerationOptions } from './options.js';
import { endToken } from './processors/suppressedTokens.js';
import type { SearchContext, Selector } from './selector.js';
import type { Candidates, StepModel } from './stepModel.js';

/** Whether tokens are chosen by contrastive search. */
export function isContrastive({ penaltyAlpha }: Pick<ResolvedGenerationOptions, 'penaltyAlpha'>): boolean {
  return penaltyAlpha > 0;
}

/** @throws PolybeamError OPTION_CONFLICT where contrastive search is wanted of a model that gives no hidden states */
export function requireHiddenStates(
  { givesHidden }: Pick<StepModel, 'givesHidden'>,
  options: ResolvedGenerationOptions,
): void {
  if (!isContrastive(options) || givesHidden) return;
  throw new PolybeamError(
    'OPTION_CONFLICT',
    `penaltyAlpha ${options.penaltyAlpha} needs the decoder's hidden states, which this model (an ensemble, say) does not give; leave it out.`,
  );
}

/** The hidden states of one sentence's text so far, each scaled to length 1. [capacity, size] */
interface Context {
  states: Float32Array;
  count: number;
}

/**
 * Contrastive search (Su et al., "A contrastive framework for neural text generation", 2022, equation 5, as transformers did
 * it up to 4.56 in `_contrastive_search`). Of the k = `topK` most probable tokens v it takes the one with the largest
 *
 *   (1 - α) · p(v | x) - α · max_j cos(h_v, h_j),   α = `penaltyAlpha`,
 *
 * where h_v is the decoder's last hidden state at v, and h_j are those at all earlier positions, prompt included. p is the
 * probability after all processors, normalized over the allowed tokens.
 *
 * The candidates are the rows of a sentence: the model reads all of them, and the next step chooses one, whose k best
 * continuations are the next rows. So a token is chosen one step after it was proposed, and the last one is read too.
 */
export function createContrastiveSelector(context: SearchContext): Selector {
  const { frontier, pointers, options, classes, batch } = context;
  const { beams } = frontier;
  const alpha = options.penaltyAlpha;
  const contexts: Context[] = Array.from({ length: batch }, () => ({
    states: new Float32Array(0),
    count: 0,
  }));
  /** Of each row's last token. [batch, beams] */
  const probabilities = new Float64Array(batch * beams);
  /** Whether the row's last token ends the output. [batch, beams] */
  const ends = new Uint8Array(batch * beams);
  const outcomes: ({ node: number; score: number } | undefined)[] = new Array(batch).fill(undefined);

  /** The row whose last token is taken. */
  function decide(
    sentence: number,
    base: number,
    firstRow: number,
    hidden: Float32Array,
    size: number,
  ): number {
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (let row = 0; row < beams; row++) {
      if (frontier.scores[base + row] === Number.NEGATIVE_INFINITY) continue;
      const penalty = largestCosine(contexts[sentence], hidden, (firstRow + row) * size, size);
      const value = (1 - alpha) * probabilities[sentence * beams + row] - alpha * penalty;
      if (best < 0 || value > most) {
        best = row;
        most = value;
      }
    }
    return best;
  }

  /** Makes rows of the best continuations of a hypothesis. @returns how many there are */
  function propose(
    slot: number,
    candidates: Candidates,
    modelRow: number,
    parent: number,
    hidden: number,
    last: boolean,
    stops: Uint8Array | undefined,
  ): number {
    const base = slot * beams;
    const first = frontier.sentences[slot] * beams;
    const { node, score } = { node: frontier.nodes[base + parent], score: frontier.scores[base + parent] };
    const { width, logits, logSumExp } = candidates;
    let taken = 0;
    for (let at = modelRow * width; at < (modelRow + 1) * width && taken < beams; at++) {
      const token = (candidates.ids as Int32Array)[at];
      if (logits[at] === Number.NEGATIVE_INFINITY || (classes[token] & hidden) !== 0) continue;
      const logProbability = logits[at] - logSumExp[modelRow];
      frontier.parents[base + taken] = parent;
      frontier.tokens[base + taken] = token;
      frontier.nodes[base + taken] = addNode(pointers, node, token, logProbability, modelRow);
      frontier.scores[base + taken] = score + logProbability;
      probabilities[first + taken] = Math.exp(logProbability);
      ends[first + taken++] = Number(last || (classes[token] & endToken) !== 0 || stops?.[at] === 1);
    }
    for (let row = taken; row < beams; row++) {
      frontier.parents[base + row] = parent;
      frontier.tokens[base + row] = unreadToken;
      frontier.nodes[base + row] = -1;
      frontier.scores[base + row] = Number.NEGATIVE_INFINITY;
    }
    return taken;
  }

  return {
    candidates: beams + hiddenCandidates({ ...context, limits: { ...context.limits, minNewTokens: 1 } }),
    readsHidden: true,
    advance: (slot, candidates, firstRow, _, count, hidden, last, stops) => {
      const sentence = frontier.sentences[slot];
      const base = slot * beams;
      const read = candidates.hidden as Float32Array;
      const positions = count === 1 ? frontier.promptLength : 1;
      const size = read.length / (candidates.rows * positions);
      let chosen = 0;
      if (count > 1) {
        chosen = decide(sentence, base, firstRow, read, size);
        append(contexts[sentence], read, (firstRow + chosen) * size, 1, size);
        if (ends[sentence * beams + chosen]) return finish(sentence, base + chosen, count - 1);
      } else {
        append(contexts[sentence], read, firstRow * positions * size, positions, size);
      }
      const row = count === 1 ? firstRow : firstRow + chosen;
      const [node, score] = [frontier.nodes[base + chosen], frontier.scores[base + chosen]];
      if (propose(slot, candidates, row, chosen, hidden, last, stops) > 0) return false;
      frontier.nodes[base] = node;
      frontier.scores[base] = score;
      return finish(sentence, base, count - 1);
    },
    outputs: (sentence) => {
      const outcome = outcomes[sentence];
      return outcome ? [outcome] : [];
    },
  };

  function finish(sentence: number, row: number, length: number): boolean {
    outcomes[sentence] = { node: frontier.nodes[row], score: frontier.scores[row] / Math.max(1, length) };
    contexts[sentence] = { states: new Float32Array(0), count: 0 };
    return true;
  }
}

/** Adds `count` states to a context. @param from where the first begins in `hidden` */
function append(context: Context, hidden: Float32Array, from: number, count: number, size: number): void {
  if ((context.count + count) * size > context.states.length) {
    const larger = new Float32Array(2 * (context.count + count) * size);
    larger.set(context.states.subarray(0, context.count * size));
    context.states = larger;
  }
  for (let i = 0; i < count; i++) {
    const at = from + i * size;
    let squares = 0;
    for (let j = 0; j < size; j++) squares += hidden[at + j] ** 2;
    const scale = 1 / Math.sqrt(squares);
    const to = context.count++ * size;
    for (let j = 0; j < size; j++) context.states[to + j] = hidden[at + j] * scale;
  }
}

function largestCosine({ states, count }: Context, hidden: Float32Array, from: number, size: number): number {
  let squares = 0;
  for (let j = 0; j < size; j++) squares += hidden[from + j] ** 2;
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i++) {
    let product = 0;
    for (let j = 0; j < size; j++) product += states[i * size + j] * hidden[from + j];
    if (product > largest) largest = product;
  }
  return largest / Math.sqrt(squares);
}
