import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bleuStatistics, corpusBleu } from './bleu.js';
import { chrfStatistics, corpusChrf } from './chrf.js';
import { rouge, rougeStatistics } from './rouge.js';
import { formatNumber, formatScore, formatScoreJson } from './score.js';
import { confidenceOf, pairedTest, pairedTestFields, withConfidence } from './significance.js';
import { corpusTer, terStatistics } from './ter.js';

interface Result {
  score: number;
  p_value: number | null;
  mean: number | null;
  ci: number | null;
}
const { references, systems, cases, single } = JSON.parse(
  readFileSync('test/fixtures/eval/significance.json', 'utf8'),
) as {
  references: string[][];
  systems: Record<string, string[]>;
  cases: {
    seed: number;
    test: 'bs' | 'ar';
    samples: number;
    systems: string[];
    signatures: Record<string, string>;
    results: Record<string, Result[]>;
  }[];
  single: Record<string, [text: string, json: string, number: string]>;
};
const metrics = {
  BLEU: (lines: string[]) => bleuStatistics(lines, references),
  'chrF2++': (lines: string[]) => chrfStatistics(lines, references, { wordOrder: 2 }),
  TER: (lines: string[]) => terStatistics(lines, references),
};
const statisticsOf = Object.entries(metrics).map(
  ([name, make]) => [name, new Map(Object.entries(systems).map(([id, lines]) => [id, make(lines)]))] as const,
);

describe('pairedTest', () => {
  const runs = cases.flatMap((c) => statisticsOf.map((s) => [c.test, c.seed, s[0], c, s[1]] as const));
  it.each(runs)('%s with seed %i equals sacreBLEU: %s', (_test, seed, metric, expected, statistics) => {
    const ordered = expected.systems.map((name) => statistics.get(name)!);
    const options = {
      test: expected.test === 'bs' ? 'bootstrap' : 'randomization',
      samples: expected.samples,
      seed,
    } as const;
    expect(ordered[0].signature(...pairedTestFields(options))).toBe(expected.signatures[metric]);
    for (const [i, { score, pValue, confidence }] of pairedTest(ordered, options).entries()) {
      const theirs = expected.results[metric][i];
      expect(score).toBeCloseTo(theirs.score, 9);
      // The same lines are drawn. sacreBLEU adds up in float32, so that a tie may fall to the other side.
      expect(Math.abs((pValue ?? 0) - (theirs.p_value ?? 0))).toBeLessThanOrEqual(1.5 / expected.samples);
      expect(pValue === undefined).toBe(theirs.p_value === null);
      expect(Math.abs((confidence?.mean ?? 0) - (theirs.mean ?? 0))).toBeLessThan(1e-4);
      expect(Math.abs((confidence?.halfWidth ?? 0) - (theirs.ci ?? 0))).toBeLessThan(1e-4);
    }
  });

  it('works on ROUGE: what differs much is significant, what differs by chance is not', () => {
    const f = (lines: string[]) => rougeStatistics(rouge(lines, [references[0]]), 'rouge1');
    const names = ['baseline', 'alike', 'clearly'];
    for (const test of ['bootstrap', 'randomization'] as const) {
      const results = pairedTest(
        names.map((name) => f(systems[name])),
        { test, samples: 500 },
      );
      expect(results[0].pValue).toBeUndefined();
      expect(results[1].pValue).toBeGreaterThan(0.05);
      expect(results[2].pValue).toBeLessThan(0.01);
      expect(results[2].score).toBeGreaterThan(results[0].score + 5);
    }
  });

  it('gives 1 for a system that is the baseline', () => {
    const same = metrics.BLEU(systems.baseline);
    for (const test of ['bootstrap', 'randomization'] as const) {
      expect(pairedTest([same, metrics.BLEU(systems.baseline)], { test, samples: 50 })[1].pValue).toBe(1);
    }
  });

  it.each([
    ['one system', ['BLEU'], {}, 'INPUT_INVALID', 'needs a baseline'],
    ['two metrics', ['BLEU', 'TER'], {}, 'INPUT_INVALID', 'System 2 has TER of 150 lines'],
    ['an unknown test', ['BLEU', 'BLEU'], { test: 't' }, 'OPTION_INVALID', 'test of pairedTest'],
    ['one sample', ['BLEU', 'BLEU'], { samples: 1 }, 'OPTION_INVALID', 'samples of pairedTest'],
    ['a negative seed', ['BLEU', 'BLEU'], { seed: -1 }, 'OPTION_INVALID', 'seed of pairedTest'],
  ])('refuses %s', (_name, names, options, code, message) => {
    const given = names.map((name) => metrics[name as keyof typeof metrics](systems.baseline));
    expect(() => pairedTest(given, options as never)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});

describe('withConfidence', () => {
  it.each([
    ['bleu', corpusBleu(systems.slightly, references), bleuStatistics(systems.slightly, references)],
    ['chrf', corpusChrf(systems.slightly, references), chrfStatistics(systems.slightly, references)],
    ['ter', corpusTer(systems.slightly, references), terStatistics(systems.slightly, references)],
  ] as const)('prints what sacrebleu --confidence prints: %s', (name, score, statistics) => {
    const found = withConfidence(score, statistics, { samples: 500 });
    expect([formatScore(found), formatScoreJson(found), formatNumber(found)]).toEqual(single[name]);
  });

  it('draws other lines with another seed', () => {
    const statistics = metrics.BLEU(systems.slightly);
    const spread = confidenceOf(statistics, { samples: 200, seed: 3 });
    expect(spread.low).toBeLessThan(spread.mean);
    expect(spread.high - spread.low).toBeCloseTo(2 * spread.halfWidth, 9);
    expect(confidenceOf(statistics, { samples: 200, seed: 3 })).toEqual(spread);
    expect(confidenceOf(statistics, { samples: 200, seed: 4 })).not.toEqual(spread);
  });
});
