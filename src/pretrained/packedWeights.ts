import { constantWeights } from '../engine/compile.js';
import {
  integersName,
  type QuantizedWeight,
  quantizeInt4,
  quantizeInt8,
  scalesSuffix,
} from '../engine/quantize.js';
import type { WeightStore } from '../engine/weights.js';
import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import type { ModelDefinition } from './architectures/definition.js';
import { weightStore } from './openWeights.js';
import { readSafetensors, type TensorToWrite, writeSafetensors } from './safetensors.js';

/** Precisions whose weights are integers. */
export type PackedPrecision = 'int8' | 'int4';

/** Weights as products read them, to be written. */
export interface PackedTensors {
  tensors: TensorToWrite[];
  /** Weights that something else reads too, such as an embedding table that is also the output projection. */
  alsoRead: ReadonlySet<string>;
}

/**
 * The weights that products of a model read as integers, in the layout of their operators (`quantize.ts`). Each is read
 * and rounded once, when its scales are written; its integers wait in memory for their turn.
 * @throws OPTION_INVALID, while they are written, where a weight is not finite
 */
export function packWeights(
  { forward }: ModelDefinition,
  weights: WeightStore,
  precision: PackedPrecision,
): PackedTensors {
  const constants = constantWeights(
    (inputs, p) => forward.run(p, inputs),
    forward.signature,
    weights,
    precision,
  );
  const tensors: TensorToWrite[] = [];
  for (const { name, shape, quantized } of constants) {
    if (quantized?.part !== 'values') continue;
    const { of } = quantized;
    const outputs = weights.get(of)!.shape[0];
    const scales = constants.find((other) => other.name === name + scalesSuffix)!;
    let rounded: Promise<QuantizedWeight> | undefined;
    const round = () => {
      rounded ??= roundWeight(weights, of, outputs, precision);
      return rounded;
    };
    const format = precision === 'int8' ? 'I8' : 'U8';
    const takeValues = async () => {
      const { values } = await round();
      rounded = undefined;
      return values;
    };
    const takeScales = async () => bytesOf((await round()).scales);
    tensors.push(
      { name: scales.name, format: 'F32', shape: scales.shape as number[], data: takeScales },
      { name, format, shape: shape as number[], data: takeValues },
    );
  }
  const floats = constants.filter(({ quantized }) => !quantized).map(({ name }) => name);
  return { tensors, alsoRead: new Set(floats) };
}

async function roundWeight(
  weights: WeightStore,
  name: string,
  outputs: number,
  precision: PackedPrecision,
): Promise<QuantizedWeight> {
  const values = await weights.read(name);
  const rounded = precision === 'int8' ? quantizeInt8(values, outputs) : quantizeInt4(values);
  // A maximum passes over NaN.
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return rounded;
  const row = Math.floor((bad * outputs) / values.length);
  throw new PolybeamError(
    'OPTION_INVALID',
    `weights ${precision} cannot hold ${name}: row ${row} is not finite; use float32.`,
  );
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The precision that products of a model are stored in, by `polybeam convert`; undefined where they are floats. */
export function packedPrecision(weights: WeightStore): PackedPrecision | undefined {
  const name = weights.names().find((one) => packedAs(weights, one) !== undefined);
  return name === undefined ? undefined : packedAs(weights, name);
}

function packedAs(weights: WeightStore, name: string): PackedPrecision | undefined {
  return (['int8', 'int4'] as const).find((precision) => weights.get(integersName(name, precision)));
}

/** Where rounded weights are kept, below a model directory. */
export const cacheFolder = '.polybeam';

/** Part of the names of cached files: another number where `quantize.ts` rounds otherwise. */
const cacheVersion = 1;

/**
 * The weights with those of products rounded, from a file `.polybeam/<precision>-<key>.safetensors` below the directory,
 * which is made where it is missing. The key stands for the names, sizes and times of change of the weight files. Where
 * the file cannot be written (a directory that may only be read), or files have no times, weights are returned as they
 * are: each program then rounds its own.
 */
export async function withPackedWeights(
  directory: string,
  definition: ModelDefinition,
  weights: WeightStore,
  precision: PackedPrecision,
): Promise<WeightStore> {
  if (packedPrecision(weights) === precision) return weights;
  const key = await cacheKey(weights);
  if (key === undefined) return weights;
  const path = `${directory}/${cacheFolder}/${precision}-${key}.safetensors`;
  const cached = await openCache(path);
  if (cached) return layered(weights, cached);
  try {
    const { tensors } = packWeights(definition, weights, precision);
    if (tensors.length === 0) return weights;
    await writeSafetensors(path, tensors);
    await removeOthers(directory, `${precision}-${key}.safetensors`);
  } catch (error) {
    // What is wrong with the weights themselves is said where they are used.
    if (error instanceof PolybeamError) return weights;
    throw error;
  }
  const made = await openCache(path);
  return made ? layered(weights, made) : weights;
}

/** A damaged file is as good as none: it is written anew. */
async function openCache(path: string): Promise<WeightStore | undefined> {
  try {
    return weightStore(await readSafetensors(path));
  } catch (error) {
    if (error instanceof PolybeamError) return undefined;
    throw error;
  }
}

/** The weights as they are, and beside them the integers. */
function layered(weights: WeightStore, integers: WeightStore): WeightStore {
  return {
    ...weights,
    get: (name) => weights.get(name) ?? integers.get(name),
    bytes: (name) => (weights.get(name) ? weights : integers).bytes!(name),
  };
}

async function cacheKey(weights: WeightStore): Promise<string | undefined> {
  const { modified, size } = fileAccess();
  if (!modified) return undefined;
  const paths = new Set<string>();
  for (const name of weights.names()) {
    const { data } = weights.get(name)!;
    if (data.kind === 'file') paths.add(data.path);
  }
  const parts: unknown[] = [cacheVersion];
  for (const path of [...paths].sort()) {
    parts.push([path.slice(path.lastIndexOf('/') + 1), await size(path), await modified(path)]);
  }
  if (parts.length === 1) return undefined;
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(parts)));
  return [...new Uint8Array(digest.slice(0, 8))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Files of weights that have changed since are of no use. */
async function removeOthers(directory: string, kept: string): Promise<void> {
  const folder = `${directory}/${cacheFolder}`;
  const precision = kept.slice(0, kept.indexOf('-') + 1);
  for (const name of await fileAccess().list(folder)) {
    const old = name.startsWith(precision) && name.endsWith('.safetensors') && name !== kept;
    if (old) await fileAccess().remove(`${folder}/${name}`);
  }
}
