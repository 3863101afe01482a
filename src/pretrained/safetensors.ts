import type { StoredWeight, WeightFormat } from '../engine/weights.js';
import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import { refuseLfsPointer } from '../lfsPointer.js';

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
  shape: readonly number[];
  data_offsets: readonly [number, number];
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
  await refuseLfsPointer(path);
  const corrupt = (what: string) =>
    new PolybeamError('FILE_CORRUPT', `${path} is damaged: ${what}; copy or download it again.`);
  if (size < 8) throw corrupt(`it has ${size} bytes, fewer than the 8 of a header length`);
  const length = headerLength(await files.readRange(path, 0, 8));
  if (length > largestHeader) throw corrupt(`its header claims ${length} bytes`);
  const start = 8 + length;
  if (start > size) throw corrupt(`its header needs ${start} bytes, the file has ${size}`);
  const header = parseHeader(await files.readRange(path, 8, start), corrupt);
  const entries = Object.entries(header).filter(([name]) => name !== '__metadata__');
  const weights = new Map<string, StoredWeight>();
  for (const [name, value] of entries) {
    const { dtype, shape, data_offsets: offsets } = checkEntry(name, value, size - start, corrupt);
    const data = { kind: 'file', path, offset: start + offsets[0], length: offsets[1] - offsets[0] } as const;
    weights.set(name, { format: dtype, shape, data });
  }
  checkLayout(weights, start, size, corrupt);
  return weights;
}

function headerLength(bytes: Uint8Array): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
}

function parseHeader(bytes: Uint8Array, corrupt: (what: string) => PolybeamError): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw corrupt('its header is not JSON');
  }
  if (!isObject(header)) throw corrupt('its header is not a JSON object');
  return header;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function checkEntry(
  name: string,
  entry: unknown,
  available: number,
  corrupt: (what: string) => PolybeamError,
): HeaderEntry {
  const { dtype, shape, data_offsets: offsets } = isObject(entry) ? entry : {};
  if (typeof dtype !== 'string' || !isSizes(shape) || !isSizes(offsets) || offsets.length !== 2)
    throw corrupt(`the entry of ${name} has no dtype, shape or data_offsets, or wrong ones`);
  if (!Object.hasOwn(bytesPerElement, dtype)) {
    throw new PolybeamError(
      'WEIGHT_DTYPE',
      `The tensor ${name} is stored as ${dtype}; polybeam reads ${Object.keys(bytesPerElement).join(', ')}: convert it.`,
    );
  }
  const format = dtype as WeightFormat;
  const wanted = elements(shape) * bytesPerElement[format];
  const [from, to] = offsets;
  if (to - from !== wanted)
    throw corrupt(`${name} [${shape.join(', ')}] ${dtype} needs ${wanted} bytes, its place has ${to - from}`);
  if (to > available) throw corrupt(`${name} ends at byte ${to} of the ${available} that are there`);
  return { dtype: format, shape, data_offsets: [from, to] };
}

/** Tensors lie one after another and fill the file, as the format's own reader demands: no byte means two things. */
function checkLayout(
  weights: ReadonlyMap<string, StoredWeight>,
  start: number,
  size: number,
  corrupt: (what: string) => PolybeamError,
): void {
  const places = [...weights].map(([name, { data }]) => ({
    name,
    ...(data as { offset: number; length: number }),
  }));
  places.sort((a, b) => a.offset - b.offset || a.length - b.length);
  let end = start;
  let before = 'the header';
  for (const { name, offset, length } of places) {
    if (offset < end) throw corrupt(`${name} begins at byte ${offset - start}, inside ${before}`);
    if (offset > end)
      throw corrupt(`nothing fills bytes ${end - start} to ${offset - start}, before ${name}`);
    end = offset + length;
    before = name;
  }
  if (end !== size) throw corrupt(`${size - end} bytes follow ${before}, which should end the file`);
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** A tensor to be written. */
export interface TensorToWrite {
  name: string;
  format: WeightFormat;
  shape: readonly number[];
  /** Row-major, little-endian; a function is called when the tensor's turn comes, so that one is held at a time. */
  data: Uint8Array | (() => Uint8Array | Promise<Uint8Array>);
}

/**
 * Writes a safetensors file atomically, tensor by tensor.
 * @param metadata transformers refuses a file whose `format` is not "pt"
 * @throws FILE_WRITE; a file that was there before is then untouched
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  metadata: Record<string, string> = { format: 'pt' },
): Promise<void> {
  // Wide formats first, so that every tensor begins at a multiple of its width and can be mapped as numbers.
  const sorted = [...tensors].sort((a, b) => bytesPerElement[b.format] - bytesPerElement[a.format]);
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const tensor of sorted) {
    const next = end + byteLength(tensor);
    header[tensor.name] = { dtype: tensor.format, shape: tensor.shape, data_offsets: [end, next] };
    end = next;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20);
  padded.set(json);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(padded.length), true);
  await fileAccess().writeAtomic(path, chunks([length, padded], sorted));
}

function byteLength({ format, shape }: TensorToWrite): number {
  return elements(shape) * bytesPerElement[format];
}

async function* chunks(head: Uint8Array[], tensors: readonly TensorToWrite[]): AsyncGenerator<Uint8Array> {
  yield* head;
  for (const tensor of tensors) {
    const data = typeof tensor.data === 'function' ? await tensor.data() : tensor.data;
    if (data.byteLength !== byteLength(tensor)) {
      throw new PolybeamError(
        'WEIGHT_SHAPE',
        `${tensor.name} has ${data.byteLength} bytes, but ${tensor.format} [${tensor.shape.join(', ')}] has ${byteLength(tensor)}; nothing was saved.`,
      );
    }
    yield data;
  }
}
