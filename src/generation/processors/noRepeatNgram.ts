import { banCell, type CellList } from '../cellList.js';
import { type Frontier, tokenAt } from '../frontier.js';
import type { RowEditor } from '../rowEditor.js';

/**
 * No n-gram twice in a row, decoder prompt included (NoRepeatNGram in Hugging Face). A token is banned where the last
 * n-1 tokens occurred before and it followed them, unless one of the n may repeat.
 *
 * One hash table serves all hypotheses: it files each cell [sentence, beam, position] that a token was written to under
 * the n-1 tokens that end there. Rows share cells as they share a beginning, so nothing is copied when beams branch. To
 * find earlier occurrences a row looks up its own last n-1 tokens and keeps the cells that are on its path, which the
 * ancestry table answers in one comparison: ancestry[row, position] equals the cell's beam. Cells that only share the
 * bucket, other sentences' among them, are told apart by comparing tokens of the row's own path.
 */
interface NgramBlocker {
  readonly size: number;
  /** First position that counts. */
  readonly first: number;
  /** Tokens whose n-grams may repeat. */
  readonly ignored: ReadonlySet<number>;
  count: number;
  heads: Int32Array;
  next: Int32Array;
  hash: Int32Array;
  beam: Int32Array;
  position: Int32Array;
}

/**
 * A blocker for `size`-grams that has read the prompts; it lists bans in `added`.
 *
 * @param first position of the first token that counts: 1 leaves the decoder start token out
 * @param ignored tokens whose n-grams may repeat
 */
export function createNgramBlocker(
  frontier: Frontier,
  size: number,
  added: CellList,
  first = 0,
  ignored: readonly number[] = [],
): RowEditor {
  const capacity = 1024;
  const blocker: NgramBlocker = {
    size,
    first,
    ignored: new Set(ignored),
    count: 0,
    heads: new Int32Array(capacity).fill(-1),
    next: new Int32Array(capacity),
    hash: new Int32Array(capacity),
    beam: new Int32Array(capacity),
    position: new Int32Array(capacity),
  };
  for (let slot = 0; slot < frontier.active; slot++) {
    for (let position = 0; position < frontier.promptLength; position++)
      file(blocker, frontier, slot, 0, position);
  }
  let filed = frontier.position;
  return {
    advance: () => {
      if (frontier.position > filed) fileNgrams(blocker, frontier);
      filed = frontier.position;
    },
    edit: (slot, beam, row) => banRow(blocker, frontier, slot, beam, row, added),
  };
}

/** Files the tokens at the present position of all unfinished rows. */
function fileNgrams(blocker: NgramBlocker, frontier: Frontier): void {
  for (let slot = 0; slot < frontier.active; slot++) {
    if (frontier.finished[slot]) continue;
    for (let beam = 0; beam < frontier.beams; beam++) file(blocker, frontier, slot, beam, frontier.position);
  }
}

function banRow(
  blocker: NgramBlocker,
  frontier: Frontier,
  slot: number,
  beam: number,
  modelRow: number,
  added: CellList,
): void {
  const { position, ancestry, maxLength } = frontier;
  if (position + 1 - blocker.first < blocker.size) return;
  if (blocker.size === 1) {
    for (let at = blocker.first; at <= position; at++) {
      banUnlessIgnored(blocker, added, modelRow, tokenAt(frontier, slot, beam, at));
    }
    return;
  }
  if (blocker.ignored.size > 0 && endsIgnored(blocker, frontier, slot, beam)) return;
  const row = (slot * frontier.beams + beam) * maxLength;
  const hash = ngramHash(blocker, frontier, slot, beam, position);
  let cell = blocker.heads[hash & (blocker.heads.length - 1)];
  for (; cell >= 0; cell = blocker.next[cell]) {
    const at = blocker.position[cell];
    if (
      at < position &&
      ancestry[row + at] === blocker.beam[cell] &&
      sameNgram(blocker, frontier, slot, beam, at)
    ) {
      banUnlessIgnored(blocker, added, modelRow, tokenAt(frontier, slot, beam, at + 1));
    }
  }
}

function banUnlessIgnored({ ignored }: NgramBlocker, added: CellList, row: number, token: number): void {
  if (!ignored.has(token)) banCell(added, row, token);
}

/** Whether a token that may repeat is among the last n-1 of a row. */
function endsIgnored(
  { size, ignored }: NgramBlocker,
  frontier: Frontier,
  slot: number,
  beam: number,
): boolean {
  for (let back = 0; back < size - 1; back++) {
    if (ignored.has(tokenAt(frontier, slot, beam, frontier.position - back))) return true;
  }
  return false;
}

/** Whether the n-1 tokens of a row that end at `at` equal those that end at the present position. */
function sameNgram(
  blocker: NgramBlocker,
  frontier: Frontier,
  slot: number,
  beam: number,
  at: number,
): boolean {
  for (let back = 0; back < blocker.size - 1; back++) {
    const earlier = tokenAt(frontier, slot, beam, at - back);
    if (earlier !== tokenAt(frontier, slot, beam, frontier.position - back)) return false;
  }
  return true;
}

function file(blocker: NgramBlocker, frontier: Frontier, slot: number, beam: number, position: number): void {
  if (blocker.size === 1 || position + 2 - blocker.first < blocker.size) return;
  if (blocker.count === blocker.next.length) grow(blocker);
  const cell = blocker.count++;
  const hash = ngramHash(blocker, frontier, slot, beam, position);
  const bucket = hash & (blocker.heads.length - 1);
  blocker.hash[cell] = hash;
  blocker.beam[cell] = beam;
  blocker.position[cell] = position;
  blocker.next[cell] = blocker.heads[bucket];
  blocker.heads[bucket] = cell;
}

function ngramHash(
  blocker: NgramBlocker,
  frontier: Frontier,
  slot: number,
  beam: number,
  end: number,
): number {
  let hash = Math.imul(frontier.sentences[slot] + 1, 0x9e3779b1);
  for (let back = 0; back < blocker.size - 1; back++) {
    hash = Math.imul(hash ^ tokenAt(frontier, slot, beam, end - back), 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  return hash;
}

function grow(blocker: NgramBlocker): void {
  const capacity = blocker.next.length * 2;
  for (const name of ['next', 'hash', 'beam', 'position'] as const) {
    const larger = new Int32Array(capacity);
    larger.set(blocker[name]);
    blocker[name] = larger;
  }
  blocker.heads = new Int32Array(capacity).fill(-1);
  for (let cell = 0; cell < blocker.count; cell++) {
    const bucket = blocker.hash[cell] & (capacity - 1);
    blocker.next[cell] = blocker.heads[bucket];
    blocker.heads[bucket] = cell;
  }
}
