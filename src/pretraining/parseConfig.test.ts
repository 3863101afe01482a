import { describe, expect, test } from 'vitest';
import { parsePretrainConfig, parsePretrainConfigText } from './parseConfig.js';

const minimal = {
  output: 'runs/x',
  objectives: { type: 'mass' },
  data: { train: { text: 'a.txt' } },
  budget: { maxUpdates: 10 },
};
const message = (value: object) => {
  try {
    parsePretrainConfig({ ...minimal, ...value }, 'p.yaml');
  } catch (error) {
    return (error as Error).message;
  }
  return undefined;
};

describe('a pre-training configuration', () => {
  test('fills in the defaults of the objective, and a mask token', () => {
    const config = parsePretrainConfigText(
      'output: o\nobjectives: {type: mass}\ndata: {train: {text: t}}\nbudget: {maxEpochs: 2}',
      'x',
    );
    expect(config.objectives).toEqual([
      {
        type: 'mass',
        weight: 1,
        options: {
          fragmentShare: 0.5,
          startRule: { start: 0.2, end: 0.2, random: 0.6 },
          replacement: { mask: 0.8, keep: 0.1, random: 0.1 },
        },
      },
    ]);
    expect(config.vocabulary).toEqual({ train: { specialTokens: ['<pad>', '</s>', '<unk>', '<mask>'] } });
    expect(config.optimizer.labelSmoothing).toBe(0);
  });

  test.each([
    [{ objectives: { type: 'mas' } }, /no objective "mas".*did you mean mass/],
    [
      { objectives: { type: 'mass', fragmentshare: 0.5 } },
      /objectives\[0\] \(mass\): there is no fragmentshare \(did you mean fragmentShare/,
    ],
    [
      { objectives: [{ type: 'mass' }, { type: 'bart', infillRate: 2 }] },
      /objectives\[1\] \(bart\): infillRate is 2/,
    ],
    [{ objectives: { type: 'mass', startRule: { start: 1, end: 1, random: 0 } } }, /add up to 1/],
    [
      { objectives: { type: 'mass', fragmentShare: 0.3, fragmentLength: 4 } },
      /fragmentShare and fragmentLength/,
    ],
    [{ data: { train: { text: 'a' }, pairs: { tsv: 'b' } } }, /data.pairs is given but no objective/],
    [{ objectives: [] }, /objectives/],
    [{ data: {} }, /mass learns from running text: give data.train/],
    [{ objectives: { type: 'supervisedMass' } }, /learns from pairs.*data.pairs/],
    [{ init: 'm', model: { preset: 'tiny' } }, /init \(m\) gives the architecture/],
    [{ data: { train: { text: 'a' }, minLength: 300 } }, /minLength \(300\) is more than/],
    [{ data: { train: { text: 'a' }, maxLength: 9000 } }, /maxLength \(9000\) is more than batch.maxTokens/],
    [{ model: { dModel: 100, attentionHeads: 3 } }, /not a multiple/],
    [{ budget: {} }, /training would never end/],
    [{ earlyStopping: { patience: 2 } }, /nothing to validate on/],
  ])('refuses %j', (value, wanted) => {
    expect(message(value)).toMatch(wanted);
    expect(message(value)).toMatch(/^p.yaml/);
  });

  test('names what is wrong with every objective, and nothing that would follow from it', () => {
    expect(
      message({
        objectives: [
          { type: 'mas' },
          { type: 'bart', infillRate: 2, infilRate: 1 },
          { type: 'mass', fragmentShare: 0.3, fragmentLength: 4 },
        ],
        vocabulary: { train: { type: 'wordpiece', splitDigits: true } },
        data: { pairs: { source: 'p' } },
      })?.split('\n'),
    ).toEqual([
      'p.yaml has 6 problems:',
      expect.stringMatching(/^- objectives\[0\]: there is no objective "mas": .*\(did you mean mass\?\);$/),
      '- objectives[1] (bart): infillRate is 2 but must be at most 1;',
      expect.stringMatching(
        /^- objectives\[1\] \(bart\): there is no infilRate \(did you mean infillRate\?\);$/,
      ),
      expect.stringMatching(/^- objectives\[2\] \(mass\): fragmentShare and fragmentLength say/),
      expect.stringMatching(/^- vocabulary\.train: .*splitDigits.*;$/),
      '- data.pairs[0] has no target: give source and target, or tsv.',
    ]);
  });
});
