import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sentenceBleu, sentenceChrf } from '../../eval/index.js';
import { minimumBayesRisk } from './minimumBayesRisk.js';

const texts = fc.array(
  fc
    .array(fc.constantFrom('the', 'red', 'car', 'house', 'goes'), { minLength: 1, maxLength: 6 })
    .map((words) => words.join(' ')),
  { minLength: 1, maxLength: 6 },
);

describe('minimumBayesRisk', () => {
  it.each([
    ['chrf', sentenceChrf],
    ['bleu', sentenceBleu],
  ] as const)('ranks by the definition, %s', (utility, metric) => {
    fc.assert(
      fc.property(texts, texts, (candidates, evidence) => {
        const weights = evidence.map((_, i) => 1 + (i % 3));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const ranked = minimumBayesRisk(candidates, { utility, weights }, evidence);
        expect(ranked.map(({ index }) => index).sort()).toEqual(candidates.map((_, i) => i).sort());
        ranked.forEach(({ index, utility: value }, rank) => {
          const wanted = evidence.reduce(
            (sum, text, i) => sum + (weights[i] / total) * metric(candidates[index], [text]).score,
            0,
          );
          expect(value).toBeCloseTo(wanted, 9);
          if (rank > 0) expect(value).toBeLessThanOrEqual(ranked[rank - 1].utility);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('prefers what most samples agree with to an outlier that comes first', () => {
    const samples = [
      'a boat sinks',
      'the cat sits on the mat',
      'the cat sits on a mat',
      'the cat sat on the mat',
    ];
    expect(minimumBayesRisk(samples)[0].index).toBe(1);
    expect(minimumBayesRisk(samples, { weights: [9, 1, 1, 1] })[0].index).toBe(0);
  });

  it('keeps the order of equals, and takes none', () => {
    expect(minimumBayesRisk(['a', 'a', 'a']).map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(minimumBayesRisk([])).toEqual([]);
  });

  it('refuses weights that do not fit, and unknown options', () => {
    for (const options of [{ weights: [1] }, { weights: [1, -1] }, { utility: 'ter' }, { metric: 'chrf' }]) {
      expect(() => minimumBayesRisk(['a', 'b'], options as never)).toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID' }),
      );
    }
  });
});
