import '../../test/support/engine/runtime.js';
import { describe, expect, it } from 'vitest';
import type { GraphPort } from './graph.js';
import { checkFeeds, checkInto, floats, integers, toOnnx } from './values.js';

const ports: GraphPort[] = [
  { name: 'x', type: 'float32', shape: ['batch', 3] },
  { name: 'ids', type: 'int32', shape: ['batch'] },
];

const good = { x: floats([2, 3]), ids: integers([2]) };

function refusal(run: () => void): string {
  try {
    run();
  } catch (error) {
    expect(error).toMatchObject({ code: 'FEED_INVALID' });
    return (error as Error).message;
  }
  throw new Error('was accepted');
}

describe('checkFeeds', () => {
  it('accepts what the inputs want', () => {
    expect(() => checkFeeds(ports, good)).not.toThrow();
  });

  it('names a missing and an unknown input', () => {
    expect(refusal(() => checkFeeds(ports, { x: good.x }))).toBe(
      'The input "ids" (int32 [batch]) is missing; pass it to run().',
    );
    expect(refusal(() => checkFeeds(ports, { ...good, id: good.ids }))).toBe(
      'The program has no input "id"; it has x, ids.',
    );
  });

  it('names a wrong type, shape, rank or number of elements', () => {
    for (const ids of [floats([2]), integers([2, 1]), integers([2], new Int32Array(3))]) {
      expect(refusal(() => checkFeeds(ports, { ...good, ids }))).toMatch(
        /"ids" wants int32 \[batch\], it was given/,
      );
    }
    expect(refusal(() => checkFeeds(ports, { ...good, x: floats([2, 4]) }))).toBe(
      'The input "x" wants float32 [batch, 3], it was given float32 [2, 4] with 8 elements.',
    );
  });

  it('names a dimension that has two sizes', () => {
    expect(refusal(() => checkFeeds(ports, { ...good, ids: integers([5]) }))).toBe(
      'The dimension "batch" is 2 in "x" and 5 in "ids"; make them equal.',
    );
  });
});

describe('checkInto', () => {
  it('accepts arrays for the outputs, and refuses others by name', () => {
    expect(() => checkInto(ports, { x: floats([7, 3]) })).not.toThrow();
    expect(refusal(() => checkInto(ports, { y: good.x }))).toBe(
      'The program has no output "y"; it has x, ids.',
    );
    expect(refusal(() => checkInto(ports, { x: floats([7, 4]) }))).toMatch(
      /output "x" is float32 \[batch, 3\]/,
    );
    expect(refusal(() => checkInto(ports, { ids: floats([7]) }))).toMatch(/output "ids" is int32 \[batch\]/);
  });
});

describe('toOnnx', () => {
  it('shares memory and is made once, unless the array is another', () => {
    const value = floats([2]);
    const tensor = toOnnx(value);
    value.data[1] = 3;
    expect(tensor.data[1]).toBe(3);
    expect(toOnnx(value)).toBe(tensor);
    value.data = new Float32Array([8, 9]);
    expect(toOnnx(value).data[0]).toBe(8);
  });
});
