import { PolybeamError } from '../errors.js';

/** A tensor as a state dict describes it; its numbers lie elsewhere in the file. */
export interface PickledTensor {
  /** torch's storage class, such as FloatStorage. */
  storage: string;
  /** Name of the storage, such as "0". */
  key: string;
  /** First element within the storage. */
  offset: number;
  shape: number[];
  /** Elements from one index to the next, by axis. */
  stride: number[];
}

/** One pickle, read. */
export interface Pickle {
  value: unknown;
  /** Where the next one begins. */
  end: number;
  /** Storage class of each storage that was named. */
  storages: ReadonlyMap<string, string>;
}

/** What the pickle of a state dict may name; anything else is refused, and nothing is ever executed. */
const allowed = new Set([
  'collections.OrderedDict',
  'torch._utils._rebuild_tensor',
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_parameter',
]);
const storageClass = /^torch\.(\w+Storage)$/;

interface Global {
  global: string;
}

interface StorageReference {
  storage: string;
  key: string;
}

interface Machine {
  bytes: Uint8Array;
  view: DataView;
  at: number;
  stack: unknown[];
  memo: Map<number, unknown>;
  storages: Map<string, string>;
  path: string;
}

/** Thrown where the bytes end before the pickle does. */
const cutOff = Symbol('cut off');
const mark = Symbol('mark');

/**
 * Reads one pickle as data: containers, numbers, strings, torch storages and tensors.
 * @param path names the file in errors
 * @returns undefined where the bytes end before the pickle does
 * @throws FILE_CORRUPT for anything but the opcodes and names that torch's state dicts use
 */
export function readPickle(bytes: Uint8Array, path: string, start = 0): Pickle | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const machine: Machine = { bytes, view, at: start, stack: [], memo: new Map(), storages: new Map(), path };
  try {
    for (;;) {
      const opcode = take(machine, 1)[0];
      if (opcode === STOP) return { value: pop(machine), end: machine.at, storages: machine.storages };
      const run = opcodes[opcode];
      if (!run) throw refuse(path, `its pickle has the opcode 0x${opcode.toString(16)}`);
      run(machine);
    }
  } catch (error) {
    if (error === cutOff) return undefined;
    throw error;
  }
}

/**
 * The tensors of a state dict.
 * @throws FILE_CORRUPT where the value is no dictionary, or holds no tensors
 */
export function tensorsOf(value: unknown, path: string): Map<string, PickledTensor> {
  if (!(value instanceof Map)) throw refuse(path, 'it does not hold a dictionary');
  const tensors = new Map<string, PickledTensor>();
  for (const [name, item] of value) {
    if (typeof name === 'string' && isTensor(item)) tensors.set(name, item);
  }
  if (tensors.size > 0) return tensors;
  // Keys that are no text may be lists of lists, which are endless as text.
  const texts = [...value.keys()].filter((key) => typeof key === 'string');
  const keys = texts.slice(0, 5).join(', ');
  throw refuse(path, `it holds no tensors, but ${keys || 'nothing'}`);
}

function refuse(path: string, what: string): PolybeamError {
  return new PolybeamError(
    'FILE_CORRUPT',
    `${path} is not a plain PyTorch state dict: ${what}; save the model as safetensors.`,
  );
}

function isTensor(value: unknown): value is PickledTensor {
  return typeof value === 'object' && value !== null && 'storage' in value && 'stride' in value;
}

function take(machine: Machine, length: number): Uint8Array {
  if (machine.at + length > machine.bytes.length) throw cutOff;
  machine.at += length;
  return machine.bytes.subarray(machine.at - length, machine.at);
}

/** Little-endian two's complement; exact up to 2^53. */
function signed(bytes: Uint8Array): number {
  const value = unsigned(bytes);
  return bytes.length > 0 && bytes[bytes.length - 1] >= 0x80 ? value - 256 ** bytes.length : value;
}

function unsigned(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte, index) => sum + byte * 256 ** index, 0);
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function line(machine: Machine): string {
  const end = machine.bytes.indexOf(10, machine.at);
  if (end < 0) throw cutOff;
  const value = text(machine.bytes.subarray(machine.at, end));
  machine.at = end + 1;
  return value;
}

function pop({ stack, path }: Machine): unknown {
  if (stack.length === 0) throw refuse(path, 'its pickle takes from an empty stack');
  return stack.pop();
}

function popMany(machine: Machine, count: number): unknown[] {
  return Array.from({ length: count }, () => pop(machine)).reverse();
}

function popToMark({ stack, path }: Machine): unknown[] {
  const from = stack.lastIndexOf(mark);
  if (from < 0) throw refuse(path, 'its pickle has no mark');
  const items = stack.splice(from + 1);
  stack.pop();
  return items;
}

function setItems({ stack, path }: Machine, items: readonly unknown[]): void {
  const target = stack[stack.length - 1];
  if (!(target instanceof Map)) throw refuse(path, 'items are set on something else than a dictionary');
  for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
}

function append({ stack, path }: Machine, items: readonly unknown[]): void {
  const target = stack[stack.length - 1];
  if (!Array.isArray(target)) throw refuse(path, 'items are appended to something else than a list');
  target.push(...items);
}

function pushGlobal({ stack, path }: Machine, module: unknown, name: unknown): void {
  if (typeof module !== 'string' || typeof name !== 'string')
    throw refuse(path, 'it refers to something that has no name');
  const global = `${module}.${name}`;
  if (!allowed.has(global) && !storageClass.test(global)) throw refuse(path, `it refers to ${global}`);
  stack.push({ global } satisfies Global);
}

function recall({ stack, memo, path }: Machine, index: number): void {
  if (!memo.has(index)) throw refuse(path, `its pickle recalls ${index}, which it never kept`);
  stack.push(memo.get(index));
}

function keep({ stack, memo }: Machine, index: number): void {
  memo.set(index, stack[stack.length - 1]);
}

/** A persistent id: ('storage', class, key, device, elements), and in old files a view, which nobody writes. */
function pushStorage(machine: Machine): void {
  const id = pop(machine);
  const [kind, storage, key, , , view] = Array.isArray(id) ? id : [];
  const found = storageClass.exec((storage as Global | undefined)?.global ?? '');
  if (kind !== 'storage' || !found || typeof key !== 'string' || (view ?? null) !== null)
    throw refuse(machine.path, 'a storage is described in an unknown way');
  machine.storages.set(key, found[1]);
  machine.stack.push({ storage: found[1], key } satisfies StorageReference);
}

/** REDUCE: the few calls that build a state dict. */
function call(machine: Machine): void {
  const [callee, given] = popMany(machine, 2);
  const global = (callee as Global | null)?.global;
  const args = Array.isArray(given) ? given : [];
  if (global === 'collections.OrderedDict') machine.stack.push(new Map());
  else if (global === 'torch._utils._rebuild_parameter') machine.stack.push(args[0]);
  else if (typeof global === 'string' && global.startsWith('torch._utils._rebuild_tensor'))
    machine.stack.push(tensor(machine, args));
  else
    throw refuse(
      machine.path,
      `it calls ${typeof global === 'string' ? global : 'something that has no name'}`,
    );
}

function tensor(machine: Machine, [from, offset, shape, stride]: unknown[]): PickledTensor {
  const { storage, key } = (from ?? {}) as Partial<StorageReference>;
  const isWell =
    storage !== undefined &&
    key !== undefined &&
    isSizes([offset]) &&
    isSizes(shape) &&
    isSizes(stride) &&
    shape.length === stride.length;
  if (!isWell) throw refuse(machine.path, 'a tensor is described in an unknown way');
  return { storage, key, offset: offset as number, shape, stride };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

const STOP = code('.');

function code(letter: string): number {
  return letter.charCodeAt(0);
}

const push = (value: (machine: Machine) => unknown) => (machine: Machine) => {
  machine.stack.push(value(machine));
};

/** The opcodes that torch.save writes (pickle protocols 2 to 4), by the names in Python's pickletools. */
const opcodes: Record<number, (machine: Machine) => void> = {
  128: (m) => take(m, 1), // PROTO
  149: (m) => take(m, 8), // FRAME
  [code('(')]: push(() => mark),
  [code('N')]: push(() => null),
  136: push(() => true), // NEWTRUE
  137: push(() => false), // NEWFALSE
  [code('K')]: push((m) => unsigned(take(m, 1))), // BININT1
  [code('M')]: push((m) => unsigned(take(m, 2))), // BININT2
  [code('J')]: push((m) => signed(take(m, 4))), // BININT
  138: push((m) => signed(take(m, take(m, 1)[0]))), // LONG1
  [code('G')]: push((m) => m.view.getFloat64(take(m, 8).byteOffset - m.bytes.byteOffset)), // BINFLOAT
  [code('X')]: push((m) => text(take(m, unsigned(take(m, 4))))), // BINUNICODE
  140: push((m) => text(take(m, take(m, 1)[0]))), // SHORT_BINUNICODE
  [code('T')]: push((m) => text(take(m, unsigned(take(m, 4))))), // BINSTRING, of Python 2
  [code('U')]: push((m) => text(take(m, take(m, 1)[0]))), // SHORT_BINSTRING, of Python 2
  [code('}')]: push(() => new Map()),
  [code(']')]: push(() => []),
  [code(')')]: push(() => []),
  [code('t')]: push(popToMark),
  133: push((m) => popMany(m, 1)), // TUPLE1
  134: push((m) => popMany(m, 2)), // TUPLE2
  135: push((m) => popMany(m, 3)), // TUPLE3
  [code('s')]: (m) => setItems(m, popMany(m, 2)),
  [code('u')]: (m) => setItems(m, popToMark(m)),
  [code('a')]: (m) => append(m, popMany(m, 1)),
  [code('e')]: (m) => append(m, popToMark(m)),
  [code('q')]: (m) => keep(m, unsigned(take(m, 1))), // BINPUT
  [code('r')]: (m) => keep(m, unsigned(take(m, 4))), // LONG_BINPUT
  148: (m) => keep(m, m.memo.size), // MEMOIZE
  [code('h')]: (m) => recall(m, unsigned(take(m, 1))), // BINGET
  [code('j')]: (m) => recall(m, unsigned(take(m, 4))), // LONG_BINGET
  [code('c')]: (m) => pushGlobal(m, line(m), line(m)),
  147: (m) => {
    const [module, name] = popMany(m, 2); // STACK_GLOBAL
    pushGlobal(m, module, name);
  },
  [code('R')]: call,
  [code('Q')]: pushStorage, // BINPERSID
  [code('b')]: (m) => {
    pop(m); // BUILD: attributes of the dictionary (its version); nothing that is read here
  },
};
