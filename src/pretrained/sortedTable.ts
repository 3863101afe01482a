import { PolybeamError } from '../errors.js';
import { maskedCrc32c } from './crc32c.js';

/** Ends every table. */
const magic = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];
const footerSize = 48;
/** After each block: how it is compressed, and a checksum of it with that. */
const trailerSize = 5;

/** A place in the table. */
interface Handle {
  offset: number;
  size: number;
}

/**
 * Keys and values of a sorted table as LevelDB and TensorFlow write it: data blocks, a block that indexes them, a footer that
 * says where that is. Blocks are checked against their checksums.
 * @param path names the file in errors
 * @throws FILE_CORRUPT, also for compressed blocks, which TensorFlow does not write in checkpoints
 */
export function* readSortedTable(bytes: Uint8Array, path: string): Generator<[string, Uint8Array]> {
  const footer = bytes.subarray(Math.max(0, bytes.length - footerSize));
  if (footer.length < footerSize || magic.some((byte, at) => footer[footerSize - magic.length + at] !== byte))
    throw corrupt(path, 'it does not end as such a file does');
  const handles = new Cursor(footer, path);
  handles.handle();
  for (const [, place] of readBlock(bytes, handles.handle(), path)) {
    const decoder = new TextDecoder();
    for (const [key, value] of readBlock(bytes, new Cursor(place, path).handle(), path))
      yield [decoder.decode(key), value];
  }
}

/** The entries of a block: each key is what it shares with the one before, and the rest. */
function* readBlock(
  bytes: Uint8Array,
  { offset, size }: Handle,
  path: string,
): Generator<[Uint8Array, Uint8Array]> {
  const end = offset + size;
  if (end + trailerSize > bytes.length || size < 4)
    throw corrupt(path, `it has ${bytes.length} bytes, but a block at ${offset} needs ${size + trailerSize}`);
  if (bytes[end] !== 0)
    throw corrupt(path, `the block at ${offset} is compressed, which polybeam does not read`);
  const stored = new DataView(bytes.buffer, bytes.byteOffset + end + 1).getUint32(0, true);
  if (stored !== maskedCrc32c(bytes.subarray(offset, end + 1)))
    throw corrupt(path, `the checksum of the block at ${offset} is wrong`);
  const restarts = new DataView(bytes.buffer, bytes.byteOffset + end - 4).getUint32(0, true);
  if (4 * (restarts + 1) > size) throw corrupt(path, `the block at ${offset} has ${restarts} restarts`);
  const entries = new Cursor(bytes.subarray(offset, end - 4 * (restarts + 1)), path);
  let key: Uint8Array = new Uint8Array(0);
  while (!entries.isAtEnd()) {
    const [shared, own, length] = [entries.varint(), entries.varint(), entries.varint()];
    if (own > size) throw corrupt(path, `a key at ${offset} is longer than its block`);
    if (shared > key.length) throw corrupt(path, `a key at ${offset} shares more than there is`);
    const next = new Uint8Array(shared + own);
    next.set(key.subarray(0, shared));
    next.set(entries.take(own), shared);
    key = next;
    yield [key, entries.take(length)];
  }
}

/** Reads on from where it is. */
class Cursor {
  private at = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly path: string,
  ) {}

  isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  take(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) throw corrupt(this.path, 'an entry ends behind its block');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** Seven bits a byte, the lowest first. */
  varint(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 53; factor *= 128) {
      const [byte] = this.take(1);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw corrupt(this.path, 'a number is too large');
  }

  handle(): Handle {
    return { offset: this.varint(), size: this.varint() };
  }
}

function corrupt(path: string, what: string): PolybeamError {
  return new PolybeamError(
    'FILE_CORRUPT',
    `${path} is not the index of a TensorFlow checkpoint: ${what}; copy or download it again.`,
  );
}
