import { PolybeamError } from '../errors.js';
import { conflict, refuseBesideConstraints } from './optionConflicts.js';
import type { DecodingRules, LengthLimits, ResolvedGenerationOptions } from './options.js';
import { forcedWordsSchema } from './optionsSchema.js';
import type { Constraint } from './processors/lexicalConstraints.js';

/** `forceWordsIds`: phrases, or lists of phrases of which one is enough. */
export type ForcedWords = readonly (readonly number[] | Constraint)[];

/**
 * The constraints of one input: those of the options, then its own.
 *
 * @param index of the input, for messages
 * @throws PolybeamError INPUT_INVALID or OPTION_INVALID for a token that cannot be in an output, OPTION_CONFLICT where
 * the length or another option forbids them
 */
export function constraintsOf(
  own: ForcedWords | undefined,
  options: ResolvedGenerationOptions,
  rules: DecodingRules,
  limits: LengthLimits,
  vocabSize: number,
  index: number,
): Constraint[] {
  if (own && !forcedWordsSchema.safeParse(own).success) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `Input ${index}: forceWordsIds cannot be ${JSON.stringify(own)}; give a list of lists of token ids, or of lists of such lists.`,
    );
  }
  if (own && own.length > 0) refuseBesideConstraints(options);
  const constraints = [...(options.forceWordsIds ?? []), ...(own ?? [])].map(asConstraint);
  const bad = constraints.flat(2).find((id) => id >= vocabSize || rules.eosTokenIds.includes(id));
  if (bad !== undefined) {
    throw new PolybeamError(
      own ? 'INPUT_INVALID' : 'OPTION_INVALID',
      `Input ${index}: forceWordsIds cannot hold token ${bad}; give ids from 0 to ${vocabSize - 1} that do not end an output.`,
    );
  }
  const least = constraints.reduce((sum, one) => sum + Math.min(...one.map((ids) => ids.length)), 0);
  if (least > limits.maxNewTokens) {
    throw conflict(
      `forceWordsIds needs ${least} tokens for input ${index}, and maxNewTokens is ${limits.maxNewTokens}; raise it.`,
    );
  }
  return constraints;
}

function asConstraint(item: ForcedWords[number]): Constraint {
  return typeof item[0] === 'number' ? [item as readonly number[]] : (item as Constraint);
}
