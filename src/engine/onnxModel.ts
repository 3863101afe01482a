import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { Attribute, Dimension, ElementType, Graph, GraphNode, GraphPort } from './graph.js';
import type { StoredWeight, WeightFormat } from './weights.js';

/** Numbers of `TensorProto.DataType` in onnx.proto. */
const onnxTypes: Record<ElementType, number> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  uint32: 12,
};

/** The ONNX number of an element type, for the Cast operator. */
export function onnxType(type: ElementType): number {
  return onnxTypes[type];
}

/** ONNX operator set that traced graphs are written for. */
const opset = 20;
const irVersion = 10;

/** A weight in an ONNX model: inline bytes, or an offset in an external file that the session knows by `location`. */
export type WeightPlacement =
  | { kind: 'inline'; type: ElementType; data: Uint8Array }
  | { kind: 'external'; type: ElementType; location: string; offset: number; length: number };

/** Formats that graphs read without conversion. */
const mappedTypes: Partial<Record<WeightFormat, ElementType>> = { F32: 'float32', I8: 'int8', U8: 'uint8' };

/** The location of a stored weight's bytes if they can be used unchanged; undefined if the weight must be converted. */
export function placeStored(
  weight: StoredWeight,
  location: string,
  wanted: ElementType,
): WeightPlacement | undefined {
  const type = mappedTypes[weight.format];
  if (type !== wanted || weight.packed || weight.data.kind !== 'file') return undefined;
  return {
    kind: 'external',
    type,
    location,
    offset: weight.data.offset,
    length: weight.data.length,
  };
}

/** Bytes in pieces, so that large ones are copied once, into the whole model, and not into each message around them. */
type Pieces = readonly Uint8Array[];

/** A message that is being written: what is complete, and what is not. */
interface Writer {
  done: Uint8Array[];
  open: BinaryWriter;
}

/** Bytes from which a field is a piece of its own. */
const largeField = 4096;

/** Field numbers below are those of onnx.proto (ONNX 1.16, IR version 10). */
function message(write: (writer: Writer) => void): Pieces {
  const writer: Writer = { done: [], open: new BinaryWriter() };
  write(writer);
  return [...writer.done, writer.open.finish()];
}

function lengthOf(pieces: Pieces): number {
  return pieces.reduce((length, piece) => length + piece.length, 0);
}

function joined(pieces: Pieces): Uint8Array {
  const whole = new Uint8Array(lengthOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

const field = {
  varint: (w: Writer, number: number, value: number) => w.open.uint32((number << 3) | 0).int64(value),
  bytes: (w: Writer, number: number, pieces: Pieces) => {
    const length = lengthOf(pieces);
    w.open.uint32((number << 3) | 2);
    if (length < largeField) {
      w.open.bytes(joined(pieces));
      return;
    }
    w.done.push(w.open.uint32(length).finish(), ...pieces);
    w.open = new BinaryWriter();
  },
  string: (w: Writer, number: number, value: string) => w.open.uint32((number << 3) | 2).string(value),
  float: (w: Writer, number: number, value: number) => w.open.uint32((number << 3) | 5).float(value),
};

function encodeAttribute(name: string, value: Attribute): Pieces {
  return message((w) => {
    field.string(w, 1, name);
    if (typeof value === 'number') {
      field.varint(w, 3, value);
      field.varint(w, 20, 2);
    } else if (typeof value === 'string') {
      field.string(w, 4, value);
      field.varint(w, 20, 3);
    } else if ('float' in value) {
      field.float(w, 2, value.float);
      field.varint(w, 20, 1);
    } else {
      for (const item of value) field.varint(w, 8, item);
      field.varint(w, 20, 7);
    }
  });
}

function encodeNode(node: GraphNode, index: number): Pieces {
  return message((w) => {
    for (const input of node.inputs) field.string(w, 1, input);
    for (const output of node.outputs) field.string(w, 2, output);
    field.string(w, 3, `${node.op}_${index}`);
    field.string(w, 4, node.op);
    for (const [name, value] of Object.entries(node.attributes)) {
      field.bytes(w, 5, encodeAttribute(name, value));
    }
    if (node.domain) field.string(w, 7, node.domain);
  });
}

function encodeTensor(name: string, shape: readonly number[], placement: WeightPlacement): Pieces {
  return message((w) => {
    for (const size of shape) field.varint(w, 1, size);
    field.varint(w, 2, onnxTypes[placement.type]);
    field.string(w, 8, name);
    if (placement.kind === 'inline') {
      field.bytes(w, 9, [placement.data]);
      return;
    }
    const entries = {
      location: placement.location,
      offset: String(placement.offset),
      length: String(placement.length),
    };
    for (const [key, value] of Object.entries(entries)) {
      field.bytes(
        w,
        13,
        message((entry) => {
          field.string(entry, 1, key);
          field.string(entry, 2, value);
        }),
      );
    }
    field.varint(w, 14, 1);
  });
}

function encodeDimension(size: Dimension): Pieces {
  return message((w) => (typeof size === 'number' ? field.varint(w, 1, size) : field.string(w, 2, size)));
}

function encodePort(port: GraphPort): Pieces {
  const shape = message((w) => {
    for (const size of port.shape) field.bytes(w, 1, encodeDimension(size));
  });
  const tensorType = message((w) => {
    field.varint(w, 1, onnxTypes[port.type]);
    field.bytes(w, 2, shape);
  });
  return message((w) => {
    field.string(w, 1, port.name);
    field.bytes(
      w,
      2,
      message((t) => field.bytes(t, 1, tensorType)),
    );
  });
}

/**
 * Encodes a graph as an ONNX ModelProto.
 * @param weights placement of every name in `graph.weights`
 */
export function encodeModel(graph: Graph, weights: ReadonlyMap<string, WeightPlacement>): Uint8Array {
  const body = message((w) => {
    graph.nodes.forEach((node, index) => {
      field.bytes(w, 1, encodeNode(node, index));
    });
    field.string(w, 2, 'polybeam');
    for (const [name, constant] of graph.constants) {
      const placement = { kind: 'inline', type: constant.type, data: constant.data } as const;
      field.bytes(w, 5, encodeTensor(name, constant.shape, placement));
    }
    for (const [name, port] of graph.weights) {
      field.bytes(w, 5, encodeTensor(name, port.shape as number[], weights.get(name)!));
    }
    for (const port of graph.inputs) field.bytes(w, 11, encodePort(port));
    for (const port of graph.outputs) field.bytes(w, 12, encodePort(port));
  });
  const opsets: [string, number][] = [
    ['', opset],
    ['com.microsoft', 1],
  ];
  const model = message((w) => {
    field.varint(w, 1, irVersion);
    field.string(w, 2, 'polybeam');
    field.bytes(w, 7, body);
    for (const [domain, version] of opsets) {
      field.bytes(
        w,
        8,
        message((o) => {
          field.string(o, 1, domain);
          field.varint(o, 2, version);
        }),
      );
    }
  });
  return joined(model);
}
