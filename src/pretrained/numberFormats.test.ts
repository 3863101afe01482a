import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  asFloats,
  bfloatsToFloats,
  dequantizeRows,
  doublesToFloats,
  floatsToHalves,
  floatToHalf,
  halfToFloat,
  halvesToFloats,
  quantizeRows,
} from './numberFormats.js';

/* Digests in expected.json are of numpy's and torch's conversions of the same numbers (tools/makePretrainedFixtures.py). */
const expected = JSON.parse(readFileSync('test/fixtures/pretrained/expected.json', 'utf8')).numberFormats;

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** One pattern for every NaN, as the digests were made. */
function floatBytes(floats: Float32Array): Uint8Array {
  const words = new Uint32Array(floats.buffer);
  floats.forEach((value, index) => {
    if (Number.isNaN(value)) words[index] = 0x7fc00000;
  });
  return new Uint8Array(floats.buffer);
}

const allWords = new Uint8Array(Uint16Array.from({ length: 65536 }, (_, word) => word).buffer);

describe('half precision', () => {
  test('all 65,536 halves equal numpy', () => {
    expect(digest(floatBytes(halvesToFloats(allWords)))).toBe(expected.halfToFloat);
  });

  test('rounding equals numpy: every half, midpoint and neighbour, and numbers of any size', () => {
    const finite = Array.from({ length: 0x7c00 }, (_, half) => halfToFloat(half));
    const middles = Uint32Array.from(
      new Uint32Array(
        Float32Array.from(finite, (value, half) => (value + (finite[half + 1] ?? 65536)) / 2).buffer,
      ),
    );
    const magnitudes = [...middles, ...middles.map((word) => word - 1), ...middles.map((word) => word + 1)];
    const scatter = Array.from({ length: 1 << 18 }, (_, i) =>
      Number((BigInt(i) * 2654435761n) % (1n << 32n)),
    );
    const words = Uint32Array.from([
      ...magnitudes,
      ...magnitudes.map((word) => word | 0x80000000),
      ...scatter,
    ]);
    expect(words.length).toBe(expected.floatToHalfCount);
    const halves = new Uint16Array(floatsToHalves(new Float32Array(words.buffer)).buffer);
    const plain = halves.map((half) => ((half & 0x7fff) > 0x7c00 ? 0x7e00 : half));
    expect(digest(new Uint8Array(plain.buffer))).toBe(expected.floatToHalf);
  });

  test('every half comes back as it was', () => {
    for (let half = 0; half < 65536; half++) {
      const value = halfToFloat(half);
      if (!Number.isNaN(value)) expect(floatToHalf(value)).toBe(half);
      else expect(floatToHalf(value) & 0x7fff).toBeGreaterThan(0x7c00);
    }
  });
});

test('all 65,536 bfloat16 numbers equal torch', () => {
  expect(digest(floatBytes(bfloatsToFloats(allWords)))).toBe(expected.bfloatToFloat);
});

test('numbers are read wherever they begin', () => {
  const at = (bytes: ArrayBuffer) => {
    const moved = new Uint8Array(bytes.byteLength + 3);
    moved.set(new Uint8Array(bytes), 3);
    return moved.subarray(3);
  };
  expect([...asFloats(at(Float32Array.of(1.5, -2).buffer))]).toEqual([1.5, -2]);
  expect([...halvesToFloats(at(Uint16Array.of(0x3e00).buffer))]).toEqual([1.5]);
  expect([...doublesToFloats(at(Float64Array.of(0.1).buffer))]).toEqual([Math.fround(0.1)]);
});

describe('int8 rows', () => {
  test('are within half a step of each row, zeros exact, largest at 127', () => {
    const data = Float32Array.from(
      { length: 40 },
      (_, i) => Math.sin(i * i) * 10 ** (Math.floor(i / 10) - 1),
    );
    data[5] = 0;
    const quantized = quantizeRows(data, 4);
    expect([...quantized.values].filter((value) => Math.abs(value) === 127).length).toBeGreaterThanOrEqual(4);
    const back = dequantizeRows(quantized);
    expect(back[5]).toBe(0);
    back.forEach((value, index) => {
      const step = quantized.scales[Math.floor(index / 10)];
      expect(Math.abs(value - data[index])).toBeLessThanOrEqual(step * 0.5001);
    });
  });

  test('a row of zeros stays one', () => {
    expect([...dequantizeRows(quantizeRows(new Float32Array(6), 2))]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
