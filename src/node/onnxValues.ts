import { Tensor } from 'onnxruntime-common';
import { takeFloats } from '../engine/hostMemory.js';
import type { Handle, OnnxApi } from './onnxApi.js';
import { environment } from './onnxEnvironment.js';

type Data = Exclude<Tensor.DataType, string[]>;

/** ONNX's element types (`ONNXTensorElementDataType`), as far as programs have them. */
const elementTypes = {
  float32: { code: 1, array: Float32Array },
  uint8: { code: 2, array: Uint8Array },
  int8: { code: 3, array: Int8Array },
  int32: { code: 6, array: Int32Array },
  int64: { code: 7, array: BigInt64Array },
  bool: { code: 9, array: Uint8Array },
} as const;
type ElementName = keyof typeof elementTypes;

/** The runtime's value over a tensor's memory. */
export function wrap(api: OnnxApi, tensor: Tensor): Handle {
  const data = tensor.data as Data;
  const { code } = elementTypes[tensor.type as ElementName];
  const sizes = BigInt64Array.from(tensor.dims, BigInt);
  const { memory } = environment(api);
  return api.get('CreateTensorWithDataAsOrtValue', memory, data, data.byteLength, sizes, sizes.length, code);
}

/** A tensor with a copy of what the runtime computed into memory of its own. */
export function copyOut(api: OnnxApi, value: Handle): Tensor {
  const { type, dims } = formOf(api, value);
  const length = dims.reduce((product, size) => product * size, 1);
  const { array } = elementTypes[type];
  const data = array === Float32Array ? takeFloats(length) : new array(length);
  if (length > 0) {
    const address = api.get('GetTensorMutableData', value);
    data.set(new array(api.view(address, data.byteLength)) as never);
  }
  return new Tensor(type as 'float32', data as Float32Array, dims);
}

/** Element type and sizes of the runtime's value. */
export function formOf(api: OnnxApi, value: Handle): { type: ElementName; dims: number[] } {
  const info = api.get('GetTensorTypeAndShape', value);
  const code = new Int32Array(1);
  api.call('GetTensorElementType', info, code);
  const sizes = new BigInt64Array(Number(api.get('GetDimensionsCount', info)));
  api.call('GetDimensions', info, sizes, sizes.length);
  api.native.ReleaseTensorTypeAndShapeInfo(info);
  const entry = Object.entries(elementTypes).find(([, type]) => type.code === code[0]);
  if (!entry) throw new Error(`an output has the element type ${code[0]}, which is not known here`);
  return { type: entry[0] as ElementName, dims: Array.from(sizes, Number) };
}
