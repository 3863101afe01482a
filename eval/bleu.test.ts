import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { corpusBleu, sentenceBleu } from './bleu.js';
import { formatScore, formatScoreJson } from './score.js';
import type { Reference } from './segments.js';

interface Case {
  corpus: string;
  metric: string;
  options: object;
  text: Record<string, string>;
  json?: string;
  counts: [number[], number[]];
}
const fixture = JSON.parse(readFileSync('test/fixtures/eval/scores.json', 'utf8')) as {
  corpora: Record<string, [string[], Reference[][]]>;
  cases: Case[];
};
const sentences = JSON.parse(readFileSync('test/fixtures/eval/sentences.json', 'utf8')) as [
  string,
  string[],
  string,
  string,
][];

const cases = fixture.cases.filter((c) => c.metric === 'bleu');

describe('corpusBleu', () => {
  it.each(cases.map((c) => [c.corpus, JSON.stringify(c.options), c] as const))(
    'equals sacreBLEU on %s with %s',
    (corpus, _options, expected) => {
      const score = corpusBleu(...fixture.corpora[corpus], expected.options);
      for (const [width, text] of Object.entries(expected.text)) {
        expect(formatScore(score, { width: Number(width) })).toBe(text);
      }
      if (expected.json) expect(formatScoreJson(score, { width: 1 })).toBe(expected.json);
      expect([score.counts, score.totals]).toEqual(expected.counts);
    },
  );

  it('does not change what it is given', () => {
    const hypotheses = Object.freeze(['a b', 'c']);
    const references = Object.freeze([Object.freeze(['a b', 'd'])]);
    const options = Object.freeze({ smoothMethod: 'add-k' as const });
    expect(corpusBleu(hypotheses, references, options)).toEqual(corpusBleu(hypotheses, references, options));
  });
});

describe('sentenceBleu', () => {
  it.each(sentences)('equals sacreBLEU on %j', (hypothesis, references, text) => {
    const score = sentenceBleu(hypothesis, references);
    const { name, verbose } = score;
    expect(formatScore(score, { width: 4 })).toBe(`${name}|${score.signature}${text.slice(name.length)}`);
    expect(text).toContain(verbose);
    expect(score.signature).toContain('|eff:yes|');
  });
});

describe('BLEU refuses', () => {
  it.each([
    ['no hypotheses', () => corpusBleu([], [[]]), 'INPUT_INVALID', 'no hypotheses'],
    ['no references', () => corpusBleu(['a'], []), 'INPUT_INVALID', 'no references'],
    [
      'unequal lines',
      () => corpusBleu(['a', 'b'], [['a', 'b'], ['a']]),
      'INPUT_INVALID',
      'Reference 2 has 1 lines',
    ],
    [
      'a line without reference',
      () => corpusBleu(['a'], [[null], [undefined]]),
      'INPUT_INVALID',
      'Line 1 has no',
    ],
    ['a bare string', () => corpusBleu(['a'], ['a'] as never), 'INPUT_INVALID', 'is not a list of lines'],
    [
      'a text that is none',
      () => corpusBleu([5] as never, [['a']]),
      'INPUT_INVALID',
      'Line 1 has 5 for a text',
    ],
    [
      'an unknown option',
      () => corpusBleu(['a'], [['a']], { smooth: 'exp' } as never),
      'OPTION_UNKNOWN',
      'BLEU has no option smooth: its options are lowercase, tokenize, smoothMethod',
    ],
    [
      'an unknown method',
      () => corpusBleu(['a'], [['a']], { smoothMethod: 'max' } as never),
      'OPTION_INVALID',
      'smoothMethod of BLEU cannot be "max": use exp, floor, add-k, none.',
    ],
    [
      'a value without its method',
      () => corpusBleu(['a'], [['a']], { smoothValue: 1 }),
      'OPTION_CONFLICT',
      'smoothValue 1 has no meaning with smoothMethod "exp"',
    ],
    [
      'order 0',
      () => corpusBleu(['a'], [['a']], { maxNgramOrder: 0 }),
      'OPTION_INVALID',
      'maxNgramOrder of BLEU',
    ],
    [
      'an unknown tokenizer',
      () => corpusBleu(['a'], [['a']], { tokenize: 'spm' }),
      'OPTION_INVALID',
      '"spm" is not implemented',
    ],
  ])('%s', (_name, call, code, message) => {
    expect(call).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });
});

const word = fc.constantFrom('the', 'cat', 'sat', 'on', 'mat', '.', 'don’t', '3,5', '中', '&quot;');
const line = fc.array(word, { maxLength: 12 }).map((words) => words.join(' '));
const corpus = fc.array(fc.tuple(line, line, line), { minLength: 1, maxLength: 8 });
const anyOptions = fc.record({
  lowercase: fc.boolean(),
  tokenize: fc.constantFrom('13a', 'none', 'char', 'intl', 'zh', 'moses-en'),
  smoothMethod: fc.constantFrom('exp' as const, 'floor' as const, 'add-k' as const, 'none' as const),
  effectiveOrder: fc.boolean(),
});

describe('BLEU, whatever the text,', () => {
  it('is 0..100, and does not depend on the order of lines or of references', () => {
    fc.assert(
      fc.property(corpus, anyOptions, (rows, options) => {
        const columns = (r: typeof rows) => [0, 1, 2].map((i) => r.map((row) => row[i]));
        const [hypotheses, first, second] = columns(rows);
        const score = corpusBleu(hypotheses, [first, second], options);
        expect(score.score).toBeGreaterThanOrEqual(0);
        expect(score.score).toBeLessThanOrEqual(100 + 1e-9);
        const [h, a, b] = columns([...rows].reverse());
        expect(corpusBleu(h, [b, a], options)).toEqual(score);
      }),
    );
  });

  it('is 100 for the reference itself, among others too', () => {
    fc.assert(
      fc.property(corpus, anyOptions, (rows, options) => {
        const hypotheses = rows.map((row) => `${row[0]} the cat sat on the mat`);
        const references = [rows.map((row) => row[1]), hypotheses];
        expect(corpusBleu(hypotheses, references, options).score).toBeCloseTo(100, 9);
      }),
    );
  });
});
