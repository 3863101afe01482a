/**
 * Every token ever chosen, each pointing at the one before it. Hypotheses that share a beginning share its nodes, and
 * a hypothesis is one integer until it is traced at the end.
 */
export interface BackPointers {
  length: number;
  /** Node of the previous token; -1 for the first new token. [length] */
  parent: Int32Array;
  token: Int32Array;
  /** Natural logarithm, as the search summed it. */
  logProbability: Float32Array;
  /** Row of the step's candidates that the token was chosen from. */
  row: Int32Array;
}

/** @param capacity nodes to make room for at once; it grows as needed. */
export function createBackPointers(capacity: number): BackPointers {
  return {
    length: 0,
    parent: new Int32Array(capacity),
    token: new Int32Array(capacity),
    logProbability: new Float32Array(capacity),
    row: new Int32Array(capacity),
  };
}

/** Appends `token` after `parent` and returns the new node. @param row of the step's candidates */
export function addNode(
  pointers: BackPointers,
  parent: number,
  token: number,
  logProbability: number,
  row: number,
): number {
  const node = pointers.length++;
  if (node === pointers.token.length) {
    pointers.parent = doubled(pointers.parent, new Int32Array(node * 2));
    pointers.token = doubled(pointers.token, new Int32Array(node * 2));
    pointers.logProbability = doubled(pointers.logProbability, new Float32Array(node * 2));
    pointers.row = doubled(pointers.row, new Int32Array(node * 2));
  }
  pointers.parent[node] = parent;
  pointers.token[node] = token;
  pointers.logProbability[node] = logProbability;
  pointers.row[node] = row;
  return node;
}

function doubled<T extends Int32Array | Float32Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}

/** New tokens from the first to `node`, and their log-probabilities; empty for node -1. */
export function trace(pointers: BackPointers, node: number): { ids: number[]; logProbabilities: number[] } {
  const ids: number[] = [];
  const logProbabilities: number[] = [];
  for (let at = node; at >= 0; at = pointers.parent[at]) {
    ids.push(pointers.token[at]);
    logProbabilities.push(pointers.logProbability[at]);
  }
  return { ids: ids.reverse(), logProbabilities: logProbabilities.reverse() };
}

/** Of each new token up to `node`, the row of its step's candidates that it was chosen from. */
export function rowsOf(pointers: BackPointers, node: number): number[] {
  const rows: number[] = [];
  for (let at = node; at >= 0; at = pointers.parent[at]) rows.push(pointers.row[at]);
  return rows.reverse();
}
