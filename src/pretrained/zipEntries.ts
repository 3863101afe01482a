import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';

/** Where the bytes of one stored entry lie in an archive. */
export interface ZipEntry {
  offset: number;
  length: number;
}

const endRecord = 0x06054b50;
const end64Record = 0x06064b50;
const end64Locator = 0x07064b50;
const directoryRecord = 0x02014b50;
const localRecord = 0x04034b50;
const inExtra = 0xffffffff;

/**
 * The entries of a zip archive (zip64 included) that compresses nothing, as torch.save writes it. Only its directory is
 * read.
 * @throws FILE_CORRUPT
 */
export async function readZipEntries(path: string, size: number): Promise<Map<string, ZipEntry>> {
  const { offset, length, count } = await findDirectory(path, size);
  if (offset + length > size) throw corrupt(path, 'its directory is cut off');
  const bytes = await fileAccess().readRange(path, offset, offset + length);
  const view = viewOf(bytes);
  const entries = new Map<string, ZipEntry>();
  for (let index = 0, at = 0; index < count; index++) {
    if (at + 46 > length || view.getUint32(at, true) !== directoryRecord)
      throw corrupt(path, 'its directory is broken');
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > length) throw corrupt(path, 'its directory is broken');
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    if (view.getUint16(at + 10, true) !== 0) throw corrupt(path, `the entry ${name} is compressed`);
    const extra = viewOf(bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength));
    const [stored, , local] = wideNumbers(
      extra,
      [24, 20, 42].map((field) => view.getUint32(at + field, true)),
    );
    entries.set(name, await locate(path, size, name, local, stored));
    at = next;
  }
  return entries;
}

function corrupt(path: string, what: string): PolybeamError {
  return new PolybeamError('FILE_CORRUPT', `${path} is damaged: ${what}; copy or download it again.`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The end record stands last, before a comment of at most 65,535 bytes. */
async function findDirectory(path: string, size: number) {
  const start = Math.max(0, size - 65535 - 22 - 20);
  const view = viewOf(await fileAccess().readRange(path, start, size));
  let at = view.byteLength - 22;
  while (at >= 0 && view.getUint32(at, true) !== endRecord) at--;
  if (at < 0) throw corrupt(path, 'it has no zip directory, so it is truncated or no archive');
  if (at >= 20 && view.getUint32(at - 20, true) === end64Locator) {
    const place = Number(view.getBigUint64(at - 12, true));
    if (place + 56 > size) throw corrupt(path, 'its directory is cut off');
    const wide = viewOf(await fileAccess().readRange(path, place, place + 56));
    if (wide.getUint32(0, true) !== end64Record) throw corrupt(path, 'its directory is broken');
    const [count, length, offset] = [32, 40, 48].map((field) => Number(wide.getBigUint64(field, true)));
    return { count, length, offset };
  }
  return {
    count: view.getUint16(at + 10, true),
    length: view.getUint32(at + 12, true),
    offset: view.getUint32(at + 16, true),
  };
}

/** Sizes and offset, from the zip64 extra field (id 1) where 32 bits do not hold them. */
function wideNumbers(extra: DataView, fields: readonly number[]): number[] {
  let at = 0;
  while (at + 4 <= extra.byteLength && extra.getUint16(at, true) !== 1)
    at += 4 + extra.getUint16(at + 2, true);
  at += 4;
  return fields.map((value) => {
    if (value !== inExtra || at + 8 > extra.byteLength) return value;
    at += 8;
    return Number(extra.getBigUint64(at - 8, true));
  });
}

/** The data of an entry begin after its local header, whose extra field pads them to a multiple of 64. */
async function locate(
  path: string,
  size: number,
  name: string,
  local: number,
  length: number,
): Promise<ZipEntry> {
  if (local + 30 > size) throw corrupt(path, `the entry ${name} is cut off`);
  const header = viewOf(await fileAccess().readRange(path, local, local + 30));
  if (header.getUint32(0, true) !== localRecord)
    throw corrupt(path, `the entry ${name} is not where it should be`);
  const offset = local + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  if (offset + length > size) throw corrupt(path, `the entry ${name} is cut off`);
  return { offset, length };
}
