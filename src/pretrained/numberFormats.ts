/** Number formats of stored weights, to float32 and back. Little-endian throughout, as the files are. */

const f32 = new Float32Array(1);
const bits = new Uint32Array(f32.buffer);

/** The float32 value of 16 bits of IEEE 754 half precision; exact. */
export function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The nearest half-precision number, ties to even, as 16 bits. */
export function floatToHalf(value: number): number {
  f32[0] = value;
  const x = bits[0];
  const sign = (x >>> 16) & 0x8000;
  const magnitude = x & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65520 and above round to infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below 2^-14 numbers are subnormal: multiples of 2^-24, which scaling rounds to exactly as wanted.
  if (magnitude < 0x38800000) return sign | roundHalfEven(Math.abs(f32[0]) * 2 ** 24);
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest > 0.5 || (rest === 0.5 && floor % 2 === 1)) return floor + 1;
  return floor;
}

let halfTable: Float32Array | undefined;

/** Half precision as float32. */
export function halvesToFloats(data: Uint8Array): Float32Array {
  halfTable ??= Float32Array.from({ length: 65536 }, (_, half) => halfToFloat(half));
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const floats = new Float32Array(data.byteLength / 2);
  for (let i = 0; i < floats.length; i++) floats[i] = halfTable[view.getUint16(i * 2, true)];
  return floats;
}

/** float32 as half precision. */
export function floatsToHalves(data: Float32Array): Uint8Array {
  const halves = new Uint16Array(data.length);
  for (let i = 0; i < data.length; i++) halves[i] = floatToHalf(data[i]);
  return new Uint8Array(halves.buffer);
}

/** bfloat16 as float32: the upper half of its bits. */
export function bfloatsToFloats(data: Uint8Array): Float32Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const floats = new Float32Array(data.byteLength / 2);
  const words = new Uint32Array(floats.buffer);
  for (let i = 0; i < floats.length; i++) words[i] = view.getUint16(i * 2, true) << 16;
  return floats;
}

/** float64 as float32. */
export function doublesToFloats(data: Uint8Array): Float32Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Float32Array.from({ length: data.byteLength / 8 }, (_, i) => view.getFloat64(i * 8, true));
}

/** The bytes as float32, copied only where they do not lie on a multiple of 4. */
export function asFloats(data: Uint8Array): Float32Array {
  if (data.byteOffset % 4 === 0) return new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  return new Float32Array(data.slice().buffer);
}

/** 8-bit integers with one scale a row: value = scale[row] * integer. */
export interface QuantizedRows {
  /** int8 [rows, columns] */
  values: Int8Array;
  /** [rows] */
  scales: Float32Array;
}

/** Symmetric quantization to -127 .. 127, one scale a row: the largest magnitude of a row becomes 127. */
export function quantizeRows(data: Float32Array, rows: number): QuantizedRows {
  const columns = data.length / rows;
  const values = new Int8Array(data.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let largest = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) largest = Math.max(largest, Math.abs(data[i]));
    const scale = Math.fround(largest / 127);
    scales[row] = scale;
    if (scale === 0) continue;
    for (let i = row * columns; i < (row + 1) * columns; i++) {
      values[i] = Math.max(-127, Math.min(127, Math.round(data[i] / scale)));
    }
  }
  return { values, scales };
}

/** The float32 values of quantized rows. */
export function dequantizeRows({ values, scales }: QuantizedRows): Float32Array {
  const columns = values.length / scales.length;
  const floats = new Float32Array(values.length);
  for (let row = 0; row < scales.length; row++) {
    const scale = scales[row];
    for (let i = row * columns; i < (row + 1) * columns; i++) floats[i] = values[i] * scale;
  }
  return floats;
}
