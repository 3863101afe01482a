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
import { readFile, weightStore } from './openWeights.js';
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
 * The weights with those of products rounded, from a file `<precision>-<key>.safetensors` of one of `cacheFolders`, which
 * is made where it is missing. The key stands for the weight files, see `cacheKey`. Where the file cannot be written, or files have no times, weights are returned as they are: each program then rounds its own.
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
  const name = `${precision}-${key}.safetensors`;
  const folders = await cacheFolders(directory);
  for (const folder of folders) {
    await fileAccess().removeLeftovers?.(folder);
    const cached = await openCache(`${folder}/${name}`);
    if (cached) return layered(weights, cached);
  }
  try {
    const { tensors } = packWeights(definition, weights, precision);
    const made = tensors.length > 0 && (await writeCache(folders, name, tensors));
    return made ? layered(weights, made) : weights;
  } catch (error) {
    // What is wrong with the weights themselves is said where they are used.
    if (error instanceof PolybeamError) return weights;
    throw error;
  }
}

/** Writes the file into the first folder that takes it; undefined where none does. */
async function writeCache(
  folders: readonly string[],
  name: string,
  tensors: readonly TensorToWrite[],
): Promise<WeightStore | undefined> {
  for (const folder of folders) {
    try {
      await writeSafetensors(`${folder}/${name}`, tensors);
      await removeOthers(folder, name);
      return await openCache(`${folder}/${name}`);
    } catch (error) {
      if (!(error instanceof PolybeamError && error.code === 'FILE_WRITE')) throw error;
    }
  }
  return undefined;
}

/** A snapshot as huggingface_hub lays it out: what is in it belongs to that library. */
const hubSnapshot = /\/(models|datasets|spaces)--[^/]+\/snapshots\//;

/**
 * Where the rounded weights of a model directory may be, the best place first: below the directory, unless it is in
 * Hugging Face's cache; then a folder of its own in the user's cache.
 */
async function cacheFolders(directory: string): Promise<string[]> {
  const files = fileAccess();
  const path = (await files.realPath?.(directory)) ?? directory;
  const own = hubSnapshot.test(path) ? [] : [`${directory}/${cacheFolder}`];
  const root = files.cacheDirectory?.();
  return root === undefined ? own : [...own, `${root}/weights/${await hash(path)}`];
}

/** 16 hexadecimal digits. */
async function hash(content: string | Uint8Array): Promise<string> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const digest = await crypto.subtle.digest('SHA-256', bytes as BufferSource);
  return [...new Uint8Array(digest.slice(0, 8))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A damaged file is as good as none: it is written anew. */
async function openCache(path: string): Promise<WeightStore | undefined> {
  try {
    return weightStore(await readFile(path, readSafetensors));
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

/**
 * Stands for the files that hold the weights: names, sizes, times, where each tensor lies, and samples of the content,
 * since copies may keep names, sizes and times. Undefined where files have no times, or weights no files.
 */
async function cacheKey(weights: WeightStore): Promise<string | undefined> {
  const { modified, size } = fileAccess();
  if (!modified) return undefined;
  const paths = new Set<string>();
  const tensors: unknown[] = [];
  for (const name of [...weights.names()].sort()) {
    const { format, shape, data } = weights.get(name)!;
    if (data.kind !== 'file') continue;
    paths.add(data.path);
    tensors.push([name, format, shape, data.offset, data.length]);
  }
  if (paths.size === 0) return undefined;
  const parts: unknown[] = [cacheVersion, await hash(JSON.stringify(tensors))];
  for (const path of [...paths].sort()) {
    const bytes = (await size(path)) ?? 0;
    parts.push([
      path.slice(path.lastIndexOf('/') + 1),
      bytes,
      await modified(path),
      await sample(path, bytes),
    ]);
  }
  return hash(JSON.stringify(parts));
}

/** How many places of a file are looked at, and how many bytes there. */
const [samplePlaces, sampleBytes] = [32, 4096];

/** A hash of bytes from the whole length of a file. */
async function sample(path: string, size: number): Promise<string> {
  const read = fileAccess().readRange;
  if (size <= samplePlaces * sampleBytes) return hash(await read(path, 0, size));
  const all = new Uint8Array(samplePlaces * sampleBytes);
  for (let place = 0; place < samplePlaces; place++) {
    const start = Math.floor((place * (size - sampleBytes)) / (samplePlaces - 1));
    all.set(await read(path, start, start + sampleBytes), place * sampleBytes);
  }
  return hash(all);
}

/** Files of weights that have changed since are of no use. */
async function removeOthers(folder: string, kept: string): Promise<void> {
  const precision = kept.slice(0, kept.indexOf('-') + 1);
  for (const name of await fileAccess().list(folder)) {
    const old = name.startsWith(precision) && name.endsWith('.safetensors') && name !== kept;
    if (old) await fileAccess().remove(`${folder}/${name}`);
  }
}
