import { describe, expect, test } from 'vitest';
import type { PolybeamError } from '../../errors.js';
import { parseTranslationConfig, parseTranslationConfigText } from './parseConfig.js';

const small = { output: 'runs/a', data: { train: { en: 'a.en', fr: 'a.fr' } }, budget: { maxUpdates: 10 } };

function refusal(value: unknown): string {
  try {
    parseTranslationConfig(value, 'x.yaml');
  } catch (error) {
    expect((error as PolybeamError).code).toBe('CONFIG_INVALID');
    return (error as Error).message;
  }
  throw new Error('was not refused');
}

describe('defaults', () => {
  test('are the paper’s: every language into every other, denoising that decays', () => {
    const config = parseTranslationConfig({
      ...small,
      data: {
        train: { en: 'a.en', fr: ['b.fr'].map((text) => ({ text })), de: { text: 'c.tsv', column: 2 } },
      },
    });
    expect(config.languages).toEqual(['en', 'fr', 'de']);
    expect(config.data.train?.en).toEqual([{ text: 'a.en', documents: 'lines' }]);
    expect(config.data.train?.de[0].column).toBe(2);
    const names = config.backTranslation.directions.map(({ from, to }) => `${from}-${to}`);
    expect(names).toEqual(['en-fr', 'en-de', 'fr-en', 'fr-de', 'de-en', 'de-fr']);
    expect(config.weights.denoising).toEqual([
      [0, 1],
      [100_000, 0.1],
      [300_000, 0],
    ]);
    expect(config.denoising).toMatchObject({ shuffle: 3, dropout: 0.1, blank: 0.1 });
    expect(config.optimizer.labelSmoothing).toBe(0);
    expect(config.validation.metric).toBe('roundTrip');
    expect(config.vocabulary).toEqual({ train: {} });
  });

  test('follow what is given: parallel text decides, denoising alone does not decay, init gives the tokenizer', () => {
    const pairs = { from: 'en', to: 'fr', source: 'v.en', target: 'v.fr' };
    const held = { ...small.data, validationPairs: pairs };
    expect(parseTranslationConfig({ ...small, data: held }).validation.metric).toBe('bleu');
    const alone = parseTranslationConfig({ ...small, backTranslation: { directions: [] }, init: 'runs/xlm' });
    expect(alone.weights.denoising).toEqual([[0, 1]]);
    expect(alone.validation.metric).toBe('loss');
    expect(alone.vocabulary).toEqual({ tokenizer: 'runs/xlm' });
  });

  test('learn from pairs where they are all there is', () => {
    const pairs = [{ from: 'en', to: 'fr', tsv: 'a.tsv' }];
    const { weights, languages } = parseTranslationConfig({ ...small, data: { pairs } });
    expect(languages).toEqual(['en', 'fr']);
    expect(weights).toMatchObject({ translation: [[0, 1]], denoising: [[0, 0]], backTranslation: [[0, 0]] });
  });
});

test.each([
  [{ ...small, data: {} }, 'data holds nothing to learn from: give data.train'],
  [
    { ...small, data: { train: { en: 'a.en' } } },
    'data.train has text in one language (en), so nothing can be translated back: give text in another, or set backTranslation.directions to []',
  ],
  [
    { ...small, backTranslation: { directions: ['en-fr', 'fr-it'] } },
    'backTranslation.directions[1] is "fr-it", which is no pair of two of en, fr',
  ],
  [{ ...small, backTranslation: { directions: ['en-en'] } }, '"en-en", which is no pair'],
  [
    {
      ...small,
      data: { train: { en: 'a.en' }, pairs: { from: 'en', to: 'fr', tsv: 'x.tsv' } },
      backTranslation: { directions: ['en-fr'] },
    },
    'is en-fr, which is learned from texts of fr, and data.train has text in en: give text of fr, or leave the direction out',
  ],
  [{ ...small, data: { train: { 'e n': 'a.en', fr: 'a.fr' } } }, '"e n" cannot be the code of a language'],
  [
    { ...small, data: { ...small.data, validation: { fre: 'v.fr' } } },
    'data.validation.fre is in a language that is not learned; data has en, fr (did you mean fr?)',
  ],
  [
    { ...small, data: { ...small.data, pairs: { from: 'en', to: 'en', tsv: 'x.tsv' } } },
    'data.pairs[0] is of en on both sides',
  ],
  [{ ...small, data: { ...small.data, pairs: { from: 'en', to: 'fr' } } }, 'data.pairs[0] has no source'],
  [
    { ...small, denoising: { weight: '0:1,5:0' }, backTranslation: { weight: 0 } },
    'from round 5 on every task has weight 0, so nothing is learned',
  ],
  [{ ...small, denoising: { weight: '5:1,5:0' } }, 'denoising.weight is "5:1,5:0"'],
  [
    { ...small, backTranslation: { temperature: 0.5 } },
    'backTranslation.temperature (0.5) has no meaning with decoding greedy',
  ],
  [
    { ...small, backTranslation: { decoding: 'sample', numBeams: 3 } },
    'numBeams (3) has no meaning with decoding sample',
  ],
  [{ ...small, init: 'a', model: { preset: 'tiny' } }, 'init (a) gives the sizes, so model.preset (tiny)'],
  [{ ...small, init: 'a', vocabulary: { tokenizer: 'b' } }, 'init (a) gives the tokenizer'],
  [{ ...small, init: 'a', embeddings: ['x.vec'] }, 'init (a) gives the embeddings'],
  [{ ...small, vocabulary: { tokenizer: 'b', train: {} } }, 'vocabulary has both tokenizer (b) and train'],
  [{ ...small, vocabulary: { train: { size: 5, alpha: 7 } } }, 'alpha'],
  [
    { ...small, data: { ...small.data, validation: { en: 'v' } }, validation: { metric: 'bleu' } },
    'validation.metric is bleu but there is no parallel text to compare with',
  ],
  [
    {
      ...small,
      data: { ...small.data, validation: { en: 'v' } },
      backTranslation: { directions: ['en-fr'] },
      validation: { metric: 'roundTrip' },
    },
    'no direction whose reverse is learned too',
  ],
  [{ ...small, earlyStopping: { patience: 2 } }, 'there is nothing to validate on'],
  [
    { ...small, data: { ...small.data, maxLength: 3000 } },
    'data.maxLength (3000) is more than batch.maxTokens (2000)',
  ],
  [{ ...small, budget: {} }, 'training would never end'],
  [{ ...small, backTranslations: {} }, 'there is no backTranslations (did you mean backTranslation?)'],
])('%j is refused', (value, message) => {
  expect(refusal(value)).toContain(message);
  expect(refusal(value)).toMatch(/^x\.yaml: .*\.$/);
});

test('codes with hyphens are told apart in directions', () => {
  const data = { train: { 'pt-BR': 'a', pt: 'b', en: 'c' } };
  const directions = ['pt-BR-pt', 'pt-pt-BR', 'en-pt-BR'];
  const config = parseTranslationConfig({ ...small, data, backTranslation: { directions } });
  expect(config.backTranslation.directions).toEqual([
    { from: 'pt-BR', to: 'pt' },
    { from: 'pt', to: 'pt-BR' },
    { from: 'en', to: 'pt-BR' },
  ]);
});

test('YAML is read, its errors told with their place', () => {
  expect(
    parseTranslationConfigText('output: a\ndata: { train: { en: x, fr: y } }\nbudget: { maxUpdates: 1 }', 'x')
      .output,
  ).toBe('a');
  expect(() => parseTranslationConfigText('a: [', 'x.yaml')).toThrow('x.yaml is not YAML at line 1');
});
