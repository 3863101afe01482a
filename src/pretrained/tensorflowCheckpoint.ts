import { BinaryReader, type WireType } from '@bufbuild/protobuf/wire';
import type { WeightFormat } from '../engine/weights.js';
import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import { refuseLfsPointer } from '../lfsPointer.js';
import { maskedCrc32c } from './crc32c.js';
import { bytesPerElement } from './safetensors.js';
import { readSortedTable } from './sortedTable.js';

/** A tensor of a checkpoint. */
export interface TensorflowTensor {
  /** Undefined for what no weight is stored as, such as text. */
  format: WeightFormat | undefined;
  shape: number[];
  path: string;
  /** Bytes in the file. */
  offset: number;
  length: number;
  /** The bytes, checked against their checksum. @throws FILE_CORRUPT */
  read(): Promise<Uint8Array>;
}

/** TensorFlow's DataType. */
const formats: Record<number, WeightFormat> = {
  1: 'F32',
  2: 'F64',
  3: 'I32',
  4: 'U8',
  6: 'I8',
  9: 'I64',
  10: 'BOOL',
  14: 'BF16',
  19: 'F16',
};

/** What the index says of a tensor (BundleEntryProto). */
interface Entry {
  type: number;
  shape: number[];
  shard: number;
  offset: number;
  size: number;
  crc: number;
  isSliced: boolean;
}

/**
 * The tensors of a TensorFlow checkpoint in its second format (tensor bundle), by name: `PREFIX.index` is read, the numbers
 * in `PREFIX.data-00000-of-00001` are not.
 * @throws FILE_NOT_FOUND; FILE_CORRUPT
 */
export async function readTensorflowCheckpoint(prefix: string): Promise<Map<string, TensorflowTensor>> {
  const path = `${prefix}.index`;
  await refuseLfsPointer(path);
  let shards: number | undefined;
  const entries = new Map<string, Entry>();
  for (const [name, value] of readSortedTable(await fileAccess().read(path), path)) {
    if (name === '') shards = decoded(path, () => readHeader(value, path));
    else
      entries.set(
        name,
        decoded(path, () => readEntry(value)),
      );
  }
  if (shards === undefined) throw corrupt(path, 'it has no header');
  const tensors = new Map<string, TensorflowTensor>();
  for (const [name, entry] of entries) tensors.set(name, await locate(name, entry, prefix, shards));
  return tensors;
}

/** What protocol buffers hold; their reader throws errors of its own for bytes that are none. */
function decoded<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof PolybeamError) throw error;
    throw corrupt(path, 'an entry of it is not as TensorFlow writes them');
  }
}

async function locate(name: string, entry: Entry, prefix: string, shards: number): Promise<TensorflowTensor> {
  const number = (value: number) => String(value).padStart(5, '0');
  const path = `${prefix}.data-${number(entry.shard)}-of-${number(shards)}`;
  const [start, end] = [entry.offset, entry.offset + entry.size];
  const size = await fileAccess().size(path);
  await refuseLfsPointer(path);
  if (size === undefined) {
    throw new PolybeamError(
      'FILE_NOT_FOUND',
      `${path} is missing, which holds ${name}: copy the checkpoint again.`,
    );
  }
  if (![start, end, ...entry.shape].every(isSize) || end < start)
    throw corrupt(`${prefix}.index`, `the place or the shape of ${name} is no such thing`);
  if (end > size) throw corrupt(path, `${name} ends at byte ${end} of the ${size} that are there`);
  if (entry.isSliced) {
    throw new PolybeamError(
      'WEIGHT_DTYPE',
      `${name} in ${prefix} is stored in parts (a partitioned variable), which polybeam does not read: save it whole.`,
    );
  }
  const format = formats[entry.type];
  const needed =
    entry.shape.reduce((product, one) => product * one, 1) * (format ? bytesPerElement[format] : 0);
  if (format && needed !== entry.size)
    throw corrupt(
      `${prefix}.index`,
      `${name} [${entry.shape.join(', ')}] needs ${needed} bytes, its place has ${entry.size}`,
    );
  return {
    format,
    shape: entry.shape,
    path,
    offset: start,
    length: entry.size,
    read: async () => {
      const bytes = await fileAccess().readRange(path, start, end);
      if (maskedCrc32c(bytes) !== entry.crc) throw corrupt(path, `the checksum of ${name} is wrong`);
      return bytes;
    },
  };
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Number of data files (BundleHeaderProto). */
function readHeader(bytes: Uint8Array, path: string): number {
  const header = { shards: 1, endianness: 0 };
  eachField(bytes, (field, reader) => {
    if (field === 1) header.shards = reader.int32();
    else if (field === 2) header.endianness = reader.int32();
    else return false;
    return true;
  });
  if (header.endianness === 0) return header.shards;
  throw corrupt(path, 'its numbers are big-endian, which polybeam does not read');
}

function readEntry(bytes: Uint8Array): Entry {
  const entry: Entry = { type: 0, shape: [], shard: 0, offset: 0, size: 0, crc: 0, isSliced: false };
  eachField(bytes, (field, reader) => {
    if (field === 1) entry.type = reader.int32();
    else if (field === 2) entry.shape = readShape(reader.bytes());
    else if (field === 3) entry.shard = reader.int32();
    else if (field === 4) entry.offset = Number(reader.int64());
    else if (field === 5) entry.size = Number(reader.int64());
    else if (field === 6) entry.crc = reader.fixed32();
    else {
      entry.isSliced ||= field === 7;
      return false;
    }
    return true;
  });
  return entry;
}

/** Sizes of a TensorShapeProto. */
function readShape(bytes: Uint8Array): number[] {
  const shape: number[] = [];
  eachField(bytes, (field, reader) => {
    if (field !== 2) return false;
    let size = 0;
    eachField(reader.bytes(), (inner, dimension) => {
      if (inner !== 1) return false;
      size = Number(dimension.int64());
      return true;
    });
    shape.push(size);
    return true;
  });
  return shape;
}

/** @param take reads a field, or returns false for one to be passed over */
function eachField(bytes: Uint8Array, take: (field: number, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (!take(field, reader)) reader.skip(type as WireType, field);
  }
}

function corrupt(path: string, what: string): PolybeamError {
  return new PolybeamError('FILE_CORRUPT', `${path}: ${what}; copy or download the checkpoint again.`);
}
