import { afterAll, describe, expect, it } from 'vitest';
import '../node/install.js';
import { loadModel } from './loadModel.js';

describe('forceWordsIds of loaded models', async () => {
  const t5 = await loadModel('test/fixtures/models/t5');
  const bart = await loadModel('test/fixtures/models/bart');
  afterAll(() => Promise.all([t5.dispose(), bart.dispose()]));
  const inputs = [{ inputIds: [21, 24, 23, 17, 1] }];

  it('meets the alternative that is not forbidden', async () => {
    const [{ sequences }] = await t5.generate(inputs, {
      numBeams: 10,
      maxNewTokens: 12,
      forceWordsIds: [
        [
          [10, 11, 12],
          [20, 21, 22, 23],
        ],
      ],
      badWordsIds: [[12]],
    });
    expect(sequences[0].unmetConstraints).toEqual([]);
    expect(sequences[0].ids.join(' ')).toContain('20 21 22 23');
  });

  it('counts the first token that the model forces', async () => {
    const options = { numBeams: 4, forceWordsIds: [[16, 44]] };
    await expect(bart.generate(inputs, { ...options, maxNewTokens: 2 })).rejects.toMatchObject({
      code: 'OPTION_CONFLICT',
      message: expect.stringContaining('forceWordsIds needs 3 tokens'),
    });
    const [{ sequences }] = await bart.generate(inputs, { ...options, maxNewTokens: 3 });
    expect(sequences[0]).toMatchObject({ ids: [0, 16, 44], unmetConstraints: [] });
  });
});
