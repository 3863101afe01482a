import { expect, it } from 'vitest';
import { threefry2x32 } from './threefry.js';

it("gives the known answers of Threefry-2x32 from the authors' Random123", () => {
  const out = new Uint32Array(2);
  const all = 0xffffffff;
  threefry2x32(0, 0, 0, 0, out);
  expect([...out]).toEqual([0x6b200159, 0x99ba4efe]);
  threefry2x32(all, all, all, all, out);
  expect([...out]).toEqual([0x1cb996fc, 0xbb002be7]);
  threefry2x32(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3, out);
  expect([...out]).toEqual([0xc4923a9c, 0x483df7a0]);
});
