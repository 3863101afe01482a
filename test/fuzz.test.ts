import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCase } from '../tools/fuzz/cases.js';
import { type Fault, fuzz } from '../tools/fuzz/parent.js';
import { readers } from '../tools/fuzz/readers.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'polybeam-fuzz-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const planted = {
  seconds: 120,
  seed: 5,
  first: 0,
  cases: 2,
  readers: new URL('fixtures/fuzz/plantedReaders.ts', import.meta.url).pathname,
  folder: '',
};

describe('the fuzzer', () => {
  it('makes the same file for the same seed and number, and damages most', () => {
    const made = (seed: number) =>
      Array.from({ length: 300 }, (_, number) => {
        const { reader, path, bytes } = makeCase(readers, seed, number, readFileSync);
        return {
          name: reader.name,
          path,
          hex: Buffer.from(bytes).toString('hex'),
          seed: readFileSync(path, 'hex'),
        };
      });
    const cases = made(1);
    expect(made(1)).toEqual(cases);
    expect(made(2)).not.toEqual(cases);
    expect(cases.filter(({ hex, seed }) => hex !== seed).length).toBeGreaterThan(270);
    expect(new Set(cases.map(({ name }) => name)).size).toBe(readers.length);
  });

  it.each([
    ['reads', { read: 2, refused: 0, faults: 0 }, /^$/],
    ['refuses', { read: 0, refused: 2, faults: 0 }, /^$/],
    ['throws', { read: 0, refused: 0, faults: 2 }, /an error without a code: TypeError: x is not a function/],
    ['hangs', { read: 0, refused: 0, faults: 2 }, /it did not end within 1 s/],
    ['dies', { read: 0, refused: 0, faults: 2 }, /the process ended \(SIGABRT\)/],
    ['fills', { read: 0, refused: 0, faults: 2 }, /it took \d{4} MiB of memory/],
  ])(
    'tells what a reader that %s does',
    async (reader, counts, message) => {
      const faults: Fault[] = [];
      // Under a load of its own the machine may need long for what fills the memory.
      const longestCase = reader === 'hangs' ? 1000 : 60_000;
      const options = { ...planted, reader, folder: join(folder, reader), longestCase };
      const report = await fuzz({ ...options, onFault: (fault) => faults.push(fault) });
      expect(report).toEqual({ ran: 2, ...counts });
      for (const { fault } of faults) expect(fault).toMatch(message);
    },
    180_000,
  );
});
