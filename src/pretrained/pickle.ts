import { PolybeamError } from '../errors.js';

/** A tensor as a state dict describes it; its numbers lie in an archive entry of their own. */
export interface PickledTensor {
  /** torch's storage class, such as FloatStorage. */
  storage: string;
  /** Archive entry, such as "0" for data/0. */
  key: string;
  /** First element within the storage. */
  offset: number;
  shape: number[];
  stride: number[];
}

interface Global {
  global: string;
}

/** What the pickle of a state dict may build; anything else is refused and nothing is ever executed. */
const allowed = new Set([
  'collections.OrderedDict',
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_parameter',
]);

/**
 * Reads the pickle of a state dict: a dictionary of names to tensors.
 * @param path names the file in errors
 * @throws FILE_CORRUPT for anything but plain containers, torch storages and tensors
 */
export function readStateDictPickle(bytes: Uint8Array, path: string): Map<string, PickledTensor> {
  const result = run(bytes, path);
  const tensors = new Map<string, PickledTensor>();
  if (!(result instanceof Map)) throw refuse(path, 'it does not hold a dictionary');
  for (const [name, value] of result) {
    if (typeof name === 'string' && isTensor(value)) tensors.set(name, value);
  }
  return tensors;
}

function refuse(path: string, what: string): PolybeamError {
  return new PolybeamError(
    'FILE_CORRUPT',
    `${path} is not a plain PyTorch state dict: ${what}; save it as safetensors.`,
  );
}

function isTensor(value: unknown): value is PickledTensor {
  return typeof value === 'object' && value !== null && 'storage' in value && 'stride' in value;
}

const mark = Symbol('mark');

/** A stack machine of the opcodes that torch.save writes (pickle protocols 2 to 4). */
function run(bytes: Uint8Array, path: string): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = new TextDecoder();
  const memo = new Map<number, unknown>();
  const stack: unknown[] = [];
  let at = 0;
  const take = (length: number) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  const number = (length: 1 | 2 | 4) => {
    at += length;
    if (length === 1) return view.getUint8(at - 1);
    return length === 2 ? view.getUint16(at - 2, true) : view.getInt32(at - 4, true);
  };
  const line = () => {
    const end = bytes.indexOf(10, at);
    const value = text.decode(bytes.subarray(at, end));
    at = end + 1;
    return value;
  };
  const popToMark = () => {
    const from = stack.lastIndexOf(mark);
    const items = stack.splice(from + 1);
    stack.pop();
    return items;
  };
  const setItems = (items: unknown[]) => {
    const target = stack[stack.length - 1];
    if (!(target instanceof Map)) throw refuse(path, 'items are set on something else than a dictionary');
    for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
  };
  const pushGlobal = (module: string, name: string) => {
    const global = `${module}.${name}`;
    if (!allowed.has(global) && !/^torch\.\w+Storage$/.test(global))
      throw refuse(path, `it refers to ${global}`);
    stack.push({ global } satisfies Global);
  };
  while (at < bytes.length) {
    const opcode = bytes[at++];
    const letter = String.fromCharCode(opcode);
    if (opcode === 0x80) at += 1;
    else if (opcode === 0x95) at += 8;
    else if (letter === '.') return stack.pop();
    else if (letter === '}') stack.push(new Map());
    else if (letter === ']' || letter === ')') stack.push([]);
    else if (letter === '(') stack.push(mark);
    else if (letter === 'N') stack.push(null);
    else if (opcode === 0x88 || opcode === 0x89) stack.push(opcode === 0x88);
    else if (letter === 'K') stack.push(number(1));
    else if (letter === 'M') stack.push(number(2));
    else if (letter === 'J') stack.push(number(4));
    else if (letter === 'G') stack.push(new DataView(take(8).slice().buffer).getFloat64(0));
    else if (opcode === 0x8a) stack.push(littleEndian(take(number(1))));
    else if (letter === 'X') stack.push(text.decode(take(number(4))));
    else if (opcode === 0x8c) stack.push(text.decode(take(number(1))));
    else if (letter === 'q') memo.set(number(1), stack[stack.length - 1]);
    else if (letter === 'r') memo.set(number(4), stack[stack.length - 1]);
    else if (opcode === 0x94) memo.set(memo.size, stack[stack.length - 1]);
    else if (letter === 'h') stack.push(memo.get(number(1)));
    else if (letter === 'j') stack.push(memo.get(number(4)));
    else if (letter === 'c') pushGlobal(line(), line());
    else if (opcode === 0x93) {
      const [module, name] = stack.splice(-2) as [string, string];
      pushGlobal(module, name);
    } else if (letter === 't') stack.push(popToMark());
    else if (opcode >= 0x85 && opcode <= 0x87) stack.push(stack.splice(0x84 - opcode));
    else if (letter === 's') setItems(stack.splice(-2));
    else if (letter === 'u') setItems(popToMark());
    else if (letter === 'a') appendAll(stack.splice(-1), stack, path);
    else if (letter === 'e') appendAll(popToMark(), stack, path);
    // Attributes of the dictionary (its version); nothing that is read here.
    else if (letter === 'b') stack.pop();
    else if (letter === 'Q') stack.push({ persistent: stack.pop() });
    else if (letter === 'R') {
      const [callee, args] = stack.splice(-2) as [Global, unknown[]];
      stack.push(build(callee, args, path));
    } else throw refuse(path, `its pickle has the opcode 0x${opcode.toString(16)}`);
  }
  throw refuse(path, 'its pickle has no end');
}

function appendAll(items: unknown[], stack: unknown[], path: string): void {
  const target = stack[stack.length - 1];
  if (!Array.isArray(target)) throw refuse(path, 'items are appended to something else than a list');
  target.push(...items);
}

function littleEndian(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte, index) => sum + byte * 256 ** index, 0);
}

function build(callee: Global, args: unknown[], path: string): unknown {
  if (callee?.global === 'collections.OrderedDict') return new Map();
  if (callee?.global === 'torch._utils._rebuild_parameter') return args[0];
  if (callee?.global !== 'torch._utils._rebuild_tensor_v2')
    throw refuse(path, `it calls ${String(callee?.global)}`);
  const [storage, offset, shape, stride] = args as [{ persistent?: unknown[] }, number, number[], number[]];
  // ('storage', class, key, device, elements)
  const persistent = storage?.persistent as [string, Global, string] | undefined;
  if (persistent?.[0] !== 'storage') throw refuse(path, 'a tensor has no storage');
  return { storage: persistent[1].global.slice('torch.'.length), key: persistent[2], offset, shape, stride };
}
