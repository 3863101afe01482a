import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import '../node/install.js';
import { cutPieces, readDocuments, type TokenCorpus, textSourceSchema } from './corpus.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'polybeam-corpus-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function read(content: string, options: object = {}) {
  const text = join(directory, 'text.txt');
  await writeFile(text, content);
  return readDocuments([textSourceSchema.parse({ text, ...options })]);
}

describe('documents', () => {
  test('are lines; blank ones are counted', async () => {
    expect(await read('one\n\n  \ntwo three\n')).toEqual({
      texts: ['one', 'two three'],
      blank: 2,
      invalidLines: 0,
    });
  });

  test('or paragraphs, whose lines are joined', async () => {
    const { texts } = await read('one\ntwo\n\n\nthree\n', { documents: 'paragraphs' });
    expect(texts).toEqual(['one two', 'three']);
  });

  test('or a column', async () => {
    expect((await read('a\tb\nc\td\n', { column: 2 })).texts).toEqual(['b', 'd']);
    await expect(read('a\tb\nc\n', { column: 2 })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('Line 2'),
    });
  });

  test('a corpus without text is refused', async () => {
    await expect(read('\n\n')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(read('')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  test('a huge line is a document like others', async () => {
    const { texts } = await read(`${'word '.repeat(200_000)}\nend\n`);
    expect(texts.map((text) => text.length)).toEqual([1_000_000, 3]);
  });
});

const corpusOf = (documents: readonly (readonly number[])[]): TokenCorpus => {
  const starts = [0];
  for (const document of documents) starts.push(starts[starts.length - 1] + document.length);
  return { ids: Int32Array.from(documents.flat()), starts: Int32Array.from(starts) };
};
const documents = fc.array(fc.array(fc.integer({ min: 4, max: 99 }), { maxLength: 40 }), {
  minLength: 1,
  maxLength: 8,
});

describe('pieces', () => {
  test('of single documents hold every token once, in order, none too long', () => {
    fc.assert(
      fc.property(documents, fc.integer({ min: 1, max: 15 }), (texts, maxLength) => {
        const { pieces, short } = cutPieces(corpusOf(texts), {
          packing: 'single',
          maxLength,
          minLength: 1,
          separator: 1,
        });
        expect(pieces.flatMap((piece) => Array.from(piece))).toEqual(texts.flat());
        expect(pieces.every((piece) => piece.length <= maxLength)).toBe(true);
        expect(short).toBe(texts.filter((text) => text.length === 0).length);
      }),
    );
  });

  test('of a long document are about equally long', () => {
    const text = Array.from({ length: 101 }, (_, i) => i);
    const { pieces } = cutPieces(corpusOf([text]), {
      packing: 'single',
      maxLength: 50,
      minLength: 1,
      separator: 1,
    });
    expect(pieces.map((piece) => piece.length)).toEqual([33, 34, 34]);
  });

  test('of packed documents are full but for the last, with separators between documents', () => {
    fc.assert(
      fc.property(documents, fc.integer({ min: 1, max: 15 }), (texts, maxLength) => {
        const { pieces } = cutPieces(corpusOf(texts), {
          packing: 'packed',
          maxLength,
          minLength: 1,
          separator: 1,
        });
        const joined = texts.flatMap((text, at) => (at === 0 ? text : [1, ...text]));
        expect(pieces.flatMap((piece) => Array.from(piece))).toEqual(joined);
        expect(pieces.slice(0, -1).every((piece) => piece.length === maxLength)).toBe(true);
      }),
    );
  });

  test('that are too short are left out and counted', () => {
    const { pieces, short } = cutPieces(
      corpusOf([
        [5, 6],
        [7, 8, 9],
      ]),
      {
        packing: 'single',
        maxLength: 10,
        minLength: 3,
        separator: 1,
      },
    );
    expect([pieces.length, short]).toEqual([1, 1]);
  });
});
