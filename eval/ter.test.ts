import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatScore } from './score.js';
import type { Reference } from './segments.js';
import { corpusTer, sentenceTer, terStatistics } from './ter.js';
import { countEdits } from './tercom.js';

const { corpora, cases } = JSON.parse(readFileSync('test/fixtures/eval/ter.json', 'utf8')) as {
  corpora: Record<string, [string[], Reference[][]]>;
  cases: { corpus: string; options: object; text: string; lines: [number, number][] }[];
};

describe('corpusTer', () => {
  it.each(cases.map((c) => [c.corpus, JSON.stringify(c.options), c] as const))(
    'equals sacreBLEU on %s with %s, line by line',
    (corpus, _options, { options, text, lines }) => {
      const [hypotheses, references] = corpora[corpus];
      expect(terStatistics(hypotheses, references, options).rows).toEqual(lines);
      expect(formatScore(corpusTer(hypotheses, references, options), { width: 4 })).toBe(text);
    },
  );

  it('counts a moved phrase as one edit: Snover et al. 2006, figure 1', () => {
    const reference = 'saudi arabia denied this week information published in the american new york times';
    const hypothesis = 'this week the saudis denied information published in the new york times';
    // A shift of "this week", and three more edits, of 13 words.
    const { numEdits, refLength } = sentenceTer(hypothesis, [reference]);
    expect([numEdits, refLength]).toEqual([4, 13]);
  });

  const words = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 });
  it('needs no more edits than without shifts, and none for the text itself', () => {
    fc.assert(
      fc.property(words, words, (hypothesis, reference) => {
        const edits = countEdits(hypothesis, reference);
        expect(edits).toBeLessThanOrEqual(Math.max(hypothesis.length, reference.length));
        expect(edits).toBeGreaterThanOrEqual(Math.abs(hypothesis.length - reference.length));
        expect(countEdits(reference, reference)).toBe(0);
      }),
    );
  });

  it('refuses an option of BLEU', () => {
    expect(() => corpusTer(['a'], [['a']], { lowercase: true } as never)).toThrow(
      expect.objectContaining({ code: 'OPTION_UNKNOWN' }),
    );
  });
});
