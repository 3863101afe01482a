import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { withShortForeignRuns } from './foreignRuns.js';
import { type LoadedSentencePiece, loadSentencePieceFile } from './sentencePiece.js';
import { fixtures, useDisk } from './tokenizer.contract.js';

const models = ['t5/spiece.model', 'marian/source.spm', 'bertGeneration/spiece.model'];

describe.each(models)('withShortForeignRuns of %s', (name) => {
  let loaded: LoadedSentencePiece;
  beforeAll(async () => {
    useDisk();
    loaded = await loadSentencePieceFile(`${fixtures}/${name}`);
  });

  it('changes no id of any text', () => {
    const { encoder, model } = loaded;
    const short = withShortForeignRuns(encoder, model, { block: 4, overlap: 3 });
    const ids = (pieces: string[]) => pieces.map((piece) => model.idOf.get(piece));
    const runs = fc.tuple(
      fc.constantFrom(
        '中',
        '\u0301',
        '\u0301\u0323',
        '😀',
        '\ud83d',
        '\ue000',
        '\0',
        ' ',
        '▁',
        'the',
        'e',
        '\u200b',
      ),
      fc.integer({ min: 1, max: 30 }),
    );
    const texts = fc
      .array(runs, { maxLength: 6 })
      .map((all) => all.map(([text, n]) => text.repeat(n)).join(''));
    const property = fc.property(texts, (text) => {
      expect(ids(short.encodePieces(text))).toEqual(ids(encoder.encodePieces(text)));
    });
    fc.assert(property, { numRuns: 500, seed: 5 });
  });

  it('has SentencePiece read short runs only where it joins unknown characters', () => {
    const { encoder, model } = loaded;
    let longest = 0;
    const watched = withShortForeignRuns(
      {
        encodePieces(text) {
          longest = Math.max(longest, text.length);
          return encoder.encodePieces(text);
        },
      },
      model,
    );
    const pieces = watched.encodePieces(`the ${'中'.repeat(200_000)} the`);
    if (name.startsWith('bertGeneration')) expect(pieces.length).toBeGreaterThan(3 * 200_000);
    else expect(longest).toBeLessThan(10_000);
  });
});
