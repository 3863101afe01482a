import type { LengthLimits } from '../options.js';

/**
 * Whether an end token is still forbidden as the new token number `count` (1 is the first): MinNewTokensLength in
 * Hugging Face, where a sequence of `minNewTokens` tokens is the shortest that may be followed by an end token.
 */
export function endForbidden(limits: LengthLimits, count: number): boolean {
  return count <= limits.minNewTokens;
}
