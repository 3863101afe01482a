import { expect, test } from 'vitest';
import type { TokenCorpus } from '../../pretraining/corpus.js';
import { streamRows } from './streams.js';

const end = 1;
function corpus(documents: number[][]): TokenCorpus {
  const starts = [0];
  for (const { length } of documents) starts.push(starts.at(-1)! + length);
  return { ids: Int32Array.from(documents.flat()), starts: Int32Array.from(starts) };
}
const documents = [[10, 11, 12], [13], [], [14, 15, 16, 17], [18, 19]];
const stream = [10, 11, 12, end, 13, end, 14, 15, 16, 17, end, 18, 19, end];

test('rows are the stream behind one end token, all of one length, every token in one', () => {
  const rows = streamRows(corpus(documents), 8, end).map((row) => Array.from(row));
  expect(rows).toEqual([
    [end, ...stream.slice(0, 7)],
    [end, ...stream.slice(7, 14)],
  ]);
});

test('the last row reaches back rather than be short', () => {
  const rows = streamRows(corpus(documents), 7, end).map((row) => Array.from(row));
  expect(rows).toEqual([
    [end, ...stream.slice(0, 6)],
    [end, ...stream.slice(6, 12)],
    [end, ...stream.slice(8, 14)],
  ]);
});

test('a text that is too short for a row is a short row; no text is none', () => {
  expect(streamRows(corpus([[5, 6]]), 256, end).map((row) => Array.from(row))).toEqual([[end, 5, 6, end]]);
  expect(streamRows(corpus([[]]), 256, end)).toEqual([]);
});
