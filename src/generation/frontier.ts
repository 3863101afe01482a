/**
 * The rows being decoded together: `beams` for each sentence still in the batch. A sentence's place in the batch is its
 * slot; row = slot * beams + beam. Arrays that the model reads are cut to what is left when
 * sentences leave; the others keep their length.
 */
export interface Frontier {
  readonly beams: number;
  readonly promptLength: number;
  /** Positions of a row of `ancestry`: prompt and new tokens. */
  readonly maxLength: number;
  /** Slots in the model's batch. */
  active: number;
  /** Of those, how many are finished and only wait to be removed. */
  parked: number;
  /** Position of `tokens` in their rows. */
  position: number;
  /** Index of each slot's sentence in the batch as it was at the start. [active] */
  sentences: Int32Array;
  /** 1 where the slot's sentence is finished. [active] */
  finished: Uint8Array;
  /** The token each row appended last. [active * beams] */
  tokens: Int32Array;
  /** Beam, one step before, that each row continues. [active * beams] */
  parents: Int32Array;
  /** Back-pointer of each row; -1 before the first new token. [active * beams] */
  nodes: Int32Array;
  /** Summed log-probability of each row; -Infinity for a row that cannot continue. [active * beams] */
  scores: Float64Array;
  /** From which beam each position of each row is read: see StepFeed. [active, beams, maxLength] */
  ancestry: Int32Array;
  /** First position at which the rows of a slot may differ in ancestry. [active] */
  diverged: Int32Array;
  /** Token written at [slot, beam, position], read through `ancestry`; kept only where a processor needs it. */
  history?: Int32Array;
  /** Holds ancestry rows while they are permuted. [beams, maxLength] */
  readonly scratch: Int32Array;
}

/** Token for rows whose results are not used. */
export const unreadToken = 0;

/** The start: every slot at the end of its prompt. @param prompt [batch, promptLength] */
export function createFrontier(
  batch: number,
  beams: number,
  prompt: Int32Array,
  promptLength: number,
  maxLength: number,
  keepHistory: boolean,
): Frontier {
  const rows = batch * beams;
  const frontier: Frontier = {
    beams,
    promptLength,
    maxLength,
    active: batch,
    parked: 0,
    position: promptLength - 1,
    sentences: Int32Array.from({ length: batch }, (_, sentence) => sentence),
    finished: new Uint8Array(batch),
    tokens: new Int32Array(rows),
    parents: new Int32Array(rows),
    nodes: new Int32Array(rows).fill(-1),
    scores: new Float64Array(rows),
    ancestry: new Int32Array(rows * maxLength),
    diverged: new Int32Array(batch).fill(promptLength),
    scratch: new Int32Array(beams * maxLength),
  };
  if (keepHistory) {
    frontier.history = new Int32Array(rows * maxLength);
    for (let slot = 0; slot < batch; slot++) {
      const row = prompt.subarray(slot * promptLength, (slot + 1) * promptLength);
      frontier.history.set(row, slot * beams * maxLength);
    }
  }
  return frontier;
}

/** Moves to the next position, after `tokens` and `parents` of every unfinished slot were chosen. */
export function advancePosition(frontier: Frontier): void {
  const { beams, maxLength, tokens, parents, ancestry, history, finished } = frontier;
  frontier.position++;
  const position = frontier.position;
  for (let slot = 0; slot < frontier.active; slot++) {
    if (finished[slot]) continue;
    const base = slot * beams;
    let moved = false;
    for (let beam = 0; beam < beams; beam++) moved ||= parents[base + beam] !== beam;
    if (moved) inheritAncestry(frontier, slot);
    for (let beam = 0; beam < beams; beam++) {
      const cell = (base + beam) * maxLength + position;
      ancestry[cell] = beam;
      if (history) history[cell] = tokens[base + beam];
    }
  }
}

/**
 * Gives each row of a slot the ancestry of its parent. Positions before `diverged` are the same in all rows and stay
 * so, and beams soon share all but their last few positions: the cost is that of the difference, not of the length.
 */
function inheritAncestry(frontier: Frontier, slot: number): void {
  const { beams, maxLength, parents, ancestry, scratch, position } = frontier;
  const base = slot * beams;
  let from = frontier.diverged[slot];
  for (let beam = 0; beam < beams; beam++) {
    const parent = parents[base + beam];
    if (parent === beam) continue;
    const source = (base + parent) * maxLength;
    const target = beam * maxLength;
    for (let at = from; at < position; at++) scratch[target + at] = ancestry[source + at];
  }
  for (let beam = 0; beam < beams; beam++) {
    if (parents[base + beam] === beam) continue;
    const source = beam * maxLength;
    const target = (base + beam) * maxLength;
    for (let at = from; at < position; at++) ancestry[target + at] = scratch[source + at];
  }
  while (from < position && allEqual(ancestry, base * maxLength + from, beams, maxLength)) from++;
  frontier.diverged[slot] = from;
}

function allEqual(values: Int32Array, start: number, count: number, stride: number): boolean {
  const first = values[start];
  for (let i = 1; i < count; i++) if (values[start + i * stride] !== first) return false;
  return true;
}

/** The token at a position of a row's path, where histories are kept. */
export function tokenAt(frontier: Frontier, slot: number, beam: number, position: number): number {
  const { beams, maxLength, ancestry } = frontier;
  const base = slot * beams;
  const owner = ancestry[(base + beam) * maxLength + position];
  return (frontier.history as Int32Array)[(base + owner) * maxLength + position];
}

/** Marks a slot's sentence as finished: its rows stay in the model's batch, unread, until `removeFinished`. */
export function park(frontier: Frontier, slot: number): void {
  frontier.finished[slot] = 1;
  frontier.parked++;
}

/** Closes the gaps of finished sentences; returns the slots that stay, ascending, for `StepModel.keep`. */
export function removeFinished(frontier: Frontier): number[] {
  const { beams, maxLength } = frontier;
  const kept: number[] = [];
  for (let slot = 0; slot < frontier.active; slot++) {
    if (frontier.finished[slot]) continue;
    move(frontier.sentences, slot, kept.length, 1);
    move(frontier.diverged, slot, kept.length, 1);
    move(frontier.tokens, slot, kept.length, beams);
    move(frontier.nodes, slot, kept.length, beams);
    move(frontier.scores, slot, kept.length, beams);
    move(frontier.ancestry, slot, kept.length, beams * maxLength);
    if (frontier.history) move(frontier.history, slot, kept.length, beams * maxLength);
    kept.push(slot);
  }
  const rows = kept.length * beams;
  frontier.active = kept.length;
  frontier.parked = 0;
  frontier.finished = frontier.finished.fill(0).subarray(0, kept.length);
  frontier.tokens = frontier.tokens.subarray(0, rows);
  frontier.ancestry = frontier.ancestry.subarray(0, rows * maxLength);
  return kept;
}

function move(values: Int32Array | Float64Array, from: number, to: number, width: number): void {
  if (from !== to) values.copyWithin(to * width, from * width, (from + 1) * width);
}
