import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tiny, tinyFacts } from '../../test/support/pretraining/tinyModel.js';
import {
  bartOptionsSchema,
  bartRow,
  corruptText,
  deleteTokens,
  infill,
  permuteSentences,
  rotate,
} from './bart.js';
import { createDraws } from './draws.js';

const options = (given: object = {}) => bartOptionsSchema.parse(given);
const quiet = { permuteSentences: 0, rotate: 0, infillRate: 0, maskRate: 0, deleteRate: 0 };
const text = fc.array(fc.integer({ min: tiny.firstOrdinary, max: tiny.vocabSize - 1 }), {
  minLength: 1,
  maxLength: 60,
});
const draws = fc.integer({ min: 0, max: 1e6 }).map((example) => createDraws(4, 'bart', 0, example));
const sorted = (ids: readonly number[]) => [...ids].sort((a, b) => a - b);

/** Whether `part` is `whole` with some left out. */
function isSubsequence(part: readonly number[], whole: readonly number[]): boolean {
  let at = 0;
  for (const id of whole) if (id === part[at]) at++;
  return at === part.length;
}

test('the decoder writes the whole text behind the start token, however the source is corrupted', () => {
  fc.assert(
    fc.property(text, draws, (ids, own) => {
      const row = bartRow(
        { ids, draws: own },
        tinyFacts,
        options({ deleteRate: 0.2, maskRate: 0.2, rotate: 0.5 }),
      );
      expect(row.labels).toEqual([...ids, tiny.eos]);
      expect(row.decoderInput).toEqual([tiny.pad, ...ids]);
      expect(Array.from(row.source).at(-1)).toBe(tiny.eos);
      expect(row.visible).toBeUndefined();
    }),
  );
});

test('nothing asked for changes nothing', () => {
  fc.assert(
    fc.property(text, draws, (ids, own) => {
      expect(corruptText(ids, options(quiet), tinyFacts, own)).toEqual(ids);
    }),
  );
});

test('infilling takes exactly its share of the tokens, and keeps the others in order', () => {
  fc.assert(
    fc.property(text, draws, fc.double({ min: 0.05, max: 1, noNaN: true }), (ids, own, infillRate) => {
      const filled = infill(ids, { infillRate, poissonLambda: 3 }, tinyFacts, own);
      const kept = filled.filter((id) => id !== tiny.mask);
      expect(kept).toHaveLength(ids.length - Math.round(ids.length * infillRate));
      expect(isSubsequence(kept, ids)).toBe(true);
    }),
  );
});

test('spans of infilling have the mean length asked for', () => {
  const ids = new Array<number>(1000).fill(10);
  let masks = 0;
  for (let example = 0; example < 50; example++) {
    const filled = infill(
      ids,
      { infillRate: 0.3, poissonLambda: 3 },
      tinyFacts,
      createDraws(1, 'spans', 0, example),
    );
    masks += filled.filter((id) => id === tiny.mask).length;
  }
  // 300 tokens in spans of 3 on average.
  expect(Math.abs(masks / 50 - 100)).toBeLessThan(5);
});

test('a [MASK] may stand for no token at all, but a source never grows by more than two', () => {
  let longer = 0;
  for (let example = 0; example < 2000; example++) {
    const own = createDraws(1, 'empty spans', 0, example);
    const ids = [10, 11, 12, 13];
    const corrupted = corruptText(
      ids,
      options({ ...quiet, infillRate: 0.3, poissonLambda: 0.5 }),
      tinyFacts,
      own,
    );
    expect(corrupted.length).toBeLessThanOrEqual(6);
    if (corrupted.length > ids.length) longer++;
  }
  expect(longer).toBeGreaterThan(100);
});

test('sentences change places and stay whole', () => {
  // 7, 11 and 15 end sentences.
  const sentences = [[4, 7], [8, 9, 11], [12, 15], [16]];
  const seen = new Set<string>();
  for (let example = 0; example < 200; example++) {
    const own = createDraws(1, 'sentences', 0, example);
    const order = permuteSentences(sentences.flat(), tinyFacts, own);
    for (const sentence of sentences) expect(`,${order.join()},`).toContain(`,${sentence.join()},`);
    seen.add(order.join());
  }
  expect(seen.size).toBe(24);
});

test('rotation turns a text about a token', () => {
  fc.assert(
    fc.property(text, draws, (ids, own) => {
      const turned = rotate(ids, own);
      expect([...turned, ...turned].join().includes(ids.join())).toBe(true);
      expect(sorted(turned)).toEqual(sorted(ids));
    }),
  );
});

test('deletion leaves out its share, never everything', () => {
  let kept = 0;
  for (let example = 0; example < 500; example++) {
    kept += deleteTokens(new Array(40).fill(10), 0.25, createDraws(1, 'deletion', 0, example)).length;
  }
  expect(Math.abs(kept / 500 - 30)).toBeLessThan(0.7);
  expect(deleteTokens([5, 6, 7], 1, createDraws(1, 'all', 0, 0))).toHaveLength(1);
});

test('token masking replaces one by one', () => {
  const ids = Array.from({ length: 40 }, (_, i) => 4 + (i % 30));
  const own = createDraws(1, 'masking', 0, 0);
  const masked = corruptText(ids, options({ ...quiet, maskRate: 0.25 }), tinyFacts, own);
  expect(masked).toHaveLength(40);
  expect(masked.filter((id) => id === tiny.mask)).toHaveLength(10);
});
