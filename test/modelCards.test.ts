import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { loadModel } from '../src/node.js';
import { brokenRules, type CardSentence, readCardSentences } from './support/cardSentences.js';

/** Models whose card has a list of sentences, and how many of them must be right. */
const withSentences = readdirSync('models').filter(
  (name) => existsSync(`models/${name}/sentences.yaml`) && existsSync(`models/${name}/model.safetensors`),
);
const needed = 55;

describe.each(withSentences)('sentences of the card of %s', async (name) => {
  const model = await loadModel(`models/${name}`);
  afterAll(() => model.dispose());

  it(`translates ${needed} of 60 rightly`, async () => {
    const sentences = readCardSentences(readFileSync(`models/${name}/sentences.yaml`, 'utf8'));
    const outputs = await model.translate(
      sentences.map(({ source }) => source),
      { numBeams: 4 },
    );
    const wrong = sentences.flatMap((sentence, at) => {
      const broken = brokenRules(sentence, outputs[at]);
      return broken.length ? [`${sentence.source} -> ${outputs[at]} (${broken.join('; ')})`] : [];
    });
    expect(sentences).toHaveLength(60);
    expect(sentences.length - wrong.length, wrong.join('\n')).toBeGreaterThanOrEqual(needed);
  });
});

describe('the check itself', () => {
  const sentence: CardSentence = {
    kind: 'number',
    source: '',
    must: ['\\b348\\b', 'n[ée]'],
    mustNot: ['^le'],
  };

  it('finds what is missing and what must not be there', () => {
    expect(brokenRules(sentence, 'né 348')).toEqual([]);
    expect(brokenRules(sentence, 'Le 3480')).toEqual(['lacks \\b348\\b', 'lacks n[ée]', 'has ^le']);
  });
});
