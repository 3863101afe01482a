import type { BackPointers } from './backPointers.js';

/**
 * The state of an automaton for each hypothesis, computed from the state of the hypothesis one token shorter.
 * It is computed once for each back-pointer, so nothing is copied when beams branch.
 *
 * @param start of the empty hypothesis
 * @param follow from the number before a token, the token and its place (from 1) to the number after it
 * @returns the number for a back-pointer
 */
export function createPathStates(
  pointers: BackPointers,
  start: number,
  follow: (state: number, token: number, place: number) => number,
): (node: number) => number {
  let states = new Int32Array(0);
  let places = new Int32Array(0);

  return (node) => {
    if (node < 0) return start;
    if (states.length < pointers.length) {
      states = grown(states, pointers.token.length);
      places = grown(places, pointers.token.length);
    }
    const path: number[] = [];
    let at = node;
    for (; at >= 0 && places[at] === 0; at = pointers.parent[at]) path.push(at);
    let state = at < 0 ? start : states[at];
    let place = at < 0 ? 0 : places[at];
    for (let i = path.length - 1; i >= 0; i--) {
      state = follow(state, pointers.token[path[i]], ++place);
      states[path[i]] = state;
      places[path[i]] = place;
    }
    return state;
  };
}

function grown(old: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(old);
  return larger;
}
