import type { Tensor } from 'onnxruntime-common';
import { PolybeamError } from '../errors.js';
import type { Dimension, ElementType, GraphPort } from './graph.js';
import { onnxRuntime } from './runtime.js';

/** A value on the host: sizes and a typed array, row-major. Plain data; programs read and write `data` in place. */
export interface Value {
  type: 'float32' | 'int32' | 'bool' | 'int8';
  shape: readonly number[];
  data: Float32Array | Int32Array | Uint8Array | Int8Array;
}

/** The content of a device value: the runtime's tensor, and the function that frees its memory. */
export interface DeviceContent {
  type: Value['type'];
  shape: readonly number[];
  /** A tensor of ONNX Runtime or of tfjs; only programs look inside. */
  tensor: object;
  free(): void;
}

/**
 * A value whose data stay in the memory of a device. Programs of that device read it, and write it if it is
 * given in `into`. The host never sees its numbers. Its maker must dispose of it (`disposeValue`); nothing else frees it.
 */
export interface DeviceValue {
  readonly device: string;
  /** Absent before a program wrote it, and after it was disposed. */
  content?: DeviceContent;
}

/** A value on the host or on a device. */
export type AnyValue = Value | DeviceValue;

/** Whether a value's data are on a device. */
export function isOnDevice(value: AnyValue): value is DeviceValue {
  return !('data' in value);
}

const onnxTensors = new WeakMap<Value, Tensor>();

/** A float32 value; without data, zeros. */
export function floats(
  shape: readonly number[],
  data: Float32Array = new Float32Array(elements(shape)),
): Value {
  return { type: 'float32', shape, data };
}

/** An int32 value; without data, zeros. */
export function integers(
  shape: readonly number[],
  data: Int32Array = new Int32Array(elements(shape)),
): Value {
  return { type: 'int32', shape, data };
}

/** Number of elements of a shape. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The runtime's tensor over the same memory; made once for each value and array. */
export function toOnnx(value: AnyValue): Tensor {
  if (isOnDevice(value)) return value.content!.tensor as Tensor;
  const known = onnxTensors.get(value);
  if (known?.data === value.data) return known;
  const tensor = new (onnxRuntime().Tensor)(value.type, value.data as never, value.shape) as Tensor;
  onnxTensors.set(value, tensor);
  return tensor;
}

/** A value over the memory of a tensor the runtime made. */
export function fromOnnx(tensor: Tensor): Value {
  return { type: tensor.type as Value['type'], shape: tensor.dims, data: tensor.data as Float32Array };
}

/** The content of a device value for a tensor that the runtime left on the device. */
export function onDevice(tensor: Tensor): DeviceContent {
  return {
    type: tensor.type as Value['type'],
    shape: tensor.dims,
    tensor,
    free: () => tensor.dispose(),
  };
}

function describePort({ type, shape }: GraphPort): string {
  return `${type} ${describeShape(shape)}`;
}

function describeShape(shape: readonly Dimension[]): string {
  return `[${shape.join(', ')}]`;
}

function refuseUnknown(kind: string, ports: readonly GraphPort[], unknown: string): never {
  const known = ports.slice(0, 12).map((port) => port.name);
  throw new PolybeamError(
    'FEED_INVALID',
    `The program has no ${kind} "${unknown}"; it has ${known.join(', ')}${ports.length > known.length ? ', ...' : ''}.`,
  );
}

/** The device of a program, and the outputs that stay there. */
export interface ProgramPlace {
  device: string;
  /** Names of outputs that stay on the device. */
  resident: readonly string[];
}

const onHost: ProgramPlace = { device: 'cpu', resident: [] };

/** Type and sizes of a value; undefined for a device value without content. */
function formOf(value: AnyValue): Pick<Value, 'type' | 'shape'> | undefined {
  return isOnDevice(value) ? value.content : value;
}

function fitsPort(port: GraphPort, value: AnyValue): boolean {
  const form = formOf(value);
  return (
    form !== undefined &&
    form.type === (port.type as ElementType) &&
    form.shape.length === port.shape.length &&
    form.shape.every((size, axis) => typeof port.shape[axis] === 'string' || port.shape[axis] === size) &&
    (isOnDevice(value) || elements(value.shape) === value.data.length)
  );
}

function describeValue(value: AnyValue): string {
  if (!isOnDevice(value)) {
    return `${value.type} ${describeShape(value.shape)} with ${value.data.length} elements`;
  }
  const { device, content } = value;
  if (!content) return `an empty value on ${device}`;
  return `${content.type} ${describeShape(content.shape)} on ${device}`;
}

/** @throws FEED_INVALID for a value on another device than the program. */
function checkDevice(name: string, value: AnyValue, place: ProgramPlace): void {
  if (!isOnDevice(value) || value.device === place.device) return;
  throw new PolybeamError(
    'FEED_INVALID',
    `The value of "${name}" is on ${value.device}, the program runs on ${place.device}; make it by a program there.`,
  );
}

/**
 * Checks that values to write into match the program's outputs: values on the host, or for outputs that stay on the device
 * device values.
 * @throws FEED_INVALID
 */
export function checkInto(
  ports: readonly GraphPort[],
  into: Readonly<Record<string, AnyValue>>,
  place: ProgramPlace = onHost,
): void {
  const names = Object.keys(into);
  if (names.length === 0) return;
  const byName = new Map(ports.map((port) => [port.name, port]));
  for (const name of names) {
    const [port, value] = [byName.get(name) ?? refuseUnknown('output', ports, name), into[name]];
    checkDevice(name, value, place);
    const stays = place.resident.includes(name);
    if (stays === isOnDevice(value) && (stays || fitsPort(port, value))) continue;
    throw new PolybeamError(
      'FEED_INVALID',
      `The output "${port.name}" is ${describePort(port)}${stays ? ` and stays on ${place.device}` : ''}, it cannot be written into ${describeValue(value)}.`,
    );
  }
}

/**
 * Checks that feeds match a program's inputs, and that a named dimension has one size.
 * @throws FEED_INVALID
 */
export function checkFeeds(
  ports: readonly GraphPort[],
  feeds: Readonly<Record<string, AnyValue>>,
  place: ProgramPlace = onHost,
): void {
  const sizes = new Map<string, { size: number; from: string }>();
  for (const port of ports) {
    const value = feeds[port.name];
    if (!value) {
      throw new PolybeamError(
        'FEED_INVALID',
        `The input "${port.name}" (${describePort(port)}) is missing; pass it to run().`,
      );
    }
    checkDevice(port.name, value, place);
    if (!fitsPort(port, value)) {
      throw new PolybeamError(
        'FEED_INVALID',
        `The input "${port.name}" wants ${describePort(port)}, it was given ${describeValue(value)}.`,
      );
    }
    formOf(value)!.shape.forEach((size, axis) => {
      const name = port.shape[axis];
      if (typeof name !== 'string') return;
      const known = sizes.get(name);
      if (known && known.size !== size) {
        throw new PolybeamError(
          'FEED_INVALID',
          `The dimension "${name}" is ${known.size} in "${known.from}" and ${size} in "${port.name}"; make them equal.`,
        );
      }
      sizes.set(name, { size, from: port.name });
    });
  }
  const names = Object.keys(feeds);
  if (names.length === ports.length) return;
  const known = new Set(ports.map((port) => port.name));
  refuseUnknown('input', ports, names.find((name) => !known.has(name))!);
}
