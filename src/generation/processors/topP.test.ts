import fc from 'fast-check';
import { expect, it } from 'vitest';
import { keepNucleus } from './topP.js';

const anyWeights = fc.array(
  fc.oneof(fc.double({ min: 1e-12, max: 1, noNaN: true }), fc.constantFrom(0.5, 0.25, 1, 1e-300, 0)),
  { minLength: 1, maxLength: 40 },
);

it('keeps what a full sort keeps, in the old order', () => {
  fc.assert(
    fc.property(anyWeights, fc.double({ min: 0, max: 0.999, noNaN: true }), (list, topP) => {
      const all = [Math.max(...list, 0.01), ...list];
      const sum = all.reduce((a, b) => a + b);
      const order = all.map((_, i) => i).sort((a, b) => all[b] - all[a] || a - b);
      const wanted: number[] = [];
      let reached = 0;
      for (const i of order) {
        // A sum within rounding of the target may fall on either side of it.
        fc.pre(Math.abs(reached - topP * sum) > 1e-12 || wanted.length === 0);
        if (wanted.length > 0 && reached >= topP * sum) break;
        wanted.push(i);
        reached += all[i];
      }
      const weights = Float64Array.from(all);
      const places = Int32Array.from(all.keys());
      const kept = keepNucleus(weights, places, all.length, sum, topP, new Float64Array(all.length));
      wanted.sort((a, b) => a - b);
      expect([...places.subarray(0, kept.count)]).toEqual(wanted);
      expect([...weights.subarray(0, kept.count)]).toEqual(wanted.map((i) => all[i]));
      expect(kept.sum).toBeCloseTo(reached, 10);
    }),
    { numRuns: 1000 },
  );
});
