import { PolybeamError } from '../errors.js';
import { conflict, refuseBesideConstraints, show } from './optionConflicts.js';
import type { DecodingRules, LengthLimits, ResolvedGenerationOptions } from './options.js';
import { forcedWordsSchema } from './optionsSchema.js';
import type { Constraint } from './processors/lexicalConstraints.js';
import { phraseBiases } from './processors/phraseBias.js';

/** `forceWordsIds`: phrases, or lists of alternative phrases. */
export type ForcedWords = readonly (readonly number[] | Constraint)[];

/** The parts of an input that affect its constraints. */
interface ConstrainedInput {
  inputIds: readonly number[];
  attentionMask?: readonly number[];
  /** Decoder prompt. */
  prompt: readonly number[];
}

/**
 * The constraints of one input: those of the options, then its own. Alternatives that no output can contain are left out
 * where there are others, so that the beams are not spent on them.
 *
 * @param name of the input, for messages
 * @throws PolybeamError INPUT_INVALID or OPTION_INVALID for a token that cannot be in an output, OPTION_CONFLICT where
 * the length or another option forbids them
 */
export function constraintsOf(
  own: ForcedWords | undefined,
  options: ResolvedGenerationOptions,
  rules: DecodingRules,
  limits: LengthLimits,
  vocabSize: number,
  name: string,
  input: ConstrainedInput,
): Constraint[] {
  if (own !== undefined && !forcedWordsSchema.safeParse(own).success) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `${name}: forceWordsIds cannot be ${show(own)}; give a list of lists of token ids, or of lists of such lists.`,
    );
  }
  if (own && own.length > 0) refuseBesideConstraints(options);
  const shared = (options.forceWordsIds ?? []).map(asConstraint);
  const given = [...shared, ...(own ?? []).map(asConstraint)];
  const isBad = (id: number) => id >= vocabSize || rules.eosTokenIds.includes(id);
  const bad = given.flat(2).find(isBad);
  if (bad !== undefined) {
    const inOptions = shared.flat(2).some(isBad);
    throw new PolybeamError(
      inOptions ? 'OPTION_INVALID' : 'INPUT_INVALID',
      `${inOptions ? 'Option' : `${name}:`} forceWordsIds cannot hold token ${bad}; give ids from 0 to ${vocabSize - 1} that do not end an output.`,
    );
  }
  const impossible = impossibleIn(options, rules, input);
  const constraints = given.map((alternatives) => {
    const possible = alternatives.filter((ids) => !impossible(ids));
    return possible.length > 0 ? possible : alternatives;
  });
  const forced = input.prompt.length === 1 ? rules.forcedBosTokenId : undefined;
  const ends = Number(rules.forcedEosTokenIds !== undefined);
  const needed = placesFor(constraints, forced) + ends;
  if (needed > limits.maxNewTokens) {
    const also = forced !== undefined || ends > 0 ? ', forced ones included,' : ',';
    throw conflict(
      `${name}: forceWordsIds needs ${needed} tokens${also} and maxNewTokens is ${limits.maxNewTokens}; raise it.`,
    );
  }
  return constraints;
}

/** The minimum number of tokens for the constraints, including a forced first token, which may begin one. */
function placesFor(constraints: readonly Constraint[], forced: number | undefined): number {
  const lengthOf = (ids: readonly number[]) => ids.length - Number(ids[0] === forced);
  const least = constraints.map((alternatives) => Math.min(...alternatives.map(lengthOf)));
  return least.reduce((sum, length) => sum + length, Number(forced !== undefined));
}

/** Whether the options forbid part of a phrase at every position, so that no output can contain it. */
function impossibleIn(
  options: ResolvedGenerationOptions,
  { suppressedTokenIds = [] }: DecodingRules,
  { inputIds, attentionMask }: ConstrainedInput,
): (ids: readonly number[]) => boolean {
  const { noRepeatNgramSize, noRepeatNgramIgnore = [], encoderNoRepeatNgramSize } = options;
  const suppressed = new Set(suppressedTokenIds);
  const forbidden = phraseBiases(options).filter(([, bias]) => bias === Number.NEGATIVE_INFINITY);
  const source = inputIds.filter((_, at) => attentionMask?.[at] !== 0);
  const sourceNgrams = new Set(ngramsOf(source, encoderNoRepeatNgramSize).map(String));
  return (ids) => {
    const own = ngramsOf(ids, noRepeatNgramSize)
      .filter((ngram) => !ngram.some((id) => noRepeatNgramIgnore.includes(id)))
      .map(String);
    return (
      ids.some((id) => suppressed.has(id)) ||
      forbidden.some(([phrase]) =>
        ngramsOf(ids, phrase.length).some((one) => String(one) === String(phrase)),
      ) ||
      ngramsOf(ids, encoderNoRepeatNgramSize).some((ngram) => sourceNgrams.has(String(ngram))) ||
      new Set(own).size < own.length
    );
  };
}

/** All n-grams of `size` tokens; none if size is 0. */
function ngramsOf(ids: readonly number[], size: number): (readonly number[])[] {
  if (size === 0) return [];
  return Array.from({ length: Math.max(0, ids.length - size + 1) }, (_, at) => ids.slice(at, at + size));
}

function asConstraint(item: ForcedWords[number]): Constraint {
  return typeof item[0] === 'number' ? [item as readonly number[]] : (item as Constraint);
}
