import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addToCell, banCell, createCellList, placeCell, scaleCell } from './cellList.js';

const vocabSize = 12;
/** Rows one after the other, each with tokens and values. */
const rows = fc.array(
  fc.array(fc.tuple(fc.integer({ min: 0, max: vocabSize - 1 }), fc.constantFrom(1, 2.5, -4)), {
    maxLength: 30,
  }),
  { maxLength: 40 },
);

it('adds up what is added to a cell, and lists each cell once, however long the list and often reused', () => {
  const list = createCellList(1, 0, vocabSize);
  fc.assert(
    fc.property(rows, (all) => {
      list.length = 0;
      const wanted = new Map<string, number>();
      all.forEach((edits, row) => {
        for (const [token, value] of edits) {
          addToCell(list, row, token, value);
          wanted.set(`${row} ${token}`, (wanted.get(`${row} ${token}`) ?? 0) + value);
        }
      });
      const got = Array.from({ length: list.length }, (_, i) => [
        `${list.cells[2 * i]} ${list.cells[2 * i + 1]}`,
        list.numbers[i],
      ]);
      expect(got).toEqual([...wanted]);
    }),
  );
});

it('multiplies both factors of a cell', () => {
  const list = createCellList(2, 1, vocabSize);
  for (let row = 0; row < 200; row++) {
    scaleCell(list, row, 3, 2, 0.5);
    scaleCell(list, row, 5, 3, 1);
    scaleCell(list, row, 3, 0.25, 8);
  }
  expect(list.length).toBe(400);
  for (let row = 0; row < 200; row++) {
    expect([...list.cells.subarray(4 * row, 4 * row + 4)]).toEqual([row, 3, row, 5]);
    expect([...list.numbers.subarray(4 * row, 4 * row + 4)]).toEqual([0.5, 4, 3, 1]);
  }
});

it('lists bans alone without numbers, and bans stay bans when a bias is added', () => {
  const bans = createCellList(0, 0, vocabSize);
  for (let i = 0; i < 300; i++) banCell(bans, i, i % vocabSize);
  expect(bans.length).toBe(300);
  expect([...bans.cells.subarray(598, 600)]).toEqual([299, 299 % vocabSize]);
  const values = createCellList(1, 0, vocabSize);
  banCell(values, 0, 4);
  addToCell(values, 0, 4, 100);
  expect(values.numbers[placeCell(values, 0, 4)]).toBe(Number.NEGATIVE_INFINITY);
});
