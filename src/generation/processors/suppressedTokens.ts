import type { DecodingRules } from '../options.js';

/** Bit of `tokenClasses` for tokens that end a sequence. */
export const endToken = 1;
/** Bit of `tokenClasses` for tokens that are never produced. */
export const suppressedToken = 2;

/**
 * What each token of the vocabulary is: a few bits to look up, instead of searching lists of ids in the loop. Tokens
 * outside the vocabulary are passed over. [vocabSize]
 */
export function tokenClasses(vocabSize: number, rules: DecodingRules): Uint8Array {
  const classes = new Uint8Array(vocabSize);
  for (const id of rules.eosTokenIds) if (id < vocabSize) classes[id] |= endToken;
  for (const id of rules.suppressedTokenIds ?? []) if (id < vocabSize) classes[id] |= suppressedToken;
  return classes;
}
