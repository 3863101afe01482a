import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { corpusBleu } from '../bleu.js';
import { sentenceChrf } from '../chrf.js';
import { corpusWer } from '../errorRate.js';
import { rouge } from '../rouge.js';
import { confidenceOf, pairedTest } from '../significance.js';
import { corpusTer, terStatistics } from '../ter.js';
import { readAlignment } from './alignments.js';
import { htmlReport } from './html.js';
import { evaluationReport, type ReportInput } from './model.js';

const references = [
  [
    'the cat sat on the mat',
    'a dog runs',
    'five <b>words</b> & "more" here',
    'x y z',
    'one two three',
    'six',
  ],
  ['a cat was on a mat', 'the dog is running', 'five words', 'x y', 'one two', 'number six'],
];
const source = ['le chat', 'un chien', 'cinq mots', 'x y z', 'un deux trois', 'six'];
const baseline = ['the cat on mat', 'dogs run', 'five <i>words</i>', 'a b c', 'one two three', 'six'];
const better = [
  'the cat sat on a mat',
  'a dog runs',
  'five <b>words</b> & more',
  'x y z',
  'one two',
  'number six',
];
const input: ReportInput = {
  systems: [
    {
      name: 'base<1>',
      lines: baseline,
      alignments: baseline.map((text, i) => readAlignment('0-0', source[i], text, '')),
    },
    { name: 'better', lines: better },
  ],
  references,
  source,
};
const metrics = ['bleu', 'ter', 'wer', 'rouge1', 'rougeLsum', 'chrf++', 'cer'] as const;

describe('evaluationReport', () => {
  const report = evaluationReport(input, { metrics: [...metrics], samples: 100, seed: 5, examples: 3 });

  it('has the scores, intervals and p-values of the metrics themselves', () => {
    expect(report.metrics.map(({ name }) => name)).toEqual([
      'BLEU',
      'TER',
      'WER',
      'ROUGE-1',
      'ROUGE-Lsum',
      'chrF2++',
      'CER',
    ]);
    expect(report.metrics.map(({ higherIsBetter }) => higherIsBetter)).toEqual([
      true,
      false,
      false,
      true,
      true,
      true,
      false,
    ]);
    const [first, second] = report.systems;
    expect(second.results[0].score).toBe(corpusBleu(better, references).score);
    expect(second.results[1].score).toBe(corpusTer(better, references).score);
    expect(second.results[2].score).toBe(corpusWer(better, references).score);
    const { fmeasure } = rouge(better, references, { types: ['rouge1'] }).scores.rouge1!;
    expect(second.results[3].score).toBeCloseTo(100 * fmeasure, 9);
    const both = [terStatistics(baseline, references), terStatistics(better, references)];
    const tested = pairedTest(both, { samples: 100, seed: 5 });
    expect([first.results[1], second.results[1]]).toEqual(tested);
    expect(report.metrics[1].signature).toMatch(/^nrefs:2\|bs:100\|seed:5\|case:lc/);
  });

  it('gives a system alone its interval, and no p-value', () => {
    const [only] = evaluationReport(
      { systems: [input.systems[0]], references },
      { metrics: ['ter'], samples: 50 },
    ).systems;
    const statistics = terStatistics(baseline, references);
    expect(only.results[0]).toEqual({
      score: corpusTer(baseline, references).score,
      confidence: confidenceOf(statistics, { samples: 50 }),
    });
    expect(only.statistics).not.toHaveProperty('novelty');
  });

  it('shows the worst lines first, against the reference they are most like', () => {
    const [{ worst, lineScores }, second] = report.systems;
    expect(worst.map(({ line }) => line)).toEqual([4, 2, 1]);
    expect(worst.map(({ score }) => score)).toEqual([lineScores[3], lineScores[1], lineScores[0]]);
    expect(Math.min(...lineScores.slice(2, 3), ...lineScores.slice(4))).toBeGreaterThan(lineScores[0]);
    const scores = [0, 1].map((r) => sentenceChrf(baseline[1], [references[r][1]]).score);
    expect(worst[1].reference).toBe(references[scores[1] > scores[0] ? 1 : 0][1]);
    expect(worst[0]).toMatchObject({ text: 'a b c', source: 'x y z', score: 0 });
    expect(worst[0].alignment?.words).toEqual(['a', 'b', 'c']);
    expect(second.worst[0].alignment).toBeUndefined();
  });

  it('refuses no systems, unequal lines and unknown metrics', () => {
    const code = (name: string) => expect.objectContaining({ code: name });
    expect(() => evaluationReport({ systems: [], references })).toThrow(code('INPUT_INVALID'));
    const short = { systems: [{ name: 'a', lines: ['a'] }], references };
    expect(() => evaluationReport(short)).toThrow(code('INPUT_INVALID'));
    expect(() => evaluationReport(input, { metrics: ['comet'] as never })).toThrow(code('OPTION_INVALID'));
  });

  describe('as a page', () => {
    const page = htmlReport(report, 'A & B');
    const { document } = parseHTML(page);

    it('needs nothing else and fits a phone', () => {
      expect(page).not.toMatch(/<script|<link|@import|url\(|\ssrc=|https?:\/\/(?!www\.w3\.org)/);
      expect(document.querySelector('meta[name=viewport]')?.getAttribute('content')).toContain(
        'device-width',
      );
      expect(page).toContain('prefers-color-scheme: dark');
      for (const table of document.querySelectorAll('table')) {
        expect(table.parentElement?.className).toBe('scroll');
      }
    });

    it('has tables, plots, and the worst lines with what differs marked', () => {
      const [scores, statistics] = [...document.querySelectorAll('table')];
      const rows = [...scores.querySelectorAll('tr')].map((row) =>
        [...row.children].map((c) => c.textContent),
      );
      expect(rows[0]).toEqual(['', 'base<1>', 'better']);
      expect(rows[1][0]).toBe('BLEU\u00a0↑');
      expect(rows[2][0]).toBe('TER\u00a0↓');
      expect(rows[1][2]).toContain(corpusBleu(better, references).score.toFixed(1));
      expect(statistics.textContent).toContain('novelty-2');
      // Scores, scores by length, lengths, and a scatter for each system.
      expect(document.querySelectorAll('figure svg')).toHaveLength(5);
      const cards = [...document.querySelectorAll('article')];
      expect(cards).toHaveLength(6);
      expect(cards[0].querySelector('h3')?.textContent).toBe('Line 4 chrF2 0.0');
      expect(cards[0].querySelector('ins')?.textContent).toBe('a b c');
      expect(cards[0].querySelector('del')?.textContent).toBe('x y z');
      expect(cards[0].querySelectorAll('.alignment rect').length).toBeGreaterThan(0);
      expect(cards[3].querySelector('.alignment')).toBeNull();
    });

    it('escapes what it shows', () => {
      expect(document.querySelector('h1')?.textContent).toBe('A & B');
      expect(document.querySelectorAll('main i').length).toBe(0);
      expect(page).toContain('five &lt;b&gt;words&lt;/b&gt; &amp;');
      expect(document.querySelectorAll('article b')).toHaveLength(3 * 6);
      expect(page).not.toContain('base<1>');
    });
  });
});
