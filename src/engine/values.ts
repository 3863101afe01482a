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

/** The runtime's tensor over the same memory; made once per value. */
export function toOnnx(value: Value): Tensor {
  const known = onnxTensors.get(value);
  if (known) return known;
  const tensor = new (onnxRuntime().Tensor)(value.type, value.data as never, value.shape) as Tensor;
  onnxTensors.set(value, tensor);
  return tensor;
}

/** A value over the memory of a tensor the runtime made. */
export function fromOnnx(tensor: Tensor): Value {
  return { type: tensor.type as Value['type'], shape: tensor.dims, data: tensor.data as Float32Array };
}

function describeShape(shape: readonly Dimension[]): string {
  return `[${shape.join(', ')}]`;
}

/**
 * Checks that feeds are what a program's inputs want, and that a named dimension has one size.
 * @throws FEED_INVALID
 */
export function checkFeeds(ports: readonly GraphPort[], feeds: Readonly<Record<string, Value>>): void {
  const sizes = new Map<string, { size: number; from: string }>();
  for (const port of ports) {
    const value = feeds[port.name];
    const wanted = `${port.type} ${describeShape(port.shape)}`;
    if (!value) {
      throw new PolybeamError(
        'FEED_INVALID',
        `The input "${port.name}" (${wanted}) is missing; pass it to run().`,
      );
    }
    const fits =
      value.type === (port.type as ElementType) &&
      value.shape.length === port.shape.length &&
      value.shape.every((size, axis) => typeof port.shape[axis] === 'string' || port.shape[axis] === size);
    if (!fits || elements(value.shape) !== value.data.length) {
      const found = `${value.type} ${describeShape(value.shape)} with ${value.data.length} elements`;
      throw new PolybeamError(
        'FEED_INVALID',
        `The input "${port.name}" wants ${wanted}, it was given ${found}.`,
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
}
