import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { corpusChrf, sentenceChrf } from './chrf.js';
import { formatScore, formatScoreJson } from './score.js';
import type { Reference } from './segments.js';

const fixture = JSON.parse(readFileSync('test/fixtures/eval/scores.json', 'utf8')) as {
  corpora: Record<string, [string[], Reference[][]]>;
  cases: { corpus: string; metric: string; options: object; text: Record<string, string>; json?: string }[];
};
const sentences = JSON.parse(readFileSync('test/fixtures/eval/sentences.json', 'utf8')) as [
  string,
  string[],
  string,
  string,
][];

const cases = fixture.cases.filter((c) => c.metric === 'chrf');

describe('corpusChrf', () => {
  it.each(cases.map((c) => [c.corpus, JSON.stringify(c.options), c] as const))(
    'equals sacreBLEU on %s with %s',
    (corpus, _options, expected) => {
      const score = corpusChrf(...fixture.corpora[corpus], expected.options);
      for (const [width, text] of Object.entries(expected.text)) {
        expect(formatScore(score, { width: Number(width) })).toBe(text);
      }
      if (expected.json) expect(formatScoreJson(score, { width: 1 })).toBe(expected.json);
    },
  );
});

describe('sentenceChrf', () => {
  it.each(sentences)('equals sacreBLEU on %j', (hypothesis, references, _bleu, text) => {
    const score = sentenceChrf(hypothesis, references);
    expect(formatScore(score, { width: 4 })).toBe(`chrF2|${score.signature}${text.slice('chrF2'.length)}`);
  });
});

describe('chrF refuses', () => {
  it.each([
    ['no orders', { charOrder: 0 }, 'OPTION_INVALID', 'charOrder and wordOrder are both 0'],
    [
      'an order that is no whole number',
      { wordOrder: 1.5 },
      'OPTION_INVALID',
      'wordOrder of chrF cannot be 1.5',
    ],
    ['an option of BLEU', { tokenize: '13a' }, 'OPTION_UNKNOWN', 'chrF has no option tokenize'],
  ])('%s', (_name, options, code, message) => {
    const call = () => corpusChrf(['a'], [['a']], options as never);
    expect(call).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });
});

const line = fc.string({ unit: 'grapheme', maxLength: 20 });
const corpus = fc.array(fc.tuple(line, line, line), { minLength: 1, maxLength: 6 });
const anyOptions = fc.record({
  charOrder: fc.integer({ min: 1, max: 7 }),
  wordOrder: fc.integer({ min: 0, max: 2 }),
  beta: fc.integer({ min: 0, max: 3 }),
  lowercase: fc.boolean(),
  whitespace: fc.boolean(),
  epsSmoothing: fc.boolean(),
});

describe('chrF, whatever the text,', () => {
  it('is 0..100, and does not depend on the order of lines', () => {
    fc.assert(
      fc.property(corpus, anyOptions, (rows, options) => {
        const columns = (r: typeof rows) => [0, 1, 2].map((i) => r.map((row) => row[i]));
        const [hypotheses, ...references] = columns(rows);
        const score = corpusChrf(hypotheses, references, options);
        expect(score.score).toBeGreaterThanOrEqual(0);
        expect(score.score).toBeLessThanOrEqual(100 + 1e-9);
        const [h, ...r] = columns([...rows].reverse());
        expect(corpusChrf(h, r, options)).toEqual(score);
      }),
    );
  });

  it('is 100 for the reference itself, among others too', () => {
    fc.assert(
      fc.property(corpus, anyOptions, (rows, options) => {
        const hypotheses = rows.map((row) => `${row[0]} the cat sat`);
        const references = [rows.map((row) => row[1]), hypotheses];
        expect(corpusChrf(hypotheses, references, options).score).toBeCloseTo(100, 9);
      }),
    );
  });
});
