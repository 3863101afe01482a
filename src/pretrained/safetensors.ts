import type { StoredWeight, WeightFormat } from '../engine/weights.js';
import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';

/** Bytes per element of the formats polybeam reads. */
export const bytesPerElement: Record<WeightFormat, number> = {
  F32: 4,
  F16: 2,
  BF16: 2,
  F64: 8,
  I8: 1,
  U8: 1,
  BOOL: 1,
  I32: 4,
  I64: 8,
};

interface HeaderEntry {
  dtype: WeightFormat;
  shape: number[];
  data_offsets: [number, number];
}

/** A header of more bytes than this is no header. */
const largestHeader = 100_000_000;

/**
 * Where each tensor of a safetensors file lies. Only the header is read.
 * @throws FILE_NOT_FOUND; FILE_CORRUPT where the file is truncated or its header makes no sense; WEIGHT_DTYPE
 */
export async function readSafetensors(path: string): Promise<Map<string, StoredWeight>> {
  const files = fileAccess();
  const size = await files.size(path);
  if (size === undefined) {
    throw new PolybeamError('FILE_NOT_FOUND', `${path} does not exist; check the model directory.`);
  }
  const corrupt = (what: string) =>
    new PolybeamError('FILE_CORRUPT', `${path} is damaged: ${what}; copy or download it again.`);
  if (size < 8) throw corrupt(`it has ${size} bytes, fewer than the 8 of a header length`);
  const length = headerLength(await files.readRange(path, 0, 8));
  if (length > largestHeader) throw corrupt(`its header claims ${length} bytes`);
  const start = 8 + length;
  if (start > size) throw corrupt(`its header needs ${start} bytes, the file has ${size}`);
  const header = parseHeader(await files.readRange(path, 8, start), corrupt);
  const weights = new Map<string, StoredWeight>();
  for (const [name, entry] of header) {
    const [from, to] = entry.data_offsets;
    checkEntry(name, entry, size - start, corrupt);
    const data = { kind: 'file', path, offset: start + from, length: to - from } as const;
    weights.set(name, { format: entry.dtype, shape: entry.shape, data });
  }
  return weights;
}

function headerLength(bytes: Uint8Array): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
}

function parseHeader(bytes: Uint8Array, corrupt: (what: string) => PolybeamError): [string, HeaderEntry][] {
  try {
    const { __metadata__: _, ...entries } = JSON.parse(new TextDecoder().decode(bytes));
    return Object.entries(entries as Record<string, HeaderEntry>);
  } catch {
    throw corrupt('its header is not JSON');
  }
}

function checkEntry(
  name: string,
  { dtype, shape, data_offsets: offsets }: HeaderEntry,
  available: number,
  corrupt: (what: string) => PolybeamError,
): void {
  const width = bytesPerElement[dtype];
  if (width === undefined) {
    throw new PolybeamError(
      'WEIGHT_DTYPE',
      `The tensor ${name} is stored as ${dtype}; polybeam reads ${Object.keys(bytesPerElement).join(', ')}: convert it.`,
    );
  }
  if (!Array.isArray(shape) || !Array.isArray(offsets)) throw corrupt(`the entry of ${name} is incomplete`);
  const wanted = shape.reduce((product, size) => product * size, 1) * width;
  const [from, to] = offsets;
  if (to - from !== wanted)
    throw corrupt(`${name} [${shape.join(', ')}] needs ${wanted} bytes, its place has ${to - from}`);
  if (from < 0 || to > available) throw corrupt(`${name} ends at byte ${to} of ${available}`);
}

/** A tensor to be written; bytes row-major, little-endian. */
export interface TensorToWrite {
  name: string;
  format: WeightFormat;
  shape: readonly number[];
  data: Uint8Array;
}

/**
 * Writes a safetensors file atomically, tensor by tensor.
 * @throws FILE_WRITE; a file that was there before is then untouched
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  metadata: Record<string, string> = { format: 'pt' },
): Promise<void> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const { name, format, shape, data } of tensors) {
    header[name] = { dtype: format, shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  // Tensors begin at a multiple of 8 bytes, so that they can be mapped as numbers.
  const padded = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20);
  padded.set(json);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(padded.length), true);
  await fileAccess().writeAtomic(path, [length, padded, ...tensors.map((tensor) => tensor.data)]);
}
