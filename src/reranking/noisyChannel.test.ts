import { describe, expect, it } from 'vitest';
import type { Model } from '../pretrained/model.js';
import { noisyChannel } from './noisyChannel.js';

/** A channel that explains a source by how many of its words the output has. */
const channel: Pick<Model, 'score' | 'tokenizer'> = {
  tokenizer: {
    encodeBatch: async (texts: readonly string[]) =>
      texts.map((text) => ({ ids: text.split(' ').map((_, i) => i), truncated: false })),
  } as unknown as Model['tokenizer'],
  score: async (pairs) =>
    pairs.map(({ source, target }) => {
      const words = (source as { text: string }).text.split(' ');
      const missing = (target as string).split(' ').filter((word) => !words.includes(word)).length;
      return { ids: [], score: -missing, tokenLogProbabilities: [] };
    }),
};

describe('noisyChannel', () => {
  const candidates = [
    { text: 'red', score: -0.1 },
    { text: 'red big car', score: -0.9 },
    { text: 'red car', score: -0.8 },
    { text: ' ', score: 0 },
  ];

  it('weighs the direct score, the channel and the length', async () => {
    const ranked = await noisyChannel('red car', candidates, channel);
    expect(ranked.map(({ index, score }) => [index, score])).toEqual([
      [2, -0.8],
      [1, -0.9],
      [0, -1.1],
      [3, Number.NEGATIVE_INFINITY],
    ]);
    const long = await noisyChannel('red car', candidates, channel, { lengthWeight: 0.5 });
    expect(long[0]).toEqual({ index: 1, channel: -0, score: 0.6 });
    const direct = await noisyChannel('red car', candidates.slice(0, 3), channel, { channelWeight: 0 });
    expect(direct.map(({ index }) => index)).toEqual([0, 2, 1]);
  });

  it('refuses scores and weights that are no numbers', async () => {
    for (const score of [undefined, '1', Number.NaN]) {
      await expect(noisyChannel('a', [{ text: 'b', score } as never], channel)).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(/^candidates\[0\]\.score is /),
      });
    }
    await expect(noisyChannel('a', candidates, channel, { channelWeight: Number.NaN })).rejects.toMatchObject(
      {
        code: 'OPTION_INVALID',
      },
    );
  });
});
