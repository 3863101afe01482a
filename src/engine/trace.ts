import * as tf from '@tensorflow/tfjs-core';
import { PolybeamError } from '../errors.js';
import { Dimensions, type SizeExpression } from './dimensions.js';
import type { Attribute, Dimension, ElementType, Graph } from './graph.js';
import { makeNode, renameValues } from './graph.js';

/** A value of the trace: its name in the graph, and its sizes with primes for named dimensions. */
export interface Traced {
  name: string;
  type: ElementType;
  shape: number[];
}

/** A tensor that tfjs passes between kernels. */
export interface TraceTensorInfo extends tf.TensorInfo {
  dtype: 'float32' | 'int32' | 'bool';
}

const bytesPerElement: Record<ElementType, number> = {
  float32: 4,
  int32: 4,
  bool: 1,
  int64: 8,
  uint32: 4,
  uint8: 1,
  int8: 1,
  float16: 2,
};

/** Records tfjs operations into a graph. One trace is open at a time; tracing is synchronous. */
export class Trace {
  readonly graph: Graph = {
    inputs: [],
    outputs: [],
    nodes: [],
    constants: new Map(),
    weights: new Map(),
    regions: [],
    shapes: new Map(),
  };
  private readonly values = new WeakMap<object, Traced>();
  private readonly sizes = new Map<string, string>();
  private readonly pooled = new Map<string, Traced>();
  private readonly dimensionSources = new Map<string, { input: string; axis: number }>();
  private counter = 0;
  /** The last operation recorded, to name in errors. */
  lastOp = 'nothing yet';

  constructor(readonly dimensions = new Dimensions()) {}

  /** A graph input; named sizes become dimensions that each run chooses. */
  input(name: string, type: TraceTensorInfo['dtype'], shape: readonly Dimension[]): tf.Tensor {
    this.graph.inputs.push({ name, type, shape });
    shape.forEach((size, axis) => {
      if (typeof size === 'string' && !size.includes('*') && !this.dimensionSources.has(size)) {
        this.dimensionSources.set(size, { input: name, axis });
      }
    });
    return this.tensor(this.remember(name, type, this.standIns(shape)));
  }

  /** A weight that becomes a constant of the graph. */
  weight(name: string, shape: readonly number[]): tf.Tensor {
    if (!this.graph.weights.has(name)) this.graph.weights.set(name, { name, type: 'float32', shape });
    return this.tensor(this.remember(name, 'float32', [...shape]));
  }

  /** Marks a traced tensor as an output of the graph. */
  output(name: string, tensor: tf.Tensor): void {
    if (this.graph.inputs.some((port) => port.name === name)) {
      throw new PolybeamError(
        'OPTION_INVALID',
        `The output "${name}" has the name of an input, which a graph cannot tell apart; give it another.`,
      );
    }
    const value = this.valueOf(tensor);
    const made = this.graph.nodes.find((node) => node.outputs.includes(value.name));
    // A node's output is renamed to the output's name; inputs, constants and values that are already outputs are copied.
    if (made && !this.renamed.has(value.name)) this.renamed.set(value.name, name);
    else this.graph.nodes.push(makeNode('Identity', [value.name], [name]));
    const shape = value.shape.map((size) => this.dimensions.describe(size));
    this.graph.outputs.push({ name, type: value.type, shape });
  }

  /** Records one node with one output. */
  emit(
    op: string,
    inputs: readonly (Traced | string)[],
    output: { type: ElementType; shape: readonly number[] },
    attributes: Record<string, Attribute> = {},
    domain = '',
  ): Traced {
    return this.emitMany(op, inputs, [output], attributes, domain)[0];
  }

  /** Records one node with several outputs. */
  emitMany(
    op: string,
    inputs: readonly (Traced | string)[],
    outputs: readonly { type: ElementType; shape: readonly number[] }[],
    attributes: Record<string, Attribute> = {},
    domain = '',
  ): Traced[] {
    const results = outputs.map(({ type, shape }) => this.remember(this.fresh(op), type, [...shape]));
    const names = inputs.map((input) => (typeof input === 'string' ? input : input.name));
    this.graph.nodes.push(
      makeNode(
        op,
        names,
        results.map((result) => result.name),
        attributes,
        domain,
      ),
    );
    this.lastOp = `${op} ${names.join(', ')}`;
    return results;
  }

  /** A constant of the graph; equal small constants are shared. */
  constant(type: ElementType, shape: readonly number[], values: ArrayLike<number>): Traced {
    const length = values.length;
    const key = length <= 64 ? `${type}:${shape.join()}:${Array.from(values).join()}` : undefined;
    const shared = key && this.pooled.get(key);
    if (shared) return shared;
    const name = this.fresh('constant');
    this.graph.constants.set(name, { type, shape: [...shape], data: toBytes(type, values) });
    const value = this.remember(name, type, [...shape]);
    if (key) this.pooled.set(key, value);
    return value;
  }

  /** A one-dimensional int64 constant, the form shapes, axes and starts have. */
  ints(values: readonly number[]): Traced {
    return this.constant('int64', [values.length], values);
  }

  /** The size as an int64 tensor [1], computed from the shapes of the inputs where it is not a plain number. */
  size(value: number): string {
    const expression = this.dimensions.explain(value);
    if (expression.factors.length === 0) return this.ints([value]).name;
    const key = `size:${value}`;
    const known = this.sizes.get(key);
    if (known) return known;
    const result = this.product(expression);
    this.sizes.set(key, result);
    return result;
  }

  private product({ coefficient, factors }: SizeExpression): string {
    const parts = factors.map((factor) =>
      'name' in factor ? this.dimension(factor.name) : this.sum(factor),
    );
    if (coefficient !== 1) parts.push(this.ints([coefficient]).name);
    return this.foldInts('Mul', parts);
  }

  private sum({ terms, offset }: { terms: readonly SizeExpression[]; offset: number }): string {
    const parts = terms.map((term) => this.product(term));
    if (offset !== 0) parts.push(this.ints([offset]).name);
    return this.foldInts('Add', parts);
  }

  /** Combines int64 tensors [1], from left to right. */
  private foldInts(op: 'Add' | 'Mul', parts: readonly string[]): string {
    const output = { type: 'int64', shape: [1] } as const;
    return parts.reduce((result, part) => this.emit(op, [result, part], output).name);
  }

  /** A shape as an int64 tensor. */
  shape(shape: readonly number[]): string {
    if (!shape.some((size) => this.dimensions.isSymbolic(size))) return this.ints(shape).name;
    const key = `shape:${shape.join()}`;
    const known = this.sizes.get(key);
    if (known) return known;
    const parts = shape.map((size) => this.size(size));
    const name =
      parts.length === 1
        ? parts[0]
        : this.emit('Concat', parts, { type: 'int64', shape: [shape.length] }, { axis: 0 }).name;
    this.sizes.set(key, name);
    return name;
  }

  /** The value behind a tfjs tensor. */
  valueOf(info: { dataId: object; shape: readonly number[] }): Traced {
    const value = this.values.get(info.dataId);
    if (!value) {
      throw new PolybeamError(
        'TRACE_VALUE_READ',
        `A tensor of shape [${info.shape}] does not belong to the trace being recorded; make it inside the traced function.`,
      );
    }
    // tfjs reshapes without a kernel if it can: the same data with other sizes is a Reshape here.
    return sameShape(value.shape, info.shape) ? value : this.reshape(value, info.shape);
  }

  /** Records a reshape, as a constant target where sizes allow it. */
  reshape(value: Traced, shape: readonly number[]): Traced {
    if (sameShape(value.shape, shape)) return value;
    const output = { type: value.type, shape };
    let open = 0;
    const target = shape.map((size, axis) => {
      if (!this.dimensions.isSymbolic(size)) return size;
      if (value.shape[axis] === size) return 0;
      open++;
      return -1;
    });
    if (open > 1) return this.emit('Reshape', [value, this.shape(shape)], output);
    return this.emit('Reshape', [value, this.ints(target)], output);
  }

  /** The element type of a recorded value. */
  typeOf(name: string): ElementType | undefined {
    return this.recorded.get(name)?.type;
  }

  /** Wraps a recorded value for tfjs. */
  register(value: Traced): TraceTensorInfo {
    const dataId = {};
    this.values.set(dataId, value);
    return { dataId, shape: value.shape, dtype: value.type as TraceTensorInfo['dtype'] };
  }

  /** Ties a data id made by tfjs to a recorded value. */
  bind(dataId: object, value: Traced): void {
    this.values.set(dataId, value);
  }

  /** A tensor for code that is being traced. */
  tensor(value: Traced): tf.Tensor {
    const info = this.register(value);
    return tf.engine().makeTensorFromTensorInfo(info);
  }

  /** Closes the trace: describes shapes with named dimensions. */
  finish(): Graph {
    renameValues(this.graph, this.renamed);
    for (const [name, { type, shape }] of this.recorded) {
      this.graph.shapes.set(this.renamed.get(name) ?? name, {
        type,
        shape: shape.map((size) => this.dimensions.describe(size)),
      });
    }
    return this.graph;
  }

  private readonly renamed = new Map<string, string>();
  private readonly recorded = new Map<string, Traced>();

  private remember(name: string, type: ElementType, shape: number[]): Traced {
    // Sums of sizes are recognized best alone, before they are part of products.
    for (const size of shape) this.dimensions.explain(size);
    if (!Number.isSafeInteger(shape.reduce((product, size) => product * size, 1))) {
      throw new PolybeamError(
        'TRACE_SHAPE',
        `A tensor [${shape.map((size) => this.dimensions.describe(size)).join(', ')}] has too many axes of named size, made by ${this.lastOp}; at most three can be distinguished.`,
      );
    }
    const value = { name, type, shape };
    this.recorded.set(name, value);
    return value;
  }

  private standIns(shape: readonly Dimension[]): number[] {
    return shape.map((size) => this.dimensions.standIn(size));
  }

  private dimension(name: string): string {
    const key = `dimension:${name}`;
    const known = this.sizes.get(key);
    if (known) return known;
    const source = this.dimensionSources.get(name);
    if (!source) {
      throw new PolybeamError(
        'TRACE_SHAPE',
        `No input has an axis of size "${name}" alone, so its size is not known; add an input that has.`,
      );
    }
    const { input, axis } = source;
    const output = { type: 'int64', shape: [1] } as const;
    const value = this.emit('Shape', [input], output, { start: axis, end: axis + 1 }).name;
    this.sizes.set(key, value);
    return value;
  }

  private fresh(op: string): string {
    return `%${op}_${this.counter++}`;
  }
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

function toBytes(type: ElementType, values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(values.length * bytesPerElement[type]);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i]);
    if (type === 'float32') view.setFloat32(i * 4, value, true);
    else if (type === 'int64') view.setBigInt64(i * 8, BigInt(value), true);
    else if (type === 'int32') view.setInt32(i * 4, value, true);
    else if (type === 'uint32') view.setUint32(i * 4, value, true);
    else bytes[i] = value;
  }
  return bytes;
}
