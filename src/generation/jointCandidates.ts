import type { Candidates, EveryCandidateField } from './stepModel.js';

/**
 * Candidates of some rows, copied: the next step may come before they are read.
 *
 * @param source length of the sources of these rows; those of other rows may be longer
 * @param lookupWidth tokens that each of these rows looked up; other rows may have looked up more
 */
export function pickRows(
  candidates: Candidates,
  rows: readonly number[],
  source: number,
  lookupWidth = 0,
): EveryCandidateField {
  const { width, rows: all, attention } = candidates;
  const some = <T extends Int32Array | Float32Array>(values: T, kept?: number): T => {
    const each = values.length / all;
    const own = kept ?? each;
    const picked = values.slice(0, rows.length * own) as T;
    rows.forEach((row, at) => {
      picked.set(values.subarray(row * each, row * each + own), at * own);
    });
    return picked;
  };
  return {
    rows: rows.length,
    width,
    ids: candidates.ids && some(candidates.ids),
    logits: some(candidates.logits),
    ownLogits: candidates.ownLogits && some(candidates.ownLogits),
    lookedUp: candidates.lookedUp && some(candidates.lookedUp, lookupWidth),
    logSumExp: some(candidates.logSumExp),
    rawLogits: candidates.rawLogits && some(candidates.rawLogits),
    hidden: candidates.hidden && some(candidates.hidden),
    attention: attention && some(attention, source),
    promptAttention: pickPrompts(candidates, rows, source),
  };
}

/** The attention weights of some prompts, cut to their own shorter source. */
function pickPrompts(
  { attention, promptAttention, rows: all }: Candidates,
  rows: readonly number[],
  source: number,
): Float32Array | undefined {
  if (!attention || !promptAttention) return undefined;
  const wide = attention.length / all;
  const tokens = promptAttention.length / attention.length;
  const picked = new Float32Array(rows.length * tokens * source);
  rows.forEach((row, at) => {
    for (let token = 0; token < tokens; token++) {
      const from = (row * tokens + token) * wide;
      picked.set(promptAttention.subarray(from, from + source), (at * tokens + token) * source);
    }
  });
  return picked;
}
