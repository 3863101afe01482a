/**
 * Cells (row, token) of a step's logits to change, each with `perCell` numbers for the change. Rows must be
 * filled one after the other: a cell that is added twice while its row is being filled is stored once.
 */
export interface CellList {
  /** Cells in use. */
  length: number;
  /** Pairs (row, token). [capacity, 2] */
  cells: Int32Array;
  /** 0 where being listed says all: then a cell may be listed twice. */
  readonly perCell: number;
  /** [capacity, perCell] */
  numbers: Float32Array;
  /** Initial numbers of a new cell. */
  readonly neutral: number;
  /** Where each token was listed last. [vocabSize], or empty where `perCell` is 0 */
  readonly places: Int32Array;
}

/** An empty list. */
export function createCellList(perCell: number, neutral: number, vocabSize: number): CellList {
  const capacity = 128;
  return {
    length: 0,
    cells: new Int32Array(capacity * 2),
    perCell,
    numbers: new Float32Array(capacity * perCell),
    neutral,
    places: new Int32Array(perCell === 0 ? 0 : vocabSize),
  };
}

/** The index of a cell, which is added if it is new. */
export function placeCell(list: CellList, row: number, token: number): number {
  const { perCell } = list;
  if (perCell > 0) {
    const known = list.places[token];
    if (known < list.length && list.cells[2 * known] === row && list.cells[2 * known + 1] === token) {
      return known;
    }
  }
  const at = list.length++;
  if (2 * at === list.cells.length) grow(list);
  list.cells[2 * at] = row;
  list.cells[2 * at + 1] = token;
  if (perCell > 0) {
    list.places[token] = at;
    list.numbers.fill(list.neutral, at * perCell, (at + 1) * perCell);
  }
  return at;
}

/** Adds `value` to a cell's bias; -Infinity, the only value if `perCell` is 0, forbids the token. */
export function addToCell(list: CellList, row: number, token: number, value: number): void {
  const at = placeCell(list, row, token);
  if (list.perCell > 0) list.numbers[at] += value;
}

/** Forbids a cell. */
export function banCell(list: CellList, row: number, token: number): void {
  addToCell(list, row, token, Number.NEGATIVE_INFINITY);
}

/** Multiplies the factors of a cell: the one for values below 0, and the one for others. */
export function scaleCell(
  list: CellList,
  row: number,
  token: number,
  belowZero: number,
  others: number,
): void {
  const at = placeCell(list, row, token);
  list.numbers[2 * at] *= belowZero;
  list.numbers[2 * at + 1] *= others;
}

function grow(list: CellList): void {
  const cells = new Int32Array(list.cells.length * 2);
  cells.set(list.cells);
  list.cells = cells;
  const numbers = new Float32Array(list.numbers.length * 2);
  numbers.set(list.numbers);
  list.numbers = numbers;
}
