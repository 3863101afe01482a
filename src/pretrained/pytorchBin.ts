import type { StoredWeight, WeightFormat } from '../engine/weights.js';
import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import { refuseLfsPointer } from '../lfsPointer.js';
import { type Pickle, type PickledTensor, readPickle, tensorsOf } from './pickle.js';
import { bytesPerElement } from './safetensors.js';
import { readZipEntries } from './zipEntries.js';

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

/** A place in the file. */
interface Place {
  offset: number;
  length: number;
}

/** A state dict whose numbers are still in the file. */
interface StateDict {
  tensors: Map<string, PickledTensor>;
  storages: ReadonlyMap<string, Place>;
}

/**
 * The tensors of a legacy `pytorch_model.bin`: a zip archive of a pickled dictionary and one entry a storage, or what
 * torch.save wrote before 1.6, pickles followed by the storages. The pickle is read as data, see `pickle.ts`. Tensors
 * that lie contiguously are not read; others (transposed weights) are.
 * @throws FILE_NOT_FOUND; FILE_CORRUPT; WEIGHT_DTYPE
 */
export async function readPytorchBin(path: string): Promise<Map<string, StoredWeight>> {
  const files = fileAccess();
  const size = await files.size(path);
  if (size === undefined) {
    throw new PolybeamError('FILE_NOT_FOUND', `${path} does not exist; check the model directory.`);
  }
  await refuseLfsPointer(path);
  if (size < 22) throw corrupt(path, `it has ${size} bytes`);
  const start = await files.readRange(path, 0, legacyStart.length);
  const isZip = start[0] === 0x50 && start[1] === 0x4b;
  if (!isZip && legacyStart.some((byte, index) => start[index] !== byte))
    throw corrupt(path, 'it begins neither as a zip archive nor as older PyTorch files do');
  const { tensors, storages } = isZip ? await readZip(path, size) : await readLegacy(path, size);
  const weights = new Map<string, StoredWeight>();
  let copied = 0;
  for (const [name, tensor] of tensors) {
    const place = storages.get(tensor.key);
    if (!place) throw corrupt(path, `the storage ${tensor.key} of ${name} is missing`);
    const found = locate(name, tensor, place, path);
    if (found.rest === undefined) {
      weights.set(name, found.weight);
      continue;
    }
    copied += found.rest;
    // Transposed weights are as large as their storages; a stride of 0 repeats one number as often as a file likes.
    if (copied > 4 * size + mostRepeated)
      throw corrupt(path, `${name} [${tensor.shape.join(', ')}] repeats the numbers of its storage`);
    weights.set(name, await copyStrided(tensor, place, found.weight.format, path));
  }
  return weights;
}

function corrupt(path: string, what: string): PolybeamError {
  return new PolybeamError(
    'FILE_CORRUPT',
    `${path} is damaged or no PyTorch file: ${what}; copy or download it again.`,
  );
}

async function readZip(path: string, size: number): Promise<StateDict> {
  const files = fileAccess();
  const entries = await readZipEntries(path, size);
  const bytesOf = async (name: string) => {
    const place = entries.get(name);
    return place && files.readRange(path, place.offset, place.offset + place.length);
  };
  const pickleName = [...entries.keys()].find((name) => name.endsWith('/data.pkl'));
  if (!pickleName) throw corrupt(path, 'it holds no data.pkl');
  const root = pickleName.slice(0, -'data.pkl'.length);
  const order = await bytesOf(`${root}byteorder`);
  if (order && new TextDecoder().decode(order) !== 'little') {
    throw new PolybeamError(
      'WEIGHT_DTYPE',
      `${path} was written on a big-endian machine; save it as safetensors there.`,
    );
  }
  const pickle = readPickle((await bytesOf(pickleName))!, path);
  if (!pickle) throw corrupt(path, 'its data.pkl has no end');
  const storages = new Map<string, Place>();
  for (const key of pickle.storages.keys()) {
    const place = entries.get(`${root}data/${key}`);
    if (place) storages.set(key, place);
  }
  return { tensors: tensorsOf(pickle.value, path), storages };
}

/** The pickled magic number that files begin with which torch.save wrote before 1.6: 0x1950a86a20f9469cfc6c. */
const legacyStart = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

/**
 * Five pickles (magic number, protocol, machine, state dict, order of the storages); then of each storage the number
 * of elements as int64, and the elements.
 */
async function readLegacy(path: string, size: number): Promise<StateDict> {
  const [, protocol, machine, state, order] = await readLegacyPickles(path, size);
  if (protocol.value !== 1001 || !isKeys(order.value))
    throw corrupt(path, 'it is of another protocol than 1001, or does not say the order of its storages');
  if (machine.value instanceof Map && machine.value.get('little_endian') === false) {
    throw new PolybeamError(
      'WEIGHT_DTYPE',
      `${path} was written on a big-endian machine; save it as safetensors there.`,
    );
  }
  const storages = new Map<string, Place>();
  let at = order.end;
  for (const key of order.value) {
    const format = formatOf(state.storages.get(key) ?? 'unknown storage', `the storage ${key}`);
    if (at + 8 > size) throw corrupt(path, `the storage ${key} begins at byte ${at}, the file has ${size}`);
    const head = await fileAccess().readRange(path, at, at + 8);
    const count = Number(new DataView(head.buffer, head.byteOffset).getBigUint64(0, true));
    const length = count * bytesPerElement[format];
    if (at + 8 + length > size)
      throw corrupt(path, `the storage ${key} ends at byte ${at + 8 + length}, the file has ${size}`);
    storages.set(key, { offset: at + 8, length });
    at += 8 + length;
  }
  return { tensors: tensorsOf(state.value, path), storages };
}

function isKeys(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((key) => typeof key === 'string');
}

/** The pickles' length is not said anywhere: reads more of the file until they are whole. */
async function readLegacyPickles(path: string, size: number): Promise<Pickle[]> {
  for (let length = Math.min(size, 1 << 20); ; length = Math.min(size, length * 4)) {
    const bytes = await fileAccess().readRange(path, 0, length);
    const pickles: Pickle[] = [];
    while (pickles.length < 5) {
      const pickle = readPickle(bytes, path, pickles.at(-1)?.end ?? 0);
      if (!pickle) break;
      pickles.push(pickle);
    }
    if (pickles.length === 5) return pickles;
    if (length === size)
      throw corrupt(path, `it ends at byte ${size}, within the description of its tensors`);
  }
}

function formatOf(storage: string, what: string): WeightFormat {
  if (Object.hasOwn(formats, storage)) return formats[storage];
  throw new PolybeamError(
    'WEIGHT_DTYPE',
    `${what} is a ${storage}; polybeam reads ${Object.keys(formats).join(', ')}: convert it.`,
  );
}

/** Bytes that tensors may take beyond a few times their file: buffers such as position ids repeat numbers. */
const mostRepeated = 1 << 20;

/** Where a tensor lies; `rest` is the bytes of a copy where it does not lie in order. */
function locate(
  name: string,
  tensor: PickledTensor,
  place: Place,
  path: string,
): { weight: StoredWeight; rest?: number } {
  const format = formatOf(tensor.storage, `The tensor ${name}`);
  const width = bytesPerElement[format];
  const { shape, stride } = tensor;
  const count = shape.reduce((product, size) => product * size, 1);
  if (count === 0) return { weight: { format, shape, data: { kind: 'memory', data: new Uint8Array(0) } } };
  const end = (lastElement(tensor) + 1) * width;
  if (end > place.length) throw corrupt(path, `${name} needs ${end} bytes, its storage has ${place.length}`);
  const offset = place.offset + tensor.offset * width;
  const weight: StoredWeight = { format, shape, data: { kind: 'file', path, offset, length: count * width } };
  return isContiguous(shape, stride) ? { weight } : { weight, rest: count * width };
}

function lastElement({ offset, shape, stride }: PickledTensor): number {
  return offset + shape.reduce((sum, size, axis) => sum + (size - 1) * stride[axis], 0);
}

async function copyStrided(
  tensor: PickledTensor,
  place: Place,
  format: WeightFormat,
  path: string,
): Promise<StoredWeight> {
  const width = bytesPerElement[format];
  const [start, end] = [tensor.offset, lastElement(tensor) + 1].map((at) => place.offset + at * width);
  const bytes = await fileAccess().readRange(path, start, end);
  const count = tensor.shape.reduce((product, size) => product * size, 1);
  return { format, shape: tensor.shape, data: { kind: 'memory', data: gather(bytes, tensor, count, width) } };
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
  source: Uint8Array,
  { shape, stride }: PickledTensor,
  count: number,
  width: number,
): Uint8Array {
  const bytes = new Uint8Array(count * width);
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < count; to++) {
    for (let byte = 0; byte < width; byte++) bytes[to * width + byte] = source[from * width + byte];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += stride[axis];
      if (++index[axis] < shape[axis]) break;
      from -= shape[axis] * stride[axis];
      index[axis] = 0;
    }
  }
  return bytes;
}
