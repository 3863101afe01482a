import { describe, expect, test } from 'vitest';
import { languagesOf, parseXlmPretrainConfig, parseXlmPretrainConfigText } from './parseConfig.js';

const minimal = {
  output: 'runs/x',
  objectives: { type: 'mlm' },
  data: { train: { en: 'a.en', de: 'a.de' } },
  budget: { maxUpdates: 10 },
};
const message = (value: object) => {
  try {
    parseXlmPretrainConfig({ ...minimal, ...value }, 'p.yaml');
  } catch (error) {
    return (error as Error).message;
  }
  return undefined;
};
const pair = { from: 'en', to: 'de', source: 'p.en', target: 'p.de' };

describe('a configuration of XLM pre-training', () => {
  test('fills in defaults: those of the paper, and sizes of the preset', () => {
    const config = parseXlmPretrainConfigText(
      'output: o\nobjectives: [{type: mlm}, {type: tlm, weight: 2}]\ndata:\n  train: {en: a.en, de: [{text: b.tsv, column: 2}]}\n' +
        '  pairs: {from: en, to: fr, tsv: c.tsv}\nmodel: {preset: tiny}\nbudget: {maxEpochs: 2}',
      'x',
    );
    expect(config.data).toMatchObject({
      train: { en: [{ text: 'a.en', documents: 'lines' }], de: [{ text: 'b.tsv', column: 2 }] },
      length: 256,
      alpha: 0.7,
    });
    expect(languagesOf(config)).toEqual(['en', 'de', 'fr']);
    expect(config.model).toMatchObject({ embDim: 128, nLayers: 4, embedInitStd: 128 ** -0.5 });
    expect(config.objectives[1]).toMatchObject({
      type: 'tlm',
      weight: 2,
      options: { rate: 0.15, sampleAlpha: 0, replacement: { mask: 0.8, keep: 0.1, random: 0.1 } },
    });
    expect(config.vocabulary).toEqual({ train: {} });
    expect(config.optimizer.labelSmoothing).toBe(0);
  });

  test.each([
    [{ objectives: { type: 'mml' } }, /no objective "mml": use one of mlm, clm, tlm/],
    [{ objectives: { type: 'tlm' } }, /objective tlm learns from parallel text: give data.pairs/],
    [{ data: { pairs: pair } }, /objective mlm learns from running text: give data.train/],
    [{ data: { ...minimal.data, pairs: pair } }, /data.pairs is given but no objective learns from parallel/],
    [{ data: { train: { 'e n': 'a' } } }, /"e n" cannot be the code of a language/],
    [{ data: { train: { mask: 'a' } } }, /"mask" cannot be the code of a language/],
    [
      { data: { train: { constructor: 'a' } } },
      /data\.train\.constructor is .* but must be under another key/,
    ],
    [
      { data: { ...minimal.data, validation: { fr: 'v' } } },
      /data.validation.fr is in a language that is not learned; data has en, de/,
    ],
    [
      { objectives: { type: 'tlm' }, data: { pairs: { ...pair, to: 'en' } } },
      /data.pairs\[0\] is of en on both sides/,
    ],
    [
      { objectives: { type: 'tlm' }, data: { pairs: { from: 'en', to: 'de', source: 'p' } } },
      /data.pairs\[0\]/,
    ],
    [{ data: { ...minimal.data, length: 600 } }, /data.length is 600, and the model has room for 512/],
    [
      { objectives: { type: 'tlm' }, data: { pairs: pair, maxLength: 511 } },
      /data.maxLength is 511, and the model has room for 510/,
    ],
    [{ batch: { maxTokens: 100 } }, /data.length \(256\) is more than batch.maxTokens \(100\)/],
    [{ model: { embDim: 30, nHeads: 4 } }, /embDim \(30\) is not a multiple of model.nHeads \(4\)/],
    [{ init: 'dir', model: { preset: 'tiny' } }, /init \(dir\) gives the architecture/],
    [{ init: 'dir', vocabulary: { tokenizer: 't' } }, /init \(dir\) gives the tokenizer/],
    [{ vocabulary: { tokenizer: 't', train: {} } }, /both tokenizer \(t\) and train/],
    [
      { vocabulary: { train: { pretokenizer: 'byteLevel', splitDigits: true } } },
      /vocabulary.train: .*splitDigits/,
    ],
    [{ budget: {} }, /training would never end/],
    [{ objectives: { type: 'mlm', sampleAlpha: 0.5, wholeWord: true } }, /sampleAlpha/],
  ])('%j is refused', (value, wanted) => {
    expect(message(value)).toMatch(wanted);
    expect(message(value)).toMatch(/^p\.yaml(:| has \d problems:\n-) /);
  });
});
