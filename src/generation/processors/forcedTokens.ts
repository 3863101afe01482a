import { conventionsOf } from '../conventions.js';
import type { DecodingRules, LengthLimits } from '../options.js';
import type { SearchContext } from '../selector.js';
import type { Candidates, StepEdits } from '../stepModel.js';

/** New tokens that are forced, whatever the model's logits. */
export interface Forcing {
  /** Whether new token number `count` (1 is the first) is forced. */
  forces(count: number): boolean;
  /** Whether the model's candidates for new token number `count` are not needed. */
  spares(count: number): boolean;
  /**
   * The search's candidates, in place of the model's.
   *
   * @param rows of each sentence
   * @param hidden token classes that may not be chosen where the model decides
   */
  offer(candidates: Candidates, rows: number, count: number, hidden: number): Candidates;
  /** Tokens whose logits are needed: what `StepEdits` says of `lookup`. */
  lookup?(rows: number, count: number): Required<Pick<StepEdits, 'lookup' | 'lookupWidth'>>;
}

/** Forced tokens with log-probability 0, or with the model's, by the conventions. */
export function createForcing(context: SearchContext): Forcing {
  return conventionsOf(context.options).scoresForced ? scoredForcing(context) : freeForcing(context);
}

/**
 * The only tokens allowed as the new token number `count` (1 is the first), or undefined where the model decides.
 * ForcedBOS and ForcedEOS of Hugging Face: the one acts right after a prompt of one token, the other in the last place
 * and where both apply.
 */
function forcedTokens(
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

function freeForcing({ frontier, rules, limits }: SearchContext): Forcing {
  const forced = (count: number) => forcedTokens(rules, limits, frontier.promptLength, count);
  return {
    forces: (count) => forced(count) !== undefined,
    // After the first token only the last can be forced.
    spares: (count) => forced(count) !== undefined,
    offer: (candidates, rows, count) => {
      const only = forced(count);
      return only ? forcedCandidates(only, frontier.active * rows) : candidates;
    },
  };
}

/** Candidates of log-probability 0 for each of `tokens`, in each of `rows` rows. */
function forcedCandidates(tokens: readonly number[], rows: number): Candidates {
  const width = tokens.length;
  const ids = Int32Array.from({ length: rows * width }, (_, i) => tokens[i % width]);
  return { rows, width, ids, logits: new Float32Array(rows * width), logSumExp: new Float32Array(rows) };
}

/** The prompt's tokens after the first, what Hugging Face forces, and where the conventions end all outputs an end token. */
function scoredForcing({ frontier, rules, limits, prefix, options }: SearchContext): Forcing {
  const { lastPlace } = conventionsOf(options);
  const ends = lastPlace === 'end' && rules.eosTokenIds.length > 0 ? rules.eosTokenIds : undefined;
  const withEnd = { ...rules, forcedEosTokenIds: rules.forcedEosTokenIds ?? ends };
  const length = prefix?.length ?? 0;
  const forced = (slot: number, count: number) => {
    if (count > length) return forcedTokens(withEnd, limits, frontier.promptLength + length, count);
    return [(prefix as NonNullable<typeof prefix>).ids[frontier.sentences[slot] * length + count - 1]];
  };
  const lists = (rows: number, count: number) =>
    Array.from({ length: frontier.active * rows }, (_, row) => forced(Math.floor(row / rows), count) ?? []);
  return {
    forces: (count) => forced(0, count) !== undefined,
    spares: () => false,
    lookup: (rows, count) => {
      const wanted = lists(rows, count);
      const lookupWidth = Math.max(1, wanted[0].length);
      const lookup = new Int32Array(wanted.length * lookupWidth).fill(-1);
      for (let row = 0; row < wanted.length; row++) lookup.set(wanted[row], row * lookupWidth);
      return { lookup, lookupWidth };
    },
    offer: (candidates, rows, count) => {
      const wanted = lists(rows, count);
      if (wanted[0].length === 0) return candidates;
      return chosenCandidates(candidates, wanted);
    },
  };
}

/** The listed tokens of each row, equally many, with their logits from the model, best first. */
function chosenCandidates(candidates: Candidates, lists: readonly (readonly number[])[]): Candidates {
  const { rows, logSumExp } = candidates;
  const lookedUp = candidates.lookedUp as Float32Array;
  const width = lists[0].length;
  const ids = new Int32Array(rows * width);
  const logits = new Float32Array(rows * width);
  lists.forEach((tokens, row) => {
    const values = lookedUp.subarray(row * width, (row + 1) * width);
    const order = tokens.map((_, at) => at).sort((a, b) => values[b] - values[a]);
    order.forEach((at, place) => {
      ids[row * width + place] = tokens[at];
      logits[row * width + place] = values[at];
    });
  });
  return { rows, width, ids, logits, logSumExp };
}
