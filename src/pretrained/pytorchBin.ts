import type { StoredWeight, WeightFormat } from '../engine/weights.js';
import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import { type PickledTensor, readStateDictPickle } from './pickle.js';
import { bytesPerElement } from './safetensors.js';

const formats: Record<string, WeightFormat> = {
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  DoubleStorage: 'F64',
  LongStorage: 'I64',
  IntStorage: 'I32',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

/**
 * The tensors of a legacy `pytorch_model.bin`: a zip archive of a pickled dictionary and one entry a storage. The
 * pickle is read as data, see `pickle.ts`; tensors that lie contiguously are not copied.
 * @throws FILE_NOT_FOUND; FILE_CORRUPT; WEIGHT_DTYPE
 */
export async function readPytorchBin(path: string): Promise<Map<string, StoredWeight>> {
  const archive = await fileAccess().read(path);
  const entries = storedEntries(archive, path);
  const pickle = [...entries].find(([name]) => name.endsWith('/data.pkl'));
  if (!pickle) throw corrupt(path, 'it holds no data.pkl');
  const root = pickle[0].slice(0, -'data.pkl'.length);
  const { offset, length } = pickle[1];
  const weights = new Map<string, StoredWeight>();
  for (const [name, tensor] of readStateDictPickle(archive.subarray(offset, offset + length), path)) {
    const place = entries.get(`${root}data/${tensor.key}`);
    if (!place) throw corrupt(path, `the storage ${tensor.key} of ${name} is missing`);
    weights.set(name, locate(name, tensor, place, archive, path));
  }
  return weights;
}

function corrupt(path: string, what: string): PolybeamError {
  return new PolybeamError(
    'FILE_CORRUPT',
    `${path} is damaged or no PyTorch file: ${what}; copy or download it again.`,
  );
}

interface Place {
  offset: number;
  length: number;
}

/** Where the uncompressed entries of a zip archive lie; torch.save compresses nothing. */
function storedEntries(archive: Uint8Array, path: string): Map<string, Place> {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  const end = findEnd(view, path);
  const entries = new Map<string, Place>();
  let at = view.getUint32(end + 16, true);
  for (let index = 0; index < view.getUint16(end + 10, true); index++) {
    if (at + 46 > archive.length || view.getUint32(at, true) !== 0x02014b50)
      throw corrupt(path, 'its directory is broken');
    const method = view.getUint16(at + 10, true);
    const length = view.getUint32(at + 24, true);
    const nameLength = view.getUint16(at + 28, true);
    const local = view.getUint32(at + 42, true);
    const name = new TextDecoder().decode(archive.subarray(at + 46, at + 46 + nameLength));
    if (method !== 0) throw corrupt(path, `the entry ${name} is compressed`);
    const offset = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    if (offset + length > archive.length) throw corrupt(path, `the entry ${name} is cut off`);
    entries.set(name, { offset, length });
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
}

/** The end record stands last, before a comment of at most 65,535 bytes. */
function findEnd(view: DataView, path: string): number {
  for (let at = view.byteLength - 22; at >= Math.max(0, view.byteLength - 65557); at--) {
    if (view.getUint32(at, true) === 0x06054b50) return at;
  }
  throw corrupt(path, 'it is not a zip archive (torch.save before 1.6 wrote another format)');
}

function locate(
  name: string,
  tensor: PickledTensor,
  place: Place,
  archive: Uint8Array,
  path: string,
): StoredWeight {
  const format = formats[tensor.storage];
  if (!format) {
    throw new PolybeamError(
      'WEIGHT_DTYPE',
      `The tensor ${name} is a ${tensor.storage}; polybeam reads ${Object.keys(formats).join(', ')}: convert it.`,
    );
  }
  const width = bytesPerElement[format];
  const { shape, stride } = tensor;
  const count = shape.reduce((product, size) => product * size, 1);
  const storage = archive.subarray(place.offset, place.offset + place.length);
  const last = tensor.offset + shape.reduce((sum, size, axis) => sum + (size - 1) * stride[axis], 0);
  if (count > 0 && (last + 1) * width > storage.length)
    throw corrupt(path, `the storage of ${name} is too short`);
  if (isContiguous(shape, stride)) {
    const offset = place.offset + tensor.offset * width;
    return { format, shape, data: { kind: 'file', path, offset, length: count * width } };
  }
  return { format, shape, data: { kind: 'memory', data: gather(storage, tensor, count, width) } };
}

function isContiguous(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return false;
    expected *= shape[axis];
  }
  return true;
}

/** Copies a strided tensor (a transposed weight) into row-major order. */
function gather(
  storage: Uint8Array,
  { shape, stride, offset }: PickledTensor,
  count: number,
  width: number,
): Uint8Array {
  const bytes = new Uint8Array(count * width);
  for (let index = 0; index < count; index++) {
    let rest = index;
    let from = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += (rest % shape[axis]) * stride[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    bytes.set(storage.subarray(from * width, (from + 1) * width), index * width);
  }
  return bytes;
}
