import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { setFileAccess } from '../files.js';
import { nodeFiles } from '../node/files.js';
import { readBytes } from './openWeights.js';
import { readPickle } from './pickle.js';
import { readPytorchBin } from './pytorchBin.js';
import { readSafetensors } from './safetensors.js';

/* Files that torch.save wrote, and the bytes torch says its tensors have (tools/makePretrainedFixtures.py). */
const fixtures = 'test/fixtures/pretrained';
const { tensors } = JSON.parse(readFileSync(`${fixtures}/expected.json`, 'utf8'));

let directory: string;
beforeAll(() => {
  setFileAccess(nodeFiles);
  directory = mkdtempSync(join(tmpdir(), 'polybeam-bin-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function write(bytes: Uint8Array): string {
  const path = `${directory}/pytorch_model.bin`;
  writeFileSync(path, bytes);
  return path;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe.each(['zip', 'legacy'])('what torch.save wrote (%s)', (kind) => {
  test('has every tensor: all formats, views, transposed, expanded, empty, tied', async () => {
    const found = await readPytorchBin(`${fixtures}/${kind}.bin`);
    expect([...found.keys()].sort()).toEqual(Object.keys(tensors).sort());
    for (const [name, weight] of found) {
      expect(weight.shape, name).toEqual(tensors[name].shape);
      expect(hex(await readBytes(weight)), name).toBe(tensors[name].hex);
    }
  });

  test('stays in the file where it lies contiguously, tied tensors at one place', async () => {
    const found = await readPytorchBin(`${fixtures}/${kind}.bin`);
    expect(found.get('base')!.data).toMatchObject({ kind: 'file', length: 96 });
    expect(found.get('tied')!.data).toEqual(found.get('base')!.data);
    expect(found.get('row')!.data).toMatchObject({ kind: 'file', length: 24 });
    expect(found.get('transposed')!.data.kind).toBe('memory');
  });

  test('cut anywhere, it is refused as damaged', async () => {
    const whole = readFileSync(`${fixtures}/${kind}.bin`);
    for (let length = 0; length < whole.length; length += 53) {
      await expect(readPytorchBin(write(whole.subarray(0, length))), `${length}`).rejects.toMatchObject({
        code: 'FILE_CORRUPT',
      });
    }
  });

  test('with one byte changed, it is read or refused, never worse', async () => {
    const whole = readFileSync(`${fixtures}/${kind}.bin`);
    for (let at = 0; at < whole.length; at += 41) {
      const changed = Uint8Array.from(whole);
      changed[at] ^= 1 << (at % 8);
      const error = await readPytorchBin(write(changed)).catch((reason) => reason);
      if (!(error instanceof Map))
        expect(error.code, `${at}: ${error}`).toMatch(/^(FILE_CORRUPT|WEIGHT_DTYPE)$/);
    }
  });
});

test('reads the checkpoint of a model as safetensors do', async () => {
  const bin = await readPytorchBin('test/fixtures/models/marian-bin/pytorch_model.bin');
  const safe = await readSafetensors('test/fixtures/models/marian/model.safetensors');
  for (const [name, weight] of safe) {
    expect(await readBytes(bin.get(name)!), name).toEqual(await readBytes(weight));
  }
});

test('a pickle that would run a command is refused by the name of what it calls', async () => {
  await expect(readPytorchBin(`${fixtures}/command.bin`)).rejects.toMatchObject({
    code: 'FILE_CORRUPT',
    message: expect.stringMatching(/it refers to posix\.system; save the model as safetensors/),
  });
  expect(existsSync('/tmp/polybeam-pickle-was-executed')).toBe(false);
});

test('a training checkpoint is refused by what it holds', async () => {
  await expect(readPytorchBin(`${fixtures}/nested.bin`)).rejects.toMatchObject({
    code: 'FILE_CORRUPT',
    message: expect.stringMatching(/it holds no tensors, but epoch, model/),
  });
});

test('another file is refused', async () => {
  await expect(readPytorchBin(write(Buffer.from('<html>not found, sorry</html>')))).rejects.toMatchObject({
    code: 'FILE_CORRUPT',
    message: expect.stringMatching(/begins neither as a zip archive nor/),
  });
});

test('zip64 fields are read where 32 bits say so', async () => {
  const whole = Buffer.from(readFileSync(`${fixtures}/zip.bin`));
  const found = await readPytorchBin(write(widen(whole)));
  expect(found.size).toBe(Object.keys(tensors).length);
  for (const [name, weight] of found) expect(hex(await readBytes(weight)), name).toBe(tensors[name].hex);
});

/** The archive with sizes and offsets of its directory moved to zip64 extra fields, as archives above 4 GiB have. */
function widen(archive: Buffer): Buffer {
  const end = archive.lastIndexOf(Buffer.from('PK\x05\x06'));
  const count = archive.readUInt16LE(end + 10);
  const start = archive.readUInt32LE(end + 16);
  const records: Buffer[] = [];
  let at = start;
  for (let index = 0; index < count; index++) {
    const nameLength = archive.readUInt16LE(at + 28);
    const skipped = archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
    const fixed = Buffer.from(archive.subarray(at, at + 46));
    const extra = Buffer.alloc(4 + 24);
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(24, 2);
    [24, 20, 42].forEach((field, place) => {
      extra.writeBigUInt64LE(BigInt(fixed.readUInt32LE(field)), 4 + place * 8);
      fixed.writeUInt32LE(0xffffffff, field);
    });
    fixed.writeUInt16LE(extra.length, 30);
    fixed.writeUInt16LE(0, 32);
    records.push(fixed, archive.subarray(at + 46, at + 46 + nameLength), extra);
    at += 46 + nameLength + skipped;
  }
  const directoryBytes = Buffer.concat(records);
  const wide = Buffer.alloc(56);
  wide.writeUInt32LE(0x06064b50, 0);
  wide.writeBigUInt64LE(44n, 4);
  wide.writeBigUInt64LE(BigInt(count), 24);
  wide.writeBigUInt64LE(BigInt(count), 32);
  wide.writeBigUInt64LE(BigInt(directoryBytes.length), 40);
  wide.writeBigUInt64LE(BigInt(start), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(start + directoryBytes.length), 8);
  locator.writeUInt32LE(1, 16);
  const last = Buffer.from(archive.subarray(end, end + 22));
  last.fill(0xff, 8, 20);
  return Buffer.concat([archive.subarray(0, start), directoryBytes, wide, locator, last]);
}

test('numbers, strings and containers of a pickle', () => {
  // pickle.dumps(..., 2) of {'a': [1, -2, 2**40, 0.5, None, True, 'é'], 'b': (300, -1), 'c': 'a'}
  const bytes = Buffer.from(
    '80027d71002858010000006171015d7102284b014afeffffff8a06000000000001473fe00000000000004e885802000000c3a9' +
      '71036558010000006271044d2c014affffffff86710558010000006371066801752e',
    'hex',
  );
  const pickle = readPickle(bytes, 'x.bin')!;
  expect(pickle.end).toBe(bytes.length);
  expect(pickle.value).toEqual(
    new Map<string, unknown>([
      ['a', [1, -2, 2 ** 40, 0.5, null, true, 'é']],
      ['b', [300, -1]],
      ['c', 'a'],
    ]),
  );
});
