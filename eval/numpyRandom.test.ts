import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { numpyRandom } from './numpyRandom.js';

const cases = JSON.parse(readFileSync('test/fixtures/eval/random.json', 'utf8')) as {
  seed: number;
  draws: [number | 'bits', number[]][];
}[];

describe('numpyRandom', () => {
  it.each(cases.map((c) => [c.seed, c] as const))('draws what numpy draws, seed %i', (seed, { draws }) => {
    const random = numpyRandom(seed);
    for (const [count, expected] of draws) {
      if (count === 'bits') {
        const bits = new Uint8Array(expected.length);
        const fill = random.bits();
        fill(bits.subarray(0, 20));
        fill(bits.subarray(20));
        expect([...bits]).toEqual(expected);
      } else expect(expected.map(() => random.below(count))).toEqual(expected);
    }
  });
});
