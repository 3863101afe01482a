import { floats, type Value } from './values.js';

/*
 * Weights of matrix products as small integers. Both formats are symmetric (no zero point) and belong to operators of
 * ONNX Runtime: int8 to DynamicQuantizeMatMul, int4 to MatMulNBits.
 */

/** How matrix products read weights: see `CompileOptions.weightPrecision`. */
export type WeightPrecision = 'float32' | 'int8' | 'int4';

/** Suffix of the name of an input's scales: see `weightFeeds`. */
export const scalesSuffix = ':scales';

/** The name of the integers of a weight, in graphs and in files; that of their scales ends with `scalesSuffix`. */
export function integersName(of: string, precision: 'int8' | 'int4'): string {
  return `${of}:${precision}`;
}

/** A weight [outputs, inputs] as integers, in the layout of its operator, and their scales. */
export interface QuantizedWeight {
  values: Uint8Array;
  scales: Float32Array;
}

/**
 * The largest integer of an int8 weight. Processors without VNNI add two products of 8-bit numbers in 16 bits:
 * 2 x 255 x 64 fits, 2 x 255 x 127 would saturate.
 */
const largestInt8 = 64;

/** Inputs that share a scale in int4. */
export const int4BlockSize = 32;

/**
 * int8 with a scale for each output.
 * @param weight [outputs, inputs]
 * @returns values int8 [inputs, outputs], scales [outputs]
 */
export function quantizeInt8(weight: Float32Array, outputs: number): QuantizedWeight {
  const inputs = weight.length / outputs;
  const values = new Int8Array(weight.length);
  const scales = new Float32Array(outputs);
  const inverses = new Float64Array(outputs);
  for (let output = 0; output < outputs; output++) {
    const row = weight.subarray(output * inputs, (output + 1) * inputs);
    let largest = 0;
    for (let i = 0; i < inputs; i++) largest = Math.max(largest, Math.abs(row[i]));
    scales[output] = largest / largestInt8;
    if (scales[output] > 0) inverses[output] = 1 / scales[output];
  }
  // In tiles, since reading rows and writing columns of a large matrix would miss the cache at every number.
  const tile = 64;
  for (let from = 0; from < outputs; from += tile) {
    const to = Math.min(outputs, from + tile);
    for (let input = 0; input < inputs; input++) {
      for (let output = from; output < to; output++) {
        const code = weight[output * inputs + input] * inverses[output];
        // Rounds by truncating a positive number, many times faster than Math.round.
        values[input * outputs + output] = ((code + largestInt8 + 0.5) | 0) - largestInt8;
      }
    }
  }
  return { values: new Uint8Array(values.buffer), scales };
}

/**
 * int4 in blocks of 32 inputs: two integers a byte, the first in the lower half; 8 represents 0. The number of largest
 * magnitude becomes -8, so that all sixteen integers are used.
 * @param weight [outputs, inputs], inputs a multiple of 32
 * @returns values uint8 [outputs, blocks, 16], scales [outputs, blocks]
 */
export function quantizeInt4(weight: Float32Array): QuantizedWeight {
  const blocks = weight.length / int4BlockSize;
  const values = new Uint8Array(weight.length / 2);
  const scales = new Float32Array(blocks);
  for (let block = 0; block < blocks; block++) {
    const at = block * int4BlockSize;
    let extreme = 0;
    for (let i = at; i < at + int4BlockSize; i++) {
      if (Math.abs(weight[i]) > Math.abs(extreme)) extreme = weight[i];
    }
    const scale = Math.fround(extreme / -8);
    scales[block] = scale;
    const inverse = scale === 0 ? 0 : 1 / scale;
    for (let i = at; i < at + int4BlockSize; i += 2) {
      const low = Math.min(15, (weight[i] * inverse + 8.5) | 0);
      const high = Math.min(15, (weight[i + 1] * inverse + 8.5) | 0);
      values[i >> 1] = low | (high << 4);
    }
  }
  return { values, scales };
}

/** Dequantizes the integers of `quantizeInt8` to float32 [outputs, inputs]. */
export function dequantizeInt8({ values, scales }: QuantizedWeight): Float32Array {
  const codes = new Int8Array(values.buffer, values.byteOffset, values.length);
  const outputs = scales.length;
  const inputs = codes.length / outputs;
  const weight = new Float32Array(codes.length);
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) {
      weight[output * inputs + input] = codes[input * outputs + output] * scales[output];
    }
  }
  return weight;
}

/** Dequantizes the integers of `quantizeInt4` to float32 [outputs, inputs]. */
export function dequantizeInt4({ values, scales }: QuantizedWeight): Float32Array {
  const weight = new Float32Array(values.length * 2);
  for (let i = 0; i < weight.length; i += 2) {
    const scale = scales[Math.floor(i / int4BlockSize)];
    weight[i] = ((values[i >> 1] & 15) - 8) * scale;
    weight[i + 1] = ((values[i >> 1] >> 4) - 8) * scale;
  }
  return weight;
}

/**
 * Feeds for an input that a program reads like a weight (`asWeight`): the matrix itself, or int8 and scales if
 * weights are rounded, even to int4.
 * @param matrix float32 [outputs, inputs]
 */
export function weightFeeds(name: string, matrix: Value, precision: WeightPrecision): Record<string, Value> {
  if (precision === 'float32') return { [name]: matrix };
  const [outputs, inputs] = matrix.shape;
  const { values, scales } = quantizeInt8(matrix.data as Float32Array, outputs);
  const codes = new Int8Array(values.buffer, values.byteOffset, values.length);
  return {
    [name]: { type: 'int8', shape: [inputs, outputs], data: codes },
    [name + scalesSuffix]: floats([outputs], scales),
  };
}
