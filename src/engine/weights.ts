import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';

/** Where the bytes of one stored tensor are. */
export type WeightData = { kind: 'memory'; data: Uint8Array } | FileData;

/** A range of bytes in a file. */
export interface FileData {
  kind: 'file';
  path: string;
  offset: number;
  length: number;
  /** `FileAccess.version` of the file when the range was found; undefined if changes are not detected. */
  version?: string;
}

/** Number formats a stored tensor may have; names as in safetensors. */
export type WeightFormat = 'F32' | 'F16' | 'BF16' | 'I8' | 'I32' | 'I64' | 'U8' | 'BOOL' | 'F64';

/** One stored tensor, row-major, little-endian. */
export interface StoredWeight {
  format: WeightFormat;
  shape: readonly number[];
  data: WeightData;
  /** For a weight that is stored in the layout of products, see `quantize.ts`: `data` are its integers in that layout. */
  packed?: 'int8' | 'int4';
}

/**
 * Byte ranges are valid only in the file in which they were found.
 * @throws FILE_CHANGED if the file has changed since then
 */
export async function requireUnchanged({ path, version }: Pick<FileData, 'path' | 'version'>): Promise<void> {
  if (version === undefined || (await fileAccess().version?.(path)) === version) return;
  throw new PolybeamError(
    'FILE_CHANGED',
    `${path} was replaced, changed or removed after the model was loaded; load the model again.`,
  );
}

/**
 * Named tensors of a checkpoint. Names equal the checkpoint's. Nothing is read before it is needed: a float32 file is
 * mapped by ONNX Runtime directly.
 */
export interface WeightStore {
  names(): readonly string[];
  /** The stored tensor, or undefined if there is none of that name. */
  get(name: string): StoredWeight | undefined;
  /** The tensor as float32, converted (F16, BF16, F64) or dequantized (I8 with a scale) if necessary. */
  read(name: string): Promise<Float32Array>;
  /** The bytes of a tensor as it is stored; without this, the integers of weights are made from `read`. */
  bytes?(name: string): Promise<Uint8Array>;
}
