/** Where the bytes of one stored tensor are. */
export type WeightData =
  | { kind: 'memory'; data: Uint8Array }
  | { kind: 'file'; path: string; offset: number; length: number };

/** Number formats a stored tensor may have; names as in safetensors. */
export type WeightFormat = 'F32' | 'F16' | 'BF16' | 'I8' | 'I32' | 'I64' | 'U8' | 'BOOL' | 'F64';

/** One stored tensor, row-major, little-endian. */
export interface StoredWeight {
  format: WeightFormat;
  shape: readonly number[];
  data: WeightData;
  /** Of a weight that is stored as products read it, see `quantize.ts`: `data` are its integers in that layout. */
  packed?: 'int8' | 'int4';
}

/**
 * Named tensors of a checkpoint. Names equal the checkpoint's. Nothing is read until it is asked for: a float32 file is
 * mapped by ONNX Runtime straight from where it lies.
 */
export interface WeightStore {
  names(): readonly string[];
  /** The stored tensor, or undefined where there is none of that name. */
  get(name: string): StoredWeight | undefined;
  /** The tensor as float32, converted (F16, BF16, F64) or dequantized (I8 with a scale) where it must be. */
  read(name: string): Promise<Float32Array>;
  /** The bytes of a tensor as it is stored; without this, the integers of weights are made from `read`. */
  bytes?(name: string): Promise<Uint8Array>;
}
