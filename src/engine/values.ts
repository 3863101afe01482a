import type { Tensor } from 'onnxruntime-common';
import { PolybeamError } from '../errors.js';
import type { Dimension, ElementType, GraphPort } from './graph.js';
import { onnxRuntime } from './runtime.js';

/** A value on the host: sizes and a typed array, row-major. Plain data; programs read and write `data` in place. */
export interface Value {
  type: 'float32' | 'int32' | 'bool';
  shape: readonly number[];
  data: Float32Array | Int32Array | Uint8Array;
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
export function toOnnx(value: Value): Tensor {
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

function fitsPort(port: GraphPort, value: Value): boolean {
  return (
    value.type === (port.type as ElementType) &&
    value.shape.length === port.shape.length &&
    value.shape.every((size, axis) => typeof port.shape[axis] === 'string' || port.shape[axis] === size) &&
    elements(value.shape) === value.data.length
  );
}

/**
 * Checks that arrays to write into are of the program's outputs.
 * @throws FEED_INVALID
 */
export function checkInto(ports: readonly GraphPort[], into: Readonly<Record<string, Value>>): void {
  const names = Object.keys(into);
  if (names.length === 0) return;
  const byName = new Map(ports.map((port) => [port.name, port]));
  for (const name of names) {
    const [port, value] = [byName.get(name) ?? refuseUnknown('output', ports, name), into[name]];
    if (fitsPort(port, value)) continue;
    throw new PolybeamError(
      'FEED_INVALID',
      `The output "${port.name}" is ${port.type} ${describeShape(port.shape)}, it cannot be written into ${value.type} ${describeShape(value.shape)} with ${value.data.length} elements.`,
    );
  }
}

/**
 * Checks that feeds are what a program's inputs want, and that a named dimension has one size.
 * @throws FEED_INVALID
 */
export function checkFeeds(ports: readonly GraphPort[], feeds: Readonly<Record<string, Value>>): void {
  const sizes = new Map<string, { size: number; from: string }>();
  for (const port of ports) {
    const value = feeds[port.name];
    if (!value) {
      throw new PolybeamError(
        'FEED_INVALID',
        `The input "${port.name}" (${describePort(port)}) is missing; pass it to run().`,
      );
    }
    if (!fitsPort(port, value)) {
      const found = `${value.type} ${describeShape(value.shape)} with ${value.data.length} elements`;
      throw new PolybeamError(
        'FEED_INVALID',
        `The input "${port.name}" wants ${describePort(port)}, it was given ${found}.`,
      );
    }
    value.shape.forEach((size, axis) => {
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
