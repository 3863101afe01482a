import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';

/** Where the bytes of one stored tensor are. */
export type WeightData = { kind: 'memory'; data: Uint8Array } | FileData;

/** A place in a file. */
export interface FileData {
  kind: 'file';
  path: string;
  offset: number;
  length: number;
  /** `FileAccess.version` of the file when the place was found; undefined where changes are not noticed. */
  version?: string;
}

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
 * Places in a file mean nothing in another one.
 * @throws FILE_CHANGED where the file is not the one in which the place was found
 */
export async function requireUnchanged({ path, version }: Pick<FileData, 'path' | 'version'>): Promise<void> {
  if (version === undefined || (await fileAccess().version?.(path)) === version) return;
  throw new PolybeamError(
    'FILE_CHANGED',
    `${path} was replaced, changed or removed after the model was loaded; load the model again.`,
  );
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
