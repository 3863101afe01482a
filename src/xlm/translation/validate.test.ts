import { expect, test } from 'vitest';
import type { Tokenizer } from '../../text/tokenizer.js';
import type { TrainStep } from '../../training/trainStep.js';
import type { LiveTranslator } from './liveTranslator.js';
import { type HeldOutTexts, validateTranslator } from './validate.js';

/** A token is a number, and its text that number. */
const tokenizer = {
  decodeBatch: async (sequences: readonly (readonly number[])[]) => sequences.map((ids) => ids.join(' ')),
} as unknown as Tokenizer;

const held = (...ids: number[][]): HeldOutTexts => ({ ids, lines: ids.map((text) => text.join(' ')) });

/** Validation, by round trips, of a translator that changes each token. */
async function validated(change: (token: number, to: string) => number) {
  const translator: LiveTranslator = {
    translate: async (texts, { to }) => texts.map((ids) => Array.from(ids, (id) => change(id, to))),
    release: async () => {},
  };
  const found = await validateTranslator({
    step: {} as TrainStep,
    translator,
    tokenizer,
    metric: 'roundTrip',
    lowercase: false,
    roundTrips: [
      { from: 'en', to: 'fr' },
      { from: 'fr', to: 'en' },
    ],
    texts: new Map([
      ['en', held([1, 2, 3, 4, 5, 6])],
      ['fr', held([101, 102, 103, 104, 105, 106])],
    ]),
    pairs: [],
  })(undefined);
  return found!;
}

test('round trips of a model that translates count whole', async () => {
  const { score, values } = await validated((token, to) => (to === 'fr' ? token + 100 : token - 100));
  expect(values['roundTrip en-fr-en']).toBeCloseTo(100);
  expect(values['copied en-fr']).toBe(0);
  expect(score).toBeCloseTo(100);
});

test('round trips of a model that copies count nothing', async () => {
  const { score, values } = await validated((token) => token);
  expect(values['roundTrip fr-en-fr']).toBeCloseTo(100);
  expect(values['copied fr-en']).toBeCloseTo(100);
  expect(score).toBeCloseTo(0);
});

test('of a model that copies in part the copied share counts nothing', async () => {
  const known = (token: number) => [3, 4, 5, 6].includes(token % 100);
  const { score, values } = await validated((token, to) =>
    known(token) ? token : to === 'fr' ? token + 100 : token - 100,
  );
  expect(values['copied en-fr']).toBeGreaterThan(20);
  const [there, back] = ['en-fr', 'fr-en'].map((way) => values[`copied ${way}`]);
  expect(score).toBeCloseTo(100 - (there + back) / 2);
});
