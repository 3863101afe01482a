import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTokenizer } from './loadTokenizer.js';
import { createTextDeltas } from './textDeltas.js';
import { corpus, fixtures, strings, useDisk } from './tokenizer.contract.js';
import type { Tokenizer } from './tokenizer.js';
import { makeTokenizerJson } from './tokenizerJson.js';
import { trainVocabulary } from './trainVocabulary.js';
import type { VocabularyOptions } from './vocabularyOptions.js';

const trained = async (options: VocabularyOptions) =>
  makeTokenizerJson(JSON.stringify(await trainVocabulary(corpus, options)));

/** As Llama's: what is not in the vocabulary is written in bytes, of which a run is text as a whole or not at all. */
function byteFallback(): Promise<Tokenizer> {
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  );
  const vocab = Object.fromEntries([...bytes, '<unk>', '▁', ...'ab'].map((token, id) => [token, id]));
  const toSpace = { type: 'Replace', pattern: { String: '▁' }, content: ' ' };
  return makeTokenizerJson(
    JSON.stringify({
      version: '1.0',
      added_tokens: [],
      normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      decoder: { type: 'Sequence', decoders: [toSpace, { type: 'ByteFallback' }, { type: 'Fuse' }] },
      model: { type: 'BPE', vocab, merges: [], unk_token: '<unk>', byte_fallback: true },
    }),
  );
}

const tokenizers: Record<string, () => Promise<Tokenizer>> = {
  'WordPiece with clean-up': () => loadTokenizer(`${fixtures}/bert`),
  Marian: () => loadTokenizer(`${fixtures}/marian`),
  SentencePiece: () => loadTokenizer(`${fixtures}/bertGeneration`),
  'byte-level BPE': () => trained({ size: 400, pretokenizer: 'byteLevel' }),
  'BPE of words': () => trained({ size: 300 }),
  'BPE with byte fallback': byteFallback,
};

/** The pieces of an output that becomes known `step` tokens at a time. */
async function piecesOf(tokenizer: Tokenizer, ids: readonly number[], step: number): Promise<string[]> {
  const deltas = createTextDeltas();
  const pieces: string[] = [];
  for (let known = 0; known < ids.length; known += step) {
    const prefixes = ids.slice(known, known + step).map((_, at) => ids.slice(0, known + at + 1));
    pieces.push(deltas.push(await tokenizer.decodeBatch(prefixes)));
  }
  pieces.push(deltas.finish(await tokenizer.decode(ids)));
  return pieces;
}

/** Bytes of ASCII in a run that turns out to be no text are the one thing that is taken back. */
const isDrawn = (tokenizer: Tokenizer, id: number) => !/^<0x[0-7]/.test(tokenizer.idToToken(id) ?? '');

describe.each(Object.entries(tokenizers))('pieces of text by %s', (_, load) => {
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    useDisk();
    tokenizer = await load();
  });

  it('make the text of any tokens whatsoever, and never end within a character', async () => {
    const id = fc.integer({ min: 0, max: tokenizer.vocabSize - 1 }).filter((id) => isDrawn(tokenizer, id));
    await fc.assert(
      fc.asyncProperty(fc.array(id, { maxLength: 14 }), fc.integer({ min: 1, max: 4 }), async (ids, step) => {
        const pieces = await piecesOf(tokenizer, ids, step);
        expect(pieces.join('')).toBe(await tokenizer.decode(ids));
        for (const piece of pieces.slice(0, -1)) expect(piece).not.toMatch(/[\ud800-\udbff\ufffd]$/);
      }),
      { numRuns: 300 },
    );
  });

  it('make awkward texts, and are told while they grow', async () => {
    let early = 0;
    for (const text of strings) {
      const { ids } = await tokenizer.encode(text);
      const pieces = await piecesOf(tokenizer, ids, 1);
      expect(pieces.join('')).toBe(await tokenizer.decode(ids));
      early += pieces.slice(0, -1).join('').length;
    }
    expect(early).toBeGreaterThan(100);
  });
});

it('holds back what two more tokens may change', () => {
  const deltas = createTextDeltas();
  expect(deltas.push(['do', 'do n'])).toBe('');
  expect(deltas.push(["do n '"])).toBe('do');
  expect(deltas.push(["don't"])).toBe('');
  expect(deltas.push(["don't go", "don't go on"])).toBe("n't");
  expect(deltas.finish("don't go on")).toBe(' go on');
  expect(deltas.told).toBe("don't go on");
});

it('waits for the bytes of a character, and for the other half of a surrogate pair', () => {
  const deltas = createTextDeltas();
  expect(deltas.push(['a\ufffd', 'a\ufffd\ufffd', 'a\ufffd\ufffd\ufffd'])).toBe('a');
  expect(deltas.push(['a😀', 'a😁', 'a😀b', 'a😀bc'])).toBe('');
  expect(deltas.push(['a😀bcd'])).toBe('😀b');
});
