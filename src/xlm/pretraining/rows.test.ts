import { describe, expect, test } from 'vitest';
import type { XlmConfig } from '../../encoder/xlm.js';
import { createDraws } from '../../pretraining/draws.js';
import type { VocabularyFacts } from '../../pretraining/vocabularyFacts.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import { clm } from './clm.js';
import { maskingSchema, maskRow, samplingWeights } from './masking.js';
import { mlm } from './mlm.js';
import type { Language, XlmContext } from './objective.js';
import { pairRow, tlm } from './tlm.js';

const vocabSize = 50;
const [pad, end, mask] = [0, 1, 3];
const facts: VocabularyFacts = {
  vocabSize,
  padTokenId: pad,
  maskTokenId: mask,
  prefix: [],
  suffix: [end],
  startsWord: new Uint8Array(vocabSize).fill(1),
  endsSentence: new Uint8Array(vocabSize),
  ordinary: Int32Array.from({ length: 40 }, (_, at) => at + 10),
};
const options = maskingSchema.parse({});
const row = Int32Array.from({ length: 256 }, (_, at) => (at === 0 ? end : 10 + ((at * 7) % 40)));
const rowsOf = (given: typeof options, weights?: Float64Array, count = 200) =>
  Array.from({ length: count }, (_, at) =>
    maskRow(row, [[1, row.length]], { facts, options: given, weights }, createDraws(1, 'test', 0, at)),
  );

const model: XlmConfig = {
  vocabSize,
  embDim: 8,
  nLayers: 1,
  nHeads: 2,
  dropout: 0,
  attentionDropout: 0,
  geluActivation: true,
  sinusoidalEmbeddings: false,
  causal: false,
  nLangs: 2,
  useLangEmb: true,
  maxPositionEmbeddings: 256,
  embedInitStd: 0.3,
  layerNormEps: 1e-12,
  tieWordEmbeddings: true,
};
const languages: Language[] = [
  { code: 'en', number: 1 },
  { code: 'de', number: 0 },
];
const context: XlmContext = {
  model,
  facts,
  tokenizer: {} as Tokenizer,
  endToken: end,
  languages: new Map(languages.map((one) => [one.code, one])),
  counts: new Float64Array(vocabSize).fill(1),
  labelSmoothing: 0,
  note: () => {},
};
const example = (ids: number[], pair: number[] | undefined, at: number) => ({
  ids,
  pair,
  draws: createDraws(1, 'x', 0, at),
});

describe('masking', () => {
  test('15 % of the tokens are predicted, never the first, 80/10/10', () => {
    const rows = rowsOf(options);
    const read = { mask: 0, same: 0, other: 0 };
    for (const { inputIds, labelPositions, labels } of rows) {
      expect(labelPositions).toHaveLength(Math.round(255 * 0.15));
      expect(labelPositions[0]).toBeGreaterThan(0);
      labelPositions.forEach((at, i) => {
        expect(labels[i]).toBe(row[at]);
        const id = inputIds[at];
        read[id === mask ? 'mask' : id === row[at] ? 'same' : 'other']++;
      });
      const untouched = inputIds.filter((_, at) => !labelPositions.includes(at));
      expect(untouched).toEqual(Array.from(row).filter((_, at) => !labelPositions.includes(at)));
    }
    const total = read.mask + read.same + read.other;
    expect(read.mask / total).toBeCloseTo(0.8, 1);
    // A random token is the same one in forty.
    expect(read.same / total).toBeCloseTo(0.1 + 0.1 / 40, 1);
    expect(read.other / total).toBeCloseTo(0.1, 1);
  });

  test('another round masks other tokens, the same round the same', () => {
    const draw = (epoch: number) =>
      maskRow(row, [[1, 256]], { facts, options }, createDraws(1, 'mlm/en', epoch, 5)).labelPositions;
    expect(draw(0)).toEqual(draw(0));
    expect(draw(0)).not.toEqual(draw(1));
  });

  test('sampleAlpha chooses tokens in proportion to frequency^-alpha', () => {
    // Tokens 10 to 19 are 16 times as frequent as the others: with alpha 0.5 chosen a quarter as often.
    const counts = Float64Array.from({ length: vocabSize }, (_, id) => (id < 20 ? 1600 : 100));
    const given = { ...options, rate: 0.02, sampleAlpha: 0.5 };
    const rows = rowsOf(given, samplingWeights(counts, 0.5), 1500);
    const labels = rows.flatMap((one) => one.labels);
    const candidates = Array.from(row.subarray(1));
    const share = (ids: number[]) => ids.filter((id) => id < 20).length / ids.length;
    const frequent = share(candidates);
    const wanted = (0.25 * frequent) / (0.25 * frequent + 1 - frequent);
    expect(Math.abs(share(labels) - wanted)).toBeLessThan(0.02);
    expect(rows.every(({ labelPositions }) => labelPositions.length === 5 && labelPositions[0] > 0)).toBe(
      true,
    );
    expect(samplingWeights(counts, 0)).toBeUndefined();
    expect(maskingSchema.safeParse({ sampleAlpha: 0.5, wholeWord: true }).success).toBe(false);
  });
});

describe('batches', () => {
  test('mlm: rows of one language without padding', () => {
    const make = mlm(context, options).batches([languages[0]])!;
    const ids = Array.from(row.subarray(0, 30));
    const { feeds, sentences, sourceTokens, targetTokens } = make(
      [example(ids, undefined, 0), example(ids, undefined, 1)],
      1,
    );
    expect(feeds.inputIds.shape).toEqual([2, 30]);
    expect(feeds.languages).toEqual({ dtype: 'int32', shape: [2, 1], data: Int32Array.of(1, 1) });
    expect('attentionMask' in feeds).toBe(false);
    expect([sentences, sourceTokens, targetTokens]).toEqual([2, 60, feeds.labels.data.length]);
    const [positions, labels] = [feeds.labelPositions.data, feeds.labels.data];
    positions.forEach((place, at) => {
      expect(labels[at]).toBe(ids[place % 30]);
    });
    expect(Math.max(...positions)).toBeGreaterThanOrEqual(30);
  });

  test('clm: each token is predicted from those before it', () => {
    const objective = clm(context);
    const { feeds } = objective.batches([languages[1]])!([example([1, 20, 21, 22], undefined, 0)], 1);
    expect(Array.from(feeds.inputIds.data)).toEqual([1, 20, 21]);
    expect(Array.from(feeds.labels.data)).toEqual([20, 21, 22]);
    expect(Array.from(feeds.labelPositions.data)).toEqual([0, 1, 2]);
  });

  test('tlm: positions begin anew and the language switches with the second sentence; both are masked', () => {
    const masking = { facts, options: { ...options, rate: 0.5 } };
    const x = [20, 21, 22, 23];
    const y = [30, 31, 32, 33, 34, 35];
    for (let at = 0; at < 30; at++) {
      const found = pairRow(example(x, y, at), languages, masking, end);
      expect(found.positions).toEqual([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 6, 7]);
      expect(found.languages).toEqual([1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
      const whole = [end, ...x, end, end, ...y, end];
      expect(found.labels).toEqual(found.labelPositions.map((place) => whole[place]));
      expect(found.labelPositions.some((place) => place < 6)).toBe(true);
      expect(found.labelPositions.some((place) => place > 6)).toBe(true);
      expect(found.labelPositions.includes(0) || found.labelPositions.includes(6)).toBe(false);
    }
  });

  test('tlm: rows of several lengths are padded, and padding is not read', () => {
    const make = tlm(context, options).batches(languages)!;
    const { feeds } = make([example([20], [30, 31], 0), example([20, 21, 22], [30, 31, 32, 33], 1)], 4);
    expect(feeds.inputIds.shape).toEqual([2, 12]);
    const rows = (name: string) => {
      const all = Array.from(feeds[name].data);
      return [all.slice(0, 12), all.slice(12)];
    };
    expect(rows('attentionMask').map((ones) => ones.reduce((sum, one) => sum + one))).toEqual([7, 11]);
    expect(rows('positions')[0]).toEqual([0, 1, 2, 0, 1, 2, 3, 0, 0, 0, 0, 0]);
    expect(rows('inputIds')[0].slice(7)).toEqual([pad, pad, pad, pad, pad]);
    for (const place of feeds.labelPositions.data) {
      expect(feeds.attentionMask.data[place]).toBe(1);
    }
  });
});
