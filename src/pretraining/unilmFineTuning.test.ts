import { expect, test } from 'vitest';
import '../node/install.js';
import { readModelDirectory } from '../pretrained/modelDirectory.js';
import type { Tokenizer } from '../text/tokenizer.js';

/** Only what masking asks of a tokenizer. */
const tokenizer = {
  vocabSize: 48,
  specialIds: { pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 },
  idToToken: (id: number) => `token${id}`,
} as Partial<Tokenizer> as Tokenizer;

test('masks 70 % of the target, its end among them, anew in each epoch, and nothing of the source', async () => {
  const { config, weights, architecture } = await readModelDirectory('test/fixtures/models/unilm');
  const { fineTuning } = architecture.define(config, weights, 'config.json', tokenizer.specialIds);
  const { collate, maxTogether } = fineTuning!({
    rules: { decoderStartTokenId: 3, eosTokenIds: [3], padTokenId: 0 },
    tokenizer,
    labelSmoothing: 0,
    seed: 4,
  });
  expect(maxTogether).toBe(40);
  const source = [2, 10, 11, 12, 3];
  const target = [20, 21, 22, 23, 24, 25, 26, 27, 28, 3];
  const batchOf = (epoch: number, members: number[]) =>
    collate({
      pairs: members.map(() => ({ source, target })),
      members,
      epoch,
      index: 0,
      sourceLength: 8,
      targetLength: 16,
    });
  let ends = 0;
  for (let epoch = 0; epoch < 60; epoch++) {
    const { feeds, targetTokens } = batchOf(epoch, [0]);
    expect(targetTokens).toBe(7);
    expect(Array.from(feeds.inputIds.data.subarray(0, 5))).toEqual(source);
    expect(Array.from(feeds.tokenTypeIds.data.subarray(0, 15))).toEqual([
      4,
      4,
      4,
      4,
      4,
      ...target.map(() => 5),
    ]);
    expect(Array.from(feeds.visibleUntil.data.subarray(0, 7))).toEqual([5, 5, 5, 5, 5, 6, 7]);
    const places = Array.from(feeds.labelPositions.data);
    expect(places.every((at) => at >= 5 && at < 15)).toBe(true);
    expect(places.map((at) => target[at - 5])).toEqual(Array.from(feeds.labels.data));
    if (places.includes(14)) ends++;
  }
  expect(Math.abs(ends / 60 - 0.7)).toBeLessThan(0.2);
  const all = fineTuning!({
    rules: { decoderStartTokenId: 3, eosTokenIds: [3], padTokenId: 0 },
    tokenizer,
    labelSmoothing: 0,
    targetMaskRate: 1,
    seed: 4,
  });
  const padded = { pairs: [{ source, target }], members: [0], epoch: 0, index: 0 };
  expect(all.collate({ ...padded, sourceLength: 8, targetLength: 16 }).targetTokens).toBe(10);
  expect(batchOf(1, [5]).feeds).toEqual(batchOf(1, [5]).feeds);
  expect(batchOf(1, [5]).feeds).not.toEqual(batchOf(2, [5]).feeds);
  expect(batchOf(1, [5]).feeds).not.toEqual(batchOf(1, [6]).feeds);
});
