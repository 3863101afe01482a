import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bootstrapMeans } from './bootstrap.js';
import { porterStem } from './porterStemmer.js';
import { type RougeType, rouge, rougeScore, rougeScriptWarning, tokenizeRouge } from './rouge.js';

type Triple = [precision: number, recall: number, fmeasure: number];
const fixture = JSON.parse(readFileSync('test/fixtures/eval/rouge.json', 'utf8')) as {
  corpora: Record<string, [string[], string[][]]>;
  cases: {
    corpus: string;
    stemmer: boolean;
    lines: Record<RougeType, Triple[]>;
    intervals?: Record<RougeType, [Triple, Triple, Triple]>;
  }[];
  /** `word:stem`, blanks between. */
  stems: string;
};
const types = ['rouge1', 'rouge2', 'rouge3', 'rougeL', 'rougeLsum'] as const;

describe('rouge', () => {
  for (const { corpus, stemmer, lines, intervals } of fixture.cases) {
    const [hypotheses, references] = fixture.corpora[corpus];
    const name = `corpus ${corpus}, stemmer ${stemmer}`;
    const result = rouge(hypotheses, references, { types: [...types], stemmer });

    it.each(types)(`equals rouge-score on ${name}: %s`, (type) => {
      for (const [i, { precision, recall, fmeasure }] of result.lines[type]!.entries()) {
        for (const [j, value] of [precision, recall, fmeasure].entries()) {
          expect(Math.abs(value - lines[type][i][j]), `line ${i}: ${hypotheses[i]}`).toBeLessThan(1e-9);
        }
      }
      expect(result.lines[type]).toHaveLength(hypotheses.length);
      const mean = lines[type].reduce((sum, line) => sum + line[2], 0) / lines[type].length;
      expect(result.scores[type]!.fmeasure).toBeCloseTo(mean, 12);
      expect(rougeScore(result, type).score).toBeCloseTo(100 * mean, 10);
    });

    if (!intervals) continue;
    it.each(types)(`has rouge-score's bootstrap interval on ${name}: %s`, (type) => {
      const values = result.lines[type]!;
      const columns = (['precision', 'recall', 'fmeasure'] as const).map((key) => values.map((v) => v[key]));
      const found = bootstrapMeans(columns, { samples: 20_000 });
      for (const [j, { low, mid, high }] of found.entries()) {
        // 20,000 samples on both sides: the standard error of a 2.5 % quantile is some 0.02 of the interval's half.
        const tolerance = 0.07 * (high - low);
        for (const [b, bound] of [low, mid, high].entries()) {
          expect(Math.abs(bound - intervals[type][b][j])).toBeLessThan(tolerance);
        }
      }
    });
  }

  it('takes another separator for the line feed, in all types', () => {
    const [hypotheses, references] = fixture.corpora.one;
    const separate = (text: string) => text.replaceAll('\n', '<n>');
    const options = { types: [...types], stemmer: true };
    const separated = rouge(
      hypotheses.map(separate),
      references.map((lines) => lines.map(separate)),
      { ...options, sentenceSeparator: '<n>' },
    );
    expect(separated).toEqual(rouge(hypotheses, references, options));
    expect(separated.signature).toBe('nrefs:1|tok:rouge|stem:porter|version:rouge-score-0.1.2');
  });

  it('counts a union of subsequences by hand: Lin 2004, section 3.2', () => {
    // w1 w2 w3 w4 w5 against w1 w2 w6 w7 w8 and w1 w3 w8 w9 w5: the union is w1 w2 w3 w5.
    const result = rouge(['w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5'], [['w1 w2 w3 w4 w5']]);
    expect(result.scores.rougeLsum).toEqual({ precision: 0.4, recall: 0.8, fmeasure: (2 * 0.32) / 1.2 });
    expect(Object.keys(result.scores)).toEqual(['rouge1', 'rouge2', 'rougeL', 'rougeLsum']);
  });

  const text = fc.array(fc.constantFrom('a', 'b', 'cats', 'cat', '\n', '.', 'é'), { maxLength: 15 });
  it('swaps precision and recall with its sides, and is 1 for the text itself', () => {
    fc.assert(
      fc.property(text, text, fc.boolean(), (a, b, stemmer) => {
        const [one, other] = [a.join(' '), b.join(' ')];
        const forth = rouge([one], [[other]], { stemmer });
        const back = rouge([other], [[one]], { stemmer });
        for (const type of ['rouge1', 'rouge2', 'rougeL'] as const) {
          expect(forth.scores[type]!.precision).toBe(back.scores[type]!.recall);
          expect(forth.scores[type]!.fmeasure).toBeCloseTo(back.scores[type]!.fmeasure, 12);
        }
        const words = tokenizeRouge(one).length;
        const self = rouge([one], [[other], [one]], { stemmer }).scores;
        expect(self.rouge1!.fmeasure).toBe(words > 0 ? 1 : 0);
        expect(self.rougeLsum!.fmeasure).toBe(words > 0 ? 1 : 0);
      }),
    );
  });
});

describe('porterStem', () => {
  it('equals NLTK', () => {
    const stems = fixture.stems.split(' ').map((pair) => pair.split(':'));
    const wrong = stems.filter(([word, stem]) => porterStem(word) !== stem);
    expect(wrong.map(([word, stem]) => [word, stem, porterStem(word)])).toEqual([]);
    expect(stems.length).toBeGreaterThan(5000);
  });
});

describe('ROUGE refuses', () => {
  it.each([
    ['an unknown type', { types: ['rouge0'] }, 'OPTION_INVALID', 'types of ROUGE'],
    ['a type twice', { types: ['rouge1', 'rouge1'] }, 'OPTION_INVALID', 'name each type once'],
    ['no types', { types: [] }, 'OPTION_INVALID', 'types of ROUGE'],
    ['an empty separator', { sentenceSeparator: '' }, 'OPTION_INVALID', 'sentenceSeparator of ROUGE'],
    ['an option of BLEU', { tokenize: '13a' }, 'OPTION_UNKNOWN', 'ROUGE has no option tokenize'],
  ])('%s', (_name, options, code, message) => {
    const call = () => rouge(['a'], [['a']], options as never);
    expect(call).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });

  it('unequal lines, and a type that was not computed', () => {
    expect(() => rouge(['a', 'b'], [['a']])).toThrow(/Reference 1 has 1 lines/);
    const result = rouge(['a'], [['a']], { types: ['rougeL'] });
    expect(() => rougeScore(result, 'rouge1')).toThrow(/rouge1 was not computed: choose from rougeL/);
  });
});

describe('rougeScriptWarning', () => {
  it('counts the texts with letters of which none is Latin', () => {
    const texts = ['Кошка спит.', '猫', '12 + 3', '', 'Ünïcode', '猫 sleeps', null, '第 3 章'];
    expect(rougeScriptWarning(texts)).toMatch(
      / 3 of 5 references .*: they score 0 even against themselves\./,
    );
    expect(rouge(['Кошка спит.'], [['Кошка спит.']]).scores.rouge1!.fmeasure).toBe(0);
    expect(rougeScriptWarning(['Le chat dort.', '12', ''])).toBeUndefined();
  });
});
