import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { filesOf } from '../test/fixtures/training/memoryFiles.js';
import { linesByReader } from '../test/support/gzipReaders.js';
import { setFileAccess } from './files.js';
import { type Gunzip, gunzipMembers, readUnpacked, unpackBytes, unpackedChunks } from './gzip.js';
import { nodeFiles } from './node/files.js';

const folder = mkdtempSync(join(tmpdir(), 'polybeam-gzip-'));
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const words = ['alpha', 'beta', 'gamma'];

/** Three members, made by the program gzip as `gzip -c >> FILE` makes them. */
function threeMembers(): { path: string; content: string } {
  const contents = words.map((word) => `${word} ${word}\n`.repeat(50));
  const members = contents.map((input) => execFileSync('gzip', ['-c'], { input }));
  const path = join(folder, 'w.txt.gz');
  writeFileSync(path, Buffer.concat(members));
  return { path, content: contents.join('') };
}

/** Of a browser: one member, and nothing behind it. */
const strict: Gunzip = async (packed) => {
  const content = gunzipSync(packed);
  const { length } = gzipSync(content);
  if (packed.length !== length) throw new TypeError('Junk found after end of compressed data.');
  return content;
};

async function members(packed: Uint8Array, gunzip: Gunzip): Promise<string[]> {
  const found: string[] = [];
  for await (const content of gunzipMembers(packed, gunzip)) found.push(text(content));
  return found;
}

describe.each([
  ["Node's zlib", nodeFiles],
  ['DecompressionStream', { ...nodeFiles, gunzip: undefined }],
])('gzip by %s', (_, files) => {
  beforeEach(() => setFileAccess(files));

  it('reads all members, as a whole and in pieces', async () => {
    const { path, content } = threeMembers();
    expect(text(await readUnpacked(path))).toBe(content);
    let pieces = '';
    for await (const chunk of unpackedChunks(path)) pieces += text(chunk);
    expect(pieces).toBe(content);
  });

  it.each([
    ['a wrong checksum', (bytes: Buffer) => bytes.writeUInt8(bytes[bytes.length - 8] ^ 1, bytes.length - 8)],
    ['a wrong length', (bytes: Buffer) => bytes.writeUInt8(bytes[bytes.length - 4] ^ 1, bytes.length - 4)],
    ['a wrong checksum of an inner member', (bytes: Buffer) => bytes.writeUInt8(bytes[22] ^ 1, 22)],
  ])('refuses %s', async (_, damage) => {
    // 10 bytes of header, 4 + 1 + length of a stored block, 8 of checksum and length: the first one's checksum begins at 20.
    const bytes = Buffer.concat([gzipSync('hello', { level: 0 }), gzipSync('more')]);
    damage(bytes);
    await expect(unpackBytes(bytes, 'a.gz')).rejects.toMatchObject({
      code: 'FILE_CORRUPT',
      message: expect.stringMatching(/^a\.gz is a damaged gzip file \(.+\): fetch or compress it again\.$/),
    });
  });

  it('refuses what is cut off, and junk behind the last member', async () => {
    const whole = gzipSync('hello');
    for (const bytes of [whole.subarray(0, -1), Buffer.concat([whole, Buffer.from('junk')])]) {
      await expect(unpackBytes(bytes, 'a')).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
    }
  });

  it('takes plain bytes as they are, unless their name says that they are packed', async () => {
    expect(text(await unpackBytes(Buffer.from('plain'), 'a.txt'))).toBe('plain');
    await expect(unpackBytes(Buffer.from('plain'), 'a.gz')).rejects.toMatchObject({
      code: 'FILE_CORRUPT',
      message: expect.stringContaining('a.gz is not a gzip file'),
    });
  });

  it('serves every reader of text files', async () => {
    const { path, content } = threeMembers();
    expect(await linesByReader(path)).toEqual(
      Object.fromEntries(['vocab', 'train', 'xlm', 'evaluate'].map((reader) => [reader, content])),
    );
  });
});

it('refuses a small file that would fill the memory', async () => {
  setFileAccess(nodeFiles);
  // Deflate writes a byte for a thousand zeros.
  const member = gzipSync(new Uint8Array(2 ** 27));
  const packed = Buffer.concat(Array.from({ length: 9 }, () => member));
  await expect(unpackBytes(packed, 'a.gz')).rejects.toMatchObject({
    code: 'FILE_CORRUPT',
    message: expect.stringContaining('more than 1073741824 when unpacked'),
  });
}, 120_000);

describe('a decompressor that reads one member', () => {
  beforeEach(() => setFileAccess(filesOf({})));

  it('is given the members one by one', async () => {
    const parts = ['a\n', 'b\n'.repeat(1000), 'c\n'];
    expect(await members(Buffer.concat(parts.map((part) => gzipSync(part))), strict)).toEqual(parts);
  });

  it('is not misled by bytes within a member that look like the beginning of one', async () => {
    const odd = Buffer.from([0x1f, 0x8b, 8, 0, 0x1f, 0x8b, 8, 0]);
    const stored: Gunzip = async (packed) => {
      const content = gunzipSync(packed);
      if (packed.length !== gzipSync(content, { level: 0 }).length) throw new TypeError('Junk');
      return content;
    };
    const packed = Buffer.concat([gzipSync(odd, { level: 0 }), gzipSync('end', { level: 0 })]);
    expect(await members(packed, stored)).toEqual([text(odd), 'end']);
  });

  it('ends at damage, however many places look like members', async () => {
    let calls = 0;
    const never: Gunzip = async () => {
      calls++;
      throw new TypeError('damaged');
    };
    await expect(members(Buffer.from('1f8b0800'.repeat(10_000), 'hex'), never)).rejects.toThrow('damaged');
    expect(calls).toBeLessThan(20);
  });
});
