/** The best finished hypotheses of independent searches, sorted, at most `room` of each. */
export interface FinishedList {
  readonly room: number;
  /** Hypotheses of each search. */
  readonly counts: Int32Array;
  /** Best first. [searches, room] */
  readonly scores: Float64Array;
  /** Back-pointers. [searches, room] */
  readonly nodes: Int32Array;
}

/** Empty lists. */
export function createFinishedList(searches: number, room: number): FinishedList {
  return {
    room,
    counts: new Int32Array(searches),
    scores: new Float64Array(searches * room),
    nodes: new Int32Array(searches * room),
  };
}

/**
 * Room for the hypotheses that a search waits for, or for all that it can finish, where it waits for more than that.
 *
 * @param wanted finished hypotheses that `patience` asks for
 * @param beams that may end in each step
 * @param maxNewTokens steps of the search
 */
export function finishedRoom(wanted: number, beams: number, maxNewTokens: number): number {
  // In the last step as many may end as are left open.
  return Math.min(wanted, beams * (maxNewTokens + 1));
}

/** Keeps a hypothesis if it is among the best `room`; an equal score ranks after. */
export function finish(list: FinishedList, search: number, score: number, node: number): void {
  const { room, counts, scores, nodes } = list;
  const base = search * room;
  let at = counts[search];
  if (at === room) {
    if (!(score > scores[base + room - 1])) return;
    at--;
  } else {
    counts[search]++;
  }
  for (; at > 0 && score > scores[base + at - 1]; at--) {
    scores[base + at] = scores[base + at - 1];
    nodes[base + at] = nodes[base + at - 1];
  }
  scores[base + at] = score;
  nodes[base + at] = node;
}

/** The score that a hypothesis must beat to be kept; -Infinity while there is room. */
export function scoreToBeat({ room, counts, scores }: FinishedList, search: number): number {
  return counts[search] < room ? Number.NEGATIVE_INFINITY : scores[search * room + room - 1];
}

/** What a search has finished, best first. */
export function finishedOf(list: FinishedList, search: number): { node: number; score: number }[] {
  return Array.from({ length: list.counts[search] }, (_, i) => ({
    node: list.nodes[search * list.room + i],
    score: list.scores[search * list.room + i],
  }));
}
