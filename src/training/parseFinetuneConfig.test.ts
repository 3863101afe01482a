import { describe, expect, test } from 'vitest';
import { parseFinetuneConfig, parseFinetuneConfigText } from './parseFinetuneConfig.js';

const whole = {
  output: 'runs/tuned',
  init: 'models/bart',
  data: { train: { source: 'a.src', target: 'a.tgt' }, validation: { tsv: 'b.tsv' } },
  budget: { maxUpdates: 1000 },
};

describe('parseFinetuneConfig', () => {
  test('fills in defaults: a tenth of the updates is warm-up, one entry is a list', () => {
    const config = parseFinetuneConfig(whole);
    expect(config).toMatchObject({
      schedule: { type: 'linear', learningRate: 5e-5, warmupUpdates: 100, totalUpdates: 1000 },
      data: { train: [{ source: 'a.src', target: 'a.tgt' }], truncation: 'head' },
      layerDecay: 1,
      freeze: [],
      checkpoints: { averageLast: 0 },
      validation: { metric: 'rougeL', everyUpdates: 500 },
    });
    const epochs = parseFinetuneConfig({ ...whole, budget: { maxEpochs: 3 } });
    expect(epochs.schedule).toMatchObject({ totalUpdates: undefined, warmupUpdates: undefined });
    const endless = parseFinetuneConfig({ ...whole, schedule: { type: 'constant' } });
    expect(endless.schedule.warmupUpdates).toBe(0);
  });

  test('reads YAML, and says where it is none', () => {
    const text = 'output: runs/x\ninit: m\ndata: { train: { tsv: a.tsv } }\nbudget: { maxEpochs: 1 }\n';
    expect(parseFinetuneConfigText(text, 'x.yaml').budget.maxEpochs).toBe(1);
    expect(() => parseFinetuneConfigText('output: [', 'x.yaml')).toThrow(/x\.yaml is not YAML at line/);
  });

  test.each([
    [{ init: undefined }, 'there is nothing to start from: give init, or encoder and decoder'],
    [{ encoder: 'bert' }, 'init and encoder are both given'],
    [{ init: undefined, decoder: 'bert' }, 'decoder is given without encoder: give both'],
    [{ share: true }, 'share is true but init is given'],
    [
      { init: undefined, encoder: 'a', decoder: { random: 'a' }, share: true },
      'share makes one set of weights of encoder and decoder, but they are "a" and {"random":"a"}: give the same for both',
    ],
    [{ budget: {} }, 'training would never end'],
    [{ budget: { maxMinutes: 5 } }, 'schedule.type linear must know its end'],
    [{ schedule: { warmupUpdates: 2000 } }, 'schedule.warmupUpdates (2000) is not below the 1000 updates'],
    [{ schedule: { ratio: 8 } }, 'schedule.ratio (8) is only read by type slantedTriangular, not linear'],
    [{ layerDecay: 1.5 }, 'layerDecay is 1.5 but must be at most 1'],
    [{ layerDecay: 0 }, 'layerDecay is 0 but must be above 0'],
    [{ freeze: 'encoder' }, 'freeze is "encoder" but must be a list'],
    [
      { validation: { metric: 'rouge' } },
      'validation.metric is "rouge" but must be rouge1 or rouge2 or rougeL',
    ],
    [{ validation: { beams: 4 } }, 'there is no validation.beams'],
    [{ validation: { minNewTokens: 9, maxNewTokens: 8 } }, 'validation.minNewTokens (9) is above'],
    [{ generation: { doSample: true } }, 'there is no generation.doSample'],
    [{ data: { train: { source: 'a' } } }, 'data.train[0] has no target'],
    [
      { data: { train: { tsv: 'a' }, truncation: 'middle' } },
      'data.truncation is "middle" but must be head or tail or drop or a mapping',
    ],
    [
      { data: { train: { tsv: 'a' }, truncation: { headTail: { head: 128 } } } },
      'data.truncation.headTail.tail is missing: give a number',
    ],
    [{ data: { train: { tsv: 'a' }, truncation: { headTial: {} } } }, 'data.truncation.headTail is missing'],
    [
      { data: { train: { tsv: 'a' }, truncation: { headTail: { head: 0, tail: 0 } } } },
      'data.truncation.headTail keeps nothing of a text',
    ],
    [
      { data: { train: { tsv: 'a' }, maxSourceLength: 5000 } },
      'a text may have 5000 tokens, which is more than batch.maxTokens (4096)',
    ],
    [
      { earlyStopping: { patience: 2 }, data: { train: { tsv: 'a' } } },
      'earlyStopping.patience is 2 but there is nothing to validate on',
    ],
    [{ init: undefined, encoder: { directory: 'x' }, decoder: 'y' }, 'encoder.random is missing'],
  ])('refuses %j', (changes, message) => {
    expect(() => parseFinetuneConfig({ ...whole, ...changes }, 'x.yaml')).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/^x\.yaml(:| has \d problems:\n-) /),
      }),
    );
    expect(() => parseFinetuneConfig({ ...whole, ...changes }, 'x.yaml')).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(message),
      }),
    );
  });
});
