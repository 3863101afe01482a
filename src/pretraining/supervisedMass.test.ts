import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tiny, tinyFacts } from '../../test/support/pretraining/tinyModel.js';
import { createDraws } from './draws.js';
import { supervisedMassOptionsSchema, supervisedMassRow } from './supervisedMass.js';

const ids = fc.array(fc.integer({ min: tiny.firstOrdinary, max: tiny.vocabSize - 1 }), {
  minLength: 1,
  maxLength: 30,
});

test('half of the source is one masked fragment, and the decoder writes the whole target', () => {
  const options = supervisedMassOptionsSchema.parse({ replacement: { mask: 1, keep: 0, random: 0 } });
  fc.assert(
    fc.property(ids, ids, fc.nat(1e6), (source, pair, number) => {
      const draws = createDraws(1, 'supervised', 0, number);
      const row = supervisedMassRow({ ids: source, pair, draws }, tinyFacts, options);
      const whole = [...source, tiny.eos];
      const masked = Array.from(row.source).flatMap((id, at) => (id === tiny.mask ? [at] : []));
      expect(masked).toHaveLength(Math.max(1, Math.round(whole.length / 2)));
      expect(masked.at(-1)! - masked[0]).toBe(masked.length - 1);
      whole.forEach((id, at) => {
        if (!masked.includes(at)) expect(row.source[at]).toBe(id);
        expect(row.visible![at]).toBe(masked.includes(at) ? 0 : 1);
      });
      expect(row.labels).toEqual([...pair, tiny.eos]);
      // The start token is never masked; half of what follows it is.
      expect(row.decoderInput[0]).toBe(tiny.pad);
      const hidden = Array.from(row.decoderInput).filter((id) => id === tiny.mask);
      expect(hidden).toHaveLength(Math.max(1, Math.round(pair.length / 2)));
    }),
  );
});

test('without masks on the decoder it is translation with a masked source', () => {
  const options = supervisedMassOptionsSchema.parse({ decoderMaskRate: 0 });
  const row = supervisedMassRow(
    { ids: [5, 6], pair: [7, 8], draws: createDraws(1, 's', 0, 0) },
    tinyFacts,
    options,
  );
  expect(row.decoderInput).toEqual([tiny.pad, 7, 8]);
});
