import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WeightFormat } from '../engine/weights.js';
import { setFileAccess } from '../files.js';
import { nodeFiles } from '../node/files.js';
import { readBytes } from './openWeights.js';
import { bytesPerElement, readSafetensors, writeSafetensors } from './safetensors.js';

let directory: string;
beforeAll(() => {
  setFileAccess(nodeFiles);
  directory = mkdtempSync(join(tmpdir(), 'polybeam-safetensors-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const at = (name: string) => `${directory}/${name}`;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** A file with this header and so many bytes of data. */
function file(name: string, header: unknown, data: number): string {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(at(name), Buffer.concat([length, json, Buffer.alloc(data)]));
  return at(name);
}

const entry = (from: number, to: number, dtype = 'F32') => ({
  dtype,
  shape: [(to - from) / 4],
  data_offsets: [from, to],
});

test('reads what the Python library wrote, in every format', async () => {
  const { tensors } = JSON.parse(readFileSync('test/fixtures/pretrained/expected.json', 'utf8'));
  const found = await readSafetensors('test/fixtures/pretrained/all.safetensors');
  expect([...found.keys()].sort()).toEqual(Object.keys(tensors).sort());
  for (const [name, weight] of found) {
    expect(weight.shape, name).toEqual(tensors[name].shape);
    expect(hex(await readBytes(weight)), name).toBe(tensors[name].hex);
  }
});

test('what it writes, it reads; every tensor begins at a multiple of its width', async () => {
  const formats = Object.keys(bytesPerElement) as WeightFormat[];
  const tensor = fc.record({
    format: fc.constantFrom(...formats),
    shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
    later: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(tensor, { maxLength: 8 }), async (specs) => {
      const tensors = specs.map(({ format, shape, later }, index) => {
        const bytes = shape.reduce((product, size) => product * size, 1) * bytesPerElement[format];
        const data = Uint8Array.from({ length: bytes }, (_, byte) => byte * 7 + index);
        return { name: `t${index}`, format, shape, data: later ? async () => data : data, bytes: data };
      });
      await writeSafetensors(at('round.safetensors'), tensors);
      const found = await readSafetensors(at('round.safetensors'));
      expect(found.size).toBe(tensors.length);
      for (const { name, format, shape, bytes } of tensors) {
        const weight = found.get(name)!;
        expect(weight).toMatchObject({ format, shape, data: { kind: 'file' } });
        expect((weight.data as { offset: number }).offset % bytesPerElement[format]).toBe(0);
        expect(await readBytes(weight)).toEqual(bytes);
      }
    }),
    { numRuns: 40 },
  );
});

test('a tensor of another size than its shape is refused, and the old file survives', async () => {
  writeFileSync(at('old.safetensors'), 'old');
  const tensor = { name: 'w', format: 'F32', shape: [3], data: new Uint8Array(8) } as const;
  await expect(writeSafetensors(at('old.safetensors'), [tensor])).rejects.toMatchObject({
    code: 'WEIGHT_SHAPE',
    message: 'w has 8 bytes, but F32 [3] has 12; nothing was saved.',
  });
  expect(readFileSync(at('old.safetensors'), 'utf8')).toBe('old');
});

describe('damaged files are refused with their numbers', () => {
  const whole = readFileSync('test/fixtures/models/bert/model.safetensors');
  const cut = (length: number) => {
    writeFileSync(at('cut.safetensors'), whole.subarray(0, length));
    return at('cut.safetensors');
  };
  const { dtype, shape, data_offsets } = entry(0, 8);
  const cases: [string, () => string, RegExp][] = [
    ['no file', () => at('none.safetensors'), /none.safetensors does not exist/],
    ['5 bytes', () => cut(5), /it has 5 bytes, fewer than the 8/],
    ['cut in the header', () => cut(1000), /its header needs \d+ bytes, the file has 1000/],
    ['cut in the data', () => cut(whole.length - 1), /ends at byte \d+ of the \d+ that are there/],
    ['no safetensors at all', () => file('x', 'x'.repeat(100), 0), /its header is not JSON/],
    ['a header that is a list', () => file('x', '[]', 0), /not a JSON object/],
    ['a header of an absurd length', () => cutHeader(), /its header claims 9\d+ bytes/],
    ['overlap', () => file('x', { a: entry(0, 8), b: entry(4, 12) }, 12), /b begins at byte 4, inside a/],
    [
      'a hole',
      () => file('x', { a: entry(0, 4), b: entry(8, 12) }, 12),
      /nothing fills bytes 4 to 8, before b/,
    ],
    ['more bytes than tensors', () => file('x', { a: entry(0, 4) }, 6), /2 bytes follow a/],
    ['out of range', () => file('x', { a: entry(0, 16) }, 12), /a ends at byte 16 of the 12/],
    [
      'backwards',
      () => file('x', { a: { dtype, shape, data_offsets: [8, 0] } }, 8),
      /needs 8 bytes, its place has -8/,
    ],
    ['negative', () => file('x', { a: { dtype, shape, data_offsets: [-8, 0] } }, 8), /the entry of a has no/],
    [
      'a size that is no integer',
      () => file('x', { a: { dtype, shape: [0.5], data_offsets } }, 8),
      /the entry of a/,
    ],
    ['an empty entry', () => file('x', { a: null }, 8), /the entry of a has no dtype/],
    [
      'another shape',
      () => file('x', { a: { dtype, shape: [3], data_offsets } }, 8),
      /a \[3\] F32 needs 12 bytes, its place has 8/,
    ],
  ];
  function cutHeader(): string {
    const bytes = Buffer.alloc(16);
    bytes.writeBigUInt64LE(9_000_000_000_000n);
    writeFileSync(at('x'), bytes);
    return at('x');
  }
  test.each(cases)('%s', async (_, path, message) => {
    const error = await readSafetensors(path()).catch((reason) => reason);
    expect(error.code).toMatch(/FILE_CORRUPT|FILE_NOT_FOUND/);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(directory);
  });

  test.each(['F8_E4M3', 'toString'])('number format %s', async (format) => {
    await expect(readSafetensors(file('x', { a: entry(0, 8, format) }, 8))).rejects.toMatchObject({
      code: 'WEIGHT_DTYPE',
      message: expect.stringMatching(`tensor a is stored as ${format}; polybeam reads F32, F16`),
    });
  });
});
