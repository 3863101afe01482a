import type { SelectionSpec, StepEdits } from './stepModel.js';

/** Edits of some rows of a step. */
export interface PartialEdits {
  edits: StepEdits;
  /** Where each of these rows is among all. */
  rows: readonly number[];
}

/** Merges the edits of several parts of a step; rows of no part are not edited. */
export function joinEdits(parts: readonly PartialEdits[], rows: number, spec: SelectionSpec): StepEdits {
  const joined: StepEdits = {};
  if (spec.edits !== 'none') {
    joined.cells = Int32Array.from(parts.flatMap(({ edits, rows }) => placed(edits.cells, rows)));
    if (spec.edits === 'values') {
      joined.values = Float32Array.from(parts.flatMap(({ edits }) => [...(edits.values ?? [])]));
    }
  }
  if (spec.rescale) {
    joined.rescaled = Int32Array.from(parts.flatMap(({ edits, rows }) => placed(edits.rescaled, rows)));
    joined.factors = Float32Array.from(parts.flatMap(({ edits }) => [...(edits.factors ?? [])]));
  }
  if (spec.repetitionPenalty !== 1) {
    // A token that is listed twice is penalized once.
    const table = widen(parts, rows, 'penalized', 'penalizedWidth', 0, (list) => list[0]);
    Object.assign(joined, { penalized: table.ids, penalizedWidth: table.width });
  }
  if (spec.allowed) {
    const table = widen(parts, rows, 'allowed', 'allowedWidth', -1, () => -1, Math.max(1, spec.candidates));
    Object.assign(joined, { allowed: table.ids, allowedWidth: table.width });
  }
  if (spec.lookup) {
    const table = widen(parts, rows, 'lookup', 'lookupWidth', -1, () => -1);
    Object.assign(joined, { lookup: table.ids, lookupWidth: table.width });
  }
  return joined;
}

/** Pairs (row, token) with the rows of the whole. */
function placed(cells: Int32Array | undefined, rows: readonly number[]): number[] {
  return Array.from(cells ?? [], (value, at) => (at % 2 === 0 ? rows[value] : value));
}

/**
 * Lists of tokens, one a row, padded to one width.
 *
 * @param unread fills the rows of no part
 * @param filler pads shorter lists
 */
function widen(
  parts: readonly PartialEdits[],
  rows: number,
  name: 'penalized' | 'allowed' | 'lookup',
  widthName: 'penalizedWidth' | 'allowedWidth' | 'lookupWidth',
  unread: number,
  filler: (list: Int32Array) => number,
  least = 1,
): { ids: Int32Array; width: number } {
  const width = parts.reduce((most, { edits }) => Math.max(most, edits[widthName] ?? 0), least);
  const ids = new Int32Array(rows * width).fill(unread);
  for (const { edits, rows: places } of parts) {
    const own = edits[widthName] ?? 0;
    const lists = edits[name] as Int32Array;
    places.forEach((row, at) => {
      const list = lists.subarray(at * own, (at + 1) * own);
      ids.fill(filler(list), row * width, (row + 1) * width);
      ids.set(list, row * width);
    });
  }
  return { ids, width };
}
