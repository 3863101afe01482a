import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createLinesWriter } from './streamedLines.js';

it('prints the first line that is not complete as it grows, and the others in their order', () => {
  const written: string[] = [];
  const writer = createLinesWriter(3, (text) => written.push(text));
  writer.add(1, 'two');
  writer.add(0, 'on');
  writer.add(2, 'th');
  writer.end(1);
  writer.add(0, 'e');
  writer.add(0, '');
  expect(written).toEqual(['on', 'e']);
  writer.end(0);
  expect(written.slice(2)).toEqual(['\ntwo\nth']);
  writer.add(2, 'ree');
  writer.end(2);
  expect(written.slice(3)).toEqual(['ree', '\n']);
});

it('keeps a line on one line, however it comes', () => {
  const piece = fc
    .array(fc.constantFrom('a', ' ', '\n', 'b '), { maxLength: 4 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      let out = '';
      const writer = createLinesWriter(1, (text) => {
        out += text;
      });
      for (const one of pieces) writer.add(0, one);
      writer.end(0);
      expect(out).toBe(`${pieces.join('').replace(/\s*\n\s*/g, ' ')}\n`);
    }),
  );
});
