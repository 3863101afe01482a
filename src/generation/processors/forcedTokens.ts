import type { DecodingRules, LengthLimits } from '../options.js';
import type { Candidates } from '../stepModel.js';

/**
 * The only tokens allowed as the new token number `count` (1 is the first), or undefined where the model decides.
 * ForcedBOS and ForcedEOS of Hugging Face: the one acts right after a prompt of one token, the other in the last place
 * and where both apply.
 */
export function forcedTokens(
  rules: DecodingRules,
  limits: LengthLimits,
  promptLength: number,
  count: number,
): readonly number[] | undefined {
  if (rules.forcedEosTokenIds && count === limits.maxNewTokens) return rules.forcedEosTokenIds;
  if (rules.forcedBosTokenId !== undefined && promptLength === 1 && count === 1)
    return [rules.forcedBosTokenId];
  return undefined;
}

/** Candidates of log-probability 0 for each of `tokens`, in each of `rows` rows. */
export function forcedCandidates(tokens: readonly number[], rows: number): Candidates {
  const width = tokens.length;
  const ids = Int32Array.from({ length: rows * width }, (_, i) => tokens[i % width]);
  return { rows, width, ids, logits: new Float32Array(rows * width), logSumExp: new Float32Array(rows) };
}
