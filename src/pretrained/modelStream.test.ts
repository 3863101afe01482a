import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import '../node/install.js';
import type { GenerationOptions } from '../generation/options.js';
import { loadModel } from './loadModel.js';
import type { Model } from './model.js';
import type { StreamEvent, StreamInput, StreamOptions } from './modelStream.js';

let model: Model;
beforeAll(async () => {
  model = await loadModel('models/en-fr-software');
});
afterAll(() => model.dispose());

const texts = ['This package contains the documentation.', '', 'Free software is a matter of liberty.'];

async function streamed(inputs: StreamInput | StreamInput[], options: StreamOptions): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for await (const event of model.stream(inputs, options)) events.push(event);
  return events;
}

describe('model.stream', () => {
  test.each<GenerationOptions>([
    { numBeams: 1 },
    { numBeams: 4, numReturnSequences: 2 },
    { numBeams: 4, numBeamGroups: 2, diversityPenalty: 1 },
    { numBeams: 1, doSample: true, seed: 3, numReturnSequences: 2 },
  ])('tells the texts and results of generate, piece by piece, with %j', async (search) => {
    const options = { maxNewTokens: 12, ...search };
    const outputs = await model.generate(
      texts.map((text) => ({ text })),
      options,
    );
    const events = await streamed(texts, options);
    outputs.forEach((output, index) => {
      const own = events.filter((event) => event.index === index);
      expect(own.at(-1)?.output).toEqual(output);
      expect(own.filter((event) => event.output)).toHaveLength(1);
      for (const [sequence, { ids, text }] of output.sequences.entries()) {
        const one = own.filter((event) => event.sequence === sequence);
        if (sequence > 0 && !search.doSample) {
          expect(one).toEqual([]);
          continue;
        }
        expect(one.flatMap((event) => event.ids)).toEqual(ids);
        expect(one.map((event) => event.delta).join('')).toBe(text);
        expect(one.map((event) => event.ended)).toEqual(one.map((_, at) => at === one.length - 1));
        expect(one.at(-1)).toMatchObject({ tentative: '', tentativeIds: [] });
      }
    });
    expect(events.filter(({ delta }) => delta !== '').length).toBeGreaterThan(search.numBeams === 1 ? 8 : 2);
  });

  test('shows what the best hypothesis is, while beams differ', async () => {
    const events = await streamed(texts[0], { numBeams: 4, maxNewTokens: 12 });
    let told = '';
    const shown = events.map(({ delta, tentative }) => {
      told += delta;
      return told + tentative;
    });
    expect(shown[0]).not.toBe('');
    expect(shown.at(-1)).toBe(told);
    expect(events.some(({ tentativeIds }) => tentativeIds.length > 0)).toBe(true);
  });

  test('translates where a language is given, and refuses one it does not know', async () => {
    const [translation] = await model.translate([texts[0]], { to: 'fr', maxNewTokens: 12 });
    const events = await streamed(texts[0], { to: 'fr', maxNewTokens: 12, firstIndex: 5 });
    expect(events.map(({ delta }) => delta).join('')).toBe(translation);
    expect(new Set(events.map(({ index }) => index))).toEqual(new Set([0]));
    await expect(streamed('a', { to: 'xx' })).rejects.toMatchObject({ code: 'LANGUAGE_UNKNOWN' });
    await expect(streamed('a', { numBeams: 0 })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  test('gives ids where there is no tokenizer', async () => {
    const bare = await loadModel('test/fixtures/models/marian');
    const options = { numBeams: 2, maxNewTokens: 6 };
    const [output] = await bare.generate([{ inputIds: [5, 8, 0] }], options);
    const events: StreamEvent[] = [];
    for await (const event of bare.stream({ inputIds: [5, 8, 0] }, options)) events.push(event);
    expect(events.flatMap(({ ids }) => ids)).toEqual(output.sequences[0].ids);
    expect(events.at(-1)?.output).toEqual(output);
    expect(events.every(({ delta, tentative }) => delta === '' && tentative === '')).toBe(true);
    await bare.dispose();
  });
});
