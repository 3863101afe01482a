import { describe, expect, test } from 'vitest';
import { massOptionsSchema } from '../../pretraining/mass.js';
import type { TrainBatch } from '../../training/trainStep.js';
import { type TranslationBatching, translationBatches } from './batches.js';
import { textRoom, translationLimit } from './liveTranslator.js';
import { readWeightSchedule } from './lossWeight.js';
import { planRounds, type WeightedTask } from './tasks.js';

// 0 pad, 1 </s>, 3 mask, 4 and 5 languages; ids from 10 are words.
const ids = {
  padTokenId: 0,
  eosTokenId: 1,
  languages: new Map([
    ['en', 4],
    ['fr', 5],
  ]),
};
const facts = {
  vocabSize: 100,
  padTokenId: 0,
  maskTokenId: 3,
  prefix: [],
  suffix: [1],
  startsWord: new Uint8Array(100).fill(1),
  endsSentence: new Uint8Array(100),
  ordinary: Int32Array.from({ length: 90 }, (_, at) => at + 10),
};
const mass = massOptionsSchema.parse({});
const grouping = {
  seed: 7,
  maxTokens: 1000,
  maxSentences: 3,
  maxLength: 20,
  sortWindow: 100,
  lengthMultiple: 1,
};

/** Texts of 2, 3, ... words, all of the given id. */
const texts = (word: number, count: number) =>
  Array.from({ length: count }, (_, at) => new Int32Array(2 + (at % 4)).fill(word + at));

function tasksOf(weights: [denoise: string | number, back: string | number]): WeightedTask[] {
  const of = (list: Int32Array[]) => list.map((text) => ({ source: text, target: text }));
  const [english, french] = [of(texts(10, 7)), of(texts(50, 10))];
  const [denoise, back] = weights.map(readWeightSchedule);
  return [
    { task: { type: 'denoise', language: 'en' }, examples: english, weight: denoise },
    { task: { type: 'denoise', language: 'fr' }, examples: french, weight: denoise },
    { task: { type: 'backTranslate', direction: { from: 'fr', to: 'en' } }, examples: english, weight: back },
    { task: { type: 'backTranslate', direction: { from: 'en', to: 'fr' } }, examples: french, weight: back },
  ];
}

/** "Translates" a word into the one 20 ids further. */
function batchesOf(tasks: WeightedTask[], given: Partial<TranslationBatching> = {}) {
  const asked: unknown[] = [];
  const batches = translationBatches(planRounds(tasks, grouping), {
    seed: 7,
    ids,
    facts,
    mass,
    noise: { shuffle: 0, dropout: 0, blank: 0 },
    lengthMultiple: 1,
    summed: false,
    generate: async (some, direction, place) => {
      asked.push([direction, place]);
      return some.map((text) => Array.from(text, (id) => id + 20));
    },
    ...given,
  });
  return { batches, asked };
}

async function epochOf(
  batches: ReturnType<typeof batchesOf>['batches'],
  epoch: number,
): Promise<TrainBatch[]> {
  const { count, build } = batches.epoch(epoch);
  const built: TrainBatch[] = [];
  for (let index = 0; index < count; index++) built.push(await build(index));
  return built;
}

const rows = ({ feeds }: TrainBatch, name: string): number[][] => {
  const { data, shape } = feeds[name];
  return Array.from({ length: shape[0] }, (_, row) =>
    [...data.subarray(row * shape[1], (row + 1) * shape[1])].filter((id) => id !== 0),
  );
};

describe('rounds', () => {
  test('have a batch of every task, and an epoch is a pass of the longest', async () => {
    const { batches } = batchesOf(tasksOf([1, 1]));
    const epoch = await epochOf(batches, 0);
    const round = ['denoise en', 'denoise fr', 'back fr-en', 'back en-fr'];
    expect(epoch.map(({ kind }) => kind)).toEqual([round, round, round, round].flat());
    const learned = (kind: string) =>
      epoch
        .filter((batch) => batch.kind === kind)
        .flatMap((batch) => rows(batch, 'decoderInputIds').map(String));
    expect(new Set(learned('denoise fr')).size).toBe(10);
    // Seven English texts in three batches: the fourth begins another pass.
    expect(learned('denoise en').length).toBeGreaterThan(7);
    expect(new Set(learned('denoise en')).size).toBe(7);
    // Each task has an order of its own.
    expect(learned('back en-fr')).not.toEqual(learned('denoise fr'));
    expect([...learned('back en-fr')].sort()).toEqual([...learned('denoise fr')].sort());
  });

  test('go on in later epochs, whatever was asked for before', async () => {
    const [all, late] = [batchesOf(tasksOf([1, 1])), batchesOf(tasksOf([1, 1]))];
    const feeds = (built: TrainBatch[]) => built.map((batch) => batch.feeds);
    const [zero, one, two] = [
      await epochOf(all.batches, 0),
      await epochOf(all.batches, 1),
      await epochOf(all.batches, 2),
    ];
    expect(feeds(await epochOf(late.batches, 2))).toEqual(feeds(two));
    expect(feeds(await epochOf(late.batches, 0))).toEqual(feeds(zero));
    expect(feeds(one)).not.toEqual(feeds(zero));
  });

  test('leave out tasks whose weight is 0', async () => {
    const { batches } = batchesOf(tasksOf(['0:1,2:0', '0:0,1:0,2:1']));
    const epoch = await epochOf(batches, 0);
    const [denoise, back] = [
      ['denoise en', 'denoise fr'],
      ['back fr-en', 'back en-fr'],
    ];
    expect(epoch.map(({ kind }) => kind)).toEqual([...denoise, ...denoise, ...back, ...back]);
    expect(epoch.map(({ feeds }) => feeds.lossWeight.data[0])).toEqual([1, 1, 0.5, 0.5, 1, 1, 1, 1]);
  });
});

describe('rates', () => {
  test('say how many batches of a task a round has, on average', async () => {
    const [small, large] = tasksOf([1, 1]);
    const { batches } = batchesOf([
      { ...small, rate: 0.5 },
      { ...large, rate: 1.5 },
    ]);
    const kinds = async (epoch: number) => (await epochOf(batches, epoch)).map(({ kind }) => kind);
    // 3 batches of the small one at one in two rounds are 6 rounds, 4 of the large one at three in two are 3.
    const all = [...(await kinds(0)), ...(await kinds(1))];
    expect(all.filter((kind) => kind === 'denoise en')).toHaveLength(6);
    expect(all.filter((kind) => kind === 'denoise fr')).toHaveLength(18);
    expect(all.slice(0, 4)).toEqual(['denoise fr', 'denoise en', 'denoise fr', 'denoise fr']);
    const texts = (await epochOf(batches, 0))
      .filter(({ kind }) => kind === 'denoise en')
      .flatMap((batch) => rows(batch, 'decoderInputIds').map(String));
    expect(new Set(texts).size).toBe(7);
  });
});

describe('batches', () => {
  test('denoise a language into itself', async () => {
    const { batches } = batchesOf(tasksOf([1, 0]), { noise: { shuffle: 0, dropout: 0, blank: 0.5 } });
    const [english, french] = await epochOf(batches, 0);
    for (const [batch, language] of [
      [english, 4],
      [french, 5],
    ] as const) {
      const [sources, targets] = [rows(batch, 'inputIds'), rows(batch, 'decoderInputIds')];
      sources.forEach((source, row) => {
        const [start, word] = targets[row];
        expect(start).toBe(1);
        expect([...source.slice(0, 3), source.at(-1)]).toEqual([language, language, 1, 1]);
        const text = source.slice(3, -1);
        expect(text).toHaveLength(targets[row].length - 1);
        for (const id of text) expect([word, 3]).toContain(id);
      });
      expect(rows(batch, 'inputIds').flat()).toContain(3);
    }
  });

  test('of MASS have the decoder write a fragment that cross-attention does not see', async () => {
    const [{ examples }] = tasksOf([1, 1]);
    const task = { type: 'mass', language: 'fr' } as const;
    const { batches } = batchesOf([{ task, examples, weight: readWeightSchedule(1) }], {
      mass: massOptionsSchema.parse({ replacement: { mask: 1, keep: 0, random: 0 } }),
    });
    const [batch] = await epochOf(batches, 0);
    expect(batch).toMatchObject({ task: 'mass', kind: 'mass fr' });
    const width = batch.feeds.inputIds.shape[1];
    rows(batch, 'inputIds').forEach((source, row) => {
      expect(source.slice(0, 3)).toEqual([5, 5, 1]);
      const seen = [...batch.feeds.memoryMask.data.subarray(row * width, row * width + source.length)];
      expect(seen).toEqual(source.map((id) => (id === 3 ? 0 : 1)));
      // Half of the text, </s> among it.
      expect(seen.filter((one) => one === 0)).toHaveLength(Math.max(1, Math.round((source.length - 3) / 2)));
      const [first] = source.flatMap((id, at) => (id === 3 ? [at] : []));
      const positions = batch.feeds.decoderPositions;
      // The decoder reads at the place before: </s> at 0.
      expect(positions.data[row * positions.shape[1]]).toBe(first - 3);
    });
  });

  test.each([1, 3, 4, 8])(
    'fit the model whatever is generated, lengths padded to multiples of %i',
    async (lengthMultiple) => {
      const positions = { maxSource: 42, maxTarget: 40 };
      const room = textRoom(positions, lengthMultiple);
      const { batches } = batchesOf(tasksOf([0, 1]), {
        lengthMultiple,
        generate: async (some) => some.map(() => Array(room).fill(60)),
      });
      const [{ feeds }] = await epochOf(batches, 0);
      expect(feeds.inputIds.shape[1]).toBeLessThanOrEqual(positions.maxSource);
      expect(feeds.inputIds.shape[1]).toBeGreaterThan(positions.maxSource - 2 * lengthMultiple);
      expect(translationLimit(1000, room)).toBe(room);
      // int(1.3 * 12 + 5), of a text of 10 tokens between two </s>.
      expect(translationLimit(10, 100)).toBe(20);
    },
  );

  test('learn the reverse of what was generated: from the translation to the text', async () => {
    const { batches, asked } = batchesOf(tasksOf([0, 1]));
    const [intoEnglish, intoFrench] = await epochOf(batches, 0);
    expect(asked.slice(0, 2)).toEqual([
      [
        { from: 'en', to: 'fr' },
        { round: 0, seed: expect.any(Number) },
      ],
      [
        { from: 'fr', to: 'en' },
        { round: 0, seed: expect.any(Number) },
      ],
    ]);
    for (const [batch, [to, from]] of [
      [intoEnglish, [4, 5]],
      [intoFrench, [5, 4]],
    ] as const) {
      const targets = rows(batch, 'decoderInputIds').map((row) => row.slice(1));
      const sources = targets.map((text) => [to, from, 1, ...text.map((id) => id + 20), 1]);
      expect(rows(batch, 'inputIds')).toEqual(sources);
      expect([...batch.feeds.labels.data]).toEqual(targets.flatMap((text) => [...text, 1]));
    }
    const seeds = asked.map((one) => (one as [unknown, { seed: number }])[1].seed);
    expect(new Set(seeds).size).toBe(seeds.length);
  });

  test('of a round make one update where they are summed, each as the mean over its tokens', async () => {
    const { batches } = batchesOf(tasksOf([1, 0.5]), { summed: true });
    const { count, groupSize } = batches.epoch(0);
    expect(Array.from({ length: count }, (_, index) => groupSize!(index))).toEqual([
      4, 3, 2, 1, 4, 3, 2, 1, 4, 3, 2, 1, 4, 3, 2, 1,
    ]);
    const round = (await epochOf(batches, 0)).slice(0, 4);
    const all = round.reduce((sum, { targetTokens }) => sum + targetTokens, 0);
    round.forEach(({ feeds, targetTokens }, at) => {
      expect((feeds.lossWeight.data[0] * targetTokens) / all).toBeCloseTo(at < 2 ? 1 : 0.5, 5);
    });
  });
});
