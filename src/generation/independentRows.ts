import { addNode } from './backPointers.js';
import { endToken } from './processors/suppressedTokens.js';
import type { SearchContext, Selector } from './selector.js';
import type { Candidates } from './stepModel.js';

/**
 * Picks one candidate of a row.
 *
 * @param row row of `candidates`
 * @param sentence index of the sentence in the caller's list
 * @param sample index of the row in its sentence
 * @param count number of the new token, from 1
 * @returns its place in the row, or -1 where every candidate is hidden or banned
 */
export type Choose = (
  candidates: Candidates,
  row: number,
  hidden: number,
  sentence: number,
  sample: number,
  count: number,
) => number;

/** How many of a row's best candidates may have to be skipped: forbidden tokens, and end tokens that are too early. */
export function hiddenCandidates({ limits, rules }: SearchContext): number {
  const { suppressedTokenIds = [], beginSuppressedTokenIds = [], eosTokenIds } = rules;
  const ends = limits.minNewTokens > 0 ? eosTokenIds.length : 0;
  return suppressedTokenIds.length + beginSuppressedTokenIds.length + ends;
}

/**
 * Independent rows: greedy search (one a sentence) and sampling (one a sample). A row stops at its
 * end token, the length limit, or where no token is allowed; a sentence when all its rows have.
 *
 * Scores are the model's own log-probabilities, whatever penalties, biases and temperature did to the choice.
 */
export function createIndependentSelector(
  context: SearchContext,
  candidates: number,
  choose: Choose,
): Selector {
  const { frontier, pointers, classes, batch, sentenceIds } = context;
  const samples = frontier.beams;
  const ended = new Uint8Array(batch * samples);
  const open = new Int32Array(batch).fill(samples);
  const endNodes = new Int32Array(batch * samples);
  const endScores = new Float64Array(batch * samples);

  function end(sentence: number, sample: number, row: number, length: number): void {
    const at = sentence * samples + sample;
    ended[at] = 1;
    open[sentence]--;
    endNodes[at] = frontier.nodes[row];
    endScores[at] = frontier.scores[row] / Math.max(1, length);
  }

  function advance(
    slot: number,
    candidates: Candidates,
    firstRow: number,
    rows: number,
    count: number,
    hidden: number,
    last: boolean,
  ): boolean {
    const sentence = frontier.sentences[slot];
    const own = candidates.ownLogits ?? candidates.logits;
    for (let sample = 0; sample < samples; sample++) {
      const row = slot * samples + sample;
      const from = rows === 1 ? firstRow : firstRow + sample;
      frontier.parents[row] = sample;
      if (ended[sentence * samples + sample]) continue;
      const place = choose(candidates, from, hidden, sentenceIds[sentence], sample, count);
      if (place < 0) {
        end(sentence, sample, row, count - 1);
        continue;
      }
      const token = candidates.ids ? candidates.ids[from * candidates.width + place] : place;
      const logProbability = own[from * candidates.width + place] - candidates.logSumExp[from];
      frontier.tokens[row] = token;
      frontier.nodes[row] = addNode(pointers, frontier.nodes[row], token, logProbability, from);
      frontier.scores[row] += logProbability;
      if (last || (classes[token] & endToken) !== 0) end(sentence, sample, row, count);
    }
    return open[sentence] === 0;
  }

  function outputs(sentence: number) {
    return Array.from({ length: samples }, (_, sample) => ({
      node: endNodes[sentence * samples + sample],
      score: endScores[sentence * samples + sample],
    }));
  }

  return {
    candidates,
    advance,
    outputs,
    isOpen: (slot, sample) => ended[frontier.sentences[slot] * samples + sample] === 0,
    end: (slot, sample, count) => {
      const sentence = frontier.sentences[slot];
      end(sentence, sample, slot * samples + sample, count);
      return open[sentence] === 0;
    },
  };
}
