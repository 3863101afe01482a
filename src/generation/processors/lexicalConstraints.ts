/** Alternative phrases, one of which an output must contain; a plain phrase is a list of one. */
export type Constraint = readonly (readonly number[])[];

/** The progress of a hypothesis through its constraints; hypotheses with equal progress share one state. */
export interface ConstraintState {
  /** 1 for each constraint that is met. */
  readonly met: Uint8Array;
  /** For each alternative of each constraint, the number of its first tokens that end the hypothesis. */
  readonly matched: readonly Uint16Array[];
  /** Tokens of met constraints and of the unmet one with most progress: from 0 to `total`. */
  readonly bank: number;
  /** Whether all constraints are met. */
  readonly whole: boolean;
  /** Tokens that advance a constraint. */
  readonly needed: readonly number[];
  /** Cached next states by constraint token. */
  readonly next: Map<number, ConstraintState>;
  /** Cached next state for any other token. */
  other?: ConstraintState;
}

/**
 * Follows the constraints of one sentence through its hypotheses. An unordered constraint is met once the new tokens
 * contain one of its alternatives, wherever it begins and whatever other phrase it shares tokens with; an ordered one
 * must begin after the constraints before it have ended.
 */
export interface ConstraintTracker {
  readonly start: ConstraintState;
  /** The bank in which all constraints are met: their minimum number of tokens. */
  readonly total: number;
  follow(state: ConstraintState, token: number): ConstraintState;
  /** Indices of constraints that are not met. */
  unmet(state: ConstraintState): number[];
}

/** A tracker of constraints without empty phrases. */
export function createTracker(constraints: readonly Constraint[], ordered: boolean): ConstraintTracker {
  const fallbacks = constraints.map((alternatives) => alternatives.map(fallbackLengths));
  const tokens = new Set(constraints.flat(2));
  const least = constraints.map((alternatives) => Math.min(...alternatives.map((ids) => ids.length)));
  const states = new Map<string, ConstraintState>();

  /** Constraints that may be advanced. */
  function open(met: Uint8Array): number[] {
    const all = [...met.keys()].filter((index) => met[index] === 0);
    return ordered ? all.slice(0, 1) : all;
  }

  function stateFor(met: Uint8Array, matched: readonly Uint16Array[]): ConstraintState {
    const key = `${met} ${matched.join(' ')}`;
    const known = states.get(key);
    if (known) return known;
    const state = makeState(met, matched);
    states.set(key, state);
    return state;
  }

  function makeState(met: Uint8Array, matched: readonly Uint16Array[]): ConstraintState {
    const needed = new Set<number>();
    let bank = 0;
    let farthest = 0;
    for (let index = 0; index < met.length; index++) if (met[index] === 1) bank += least[index];
    for (const index of open(met)) {
      constraints[index].forEach((ids, which) => {
        farthest = Math.max(farthest, least[index] - (ids.length - matched[index][which]));
        needed.add(ids[matched[index][which]]);
      });
    }
    const whole = needed.size === 0;
    return { met, matched, bank: bank + farthest, whole, needed: [...needed], next: new Map() };
  }

  function advance(state: ConstraintState, token: number): ConstraintState {
    const met = state.met.slice();
    const matched = [...state.matched];
    for (const index of open(state.met)) {
      matched[index] = state.matched[index].map((length, which) =>
        longestMatch(constraints[index][which], fallbacks[index][which], length, token),
      );
      const whole = constraints[index].some((ids, which) => matched[index][which] === ids.length);
      if (whole) met[index] = 1;
    }
    return stateFor(met, matched);
  }

  return {
    start: stateFor(
      new Uint8Array(constraints.length),
      constraints.map((alternatives) => new Uint16Array(alternatives.length)),
    ),
    total: least.reduce((sum, length) => sum + length, 0),
    follow: (state, token) => {
      if (state.whole) return state;
      if (!tokens.has(token)) {
        state.other ??= advance(state, token);
        return state.other;
      }
      const next = state.next.get(token) ?? advance(state, token);
      state.next.set(token, next);
      return next;
    },
    unmet: ({ met }) => [...met.keys()].filter((index) => met[index] === 0),
  };
}

/** Length of the longest beginning of `ids` that ends the text, after `token` was added to one that `length` ended. */
function longestMatch(ids: readonly number[], fallbacks: Uint16Array, length: number, token: number): number {
  let at = length;
  while (at > 0 && ids[at] !== token) at = fallbacks[at - 1];
  return ids[at] === token ? at + 1 : 0;
}

/** For each beginning of `ids`, the length of the longest shorter one that ends it (Knuth, Morris and Pratt 1977). */
function fallbackLengths(ids: readonly number[]): Uint16Array {
  const lengths = new Uint16Array(ids.length);
  for (let i = 1; i < ids.length; i++) lengths[i] = longestMatch(ids, lengths, lengths[i - 1], ids[i]);
  return lengths;
}
