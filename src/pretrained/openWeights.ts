import {
  dequantizeInt4,
  dequantizeInt8,
  int4BlockSize,
  integersName,
  scalesSuffix,
} from '../engine/quantize.js';
import type { StoredWeight, WeightStore } from '../engine/weights.js';
import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import { refuseLfsPointer } from '../lfsPointer.js';
import { parseJson } from '../shallowJson.js';
import {
  asFloats,
  bfloatsToFloats,
  dequantizeRows,
  doublesToFloats,
  halvesToFloats,
} from './numberFormats.js';
import { readPytorchBin } from './pytorchBin.js';
import { readSafetensors } from './safetensors.js';
import { isTiedElsewhere, readBytes, type TiedNames, tieWeights } from './tiedWeights.js';

export { readBytes } from './tiedWeights.js';

/** Name of the scales that belong to an int8 tensor, in files that `polybeam convert --weights int8` writes. */
export const scaleSuffix = '.scale';

/**
 * The weights of a model directory: `model.safetensors`, its shards, or a legacy `pytorch_model.bin`. Headers are read,
 * tensors are not, but for weights that are tied and stored twice.
 *
 * @param tied see `Architecture.repeated`; each such weight has the first of its names in the store, unless it differs
 * @throws FILE_NOT_FOUND where there are no weights; FILE_CORRUPT, WEIGHT_DTYPE
 */
export async function openWeights(
  directory: string,
  tied: TiedNames = {},
  onWarning?: (message: string) => void,
): Promise<WeightStore> {
  const weights = modernNames(await readWeights(directory, tied));
  await tieWeights(weights, tied, onWarning && ((message) => onWarning(`${directory}: ${message}`)));
  return weightStore(weights);
}

async function readWeights(directory: string, tied: TiedNames): Promise<Map<string, StoredWeight>> {
  const names = new Set(await fileAccess().list(directory));
  if (names.has('model.safetensors')) return readFile(`${directory}/model.safetensors`, readSafetensors);
  for (const [index, read] of [
    ['model.safetensors.index.json', readSafetensors],
    ['pytorch_model.bin.index.json', readPytorchBin],
  ] as const) {
    if (names.has(index)) return readShards(directory, index, read, tied);
  }
  if (names.has('pytorch_model.bin')) return readFile(`${directory}/pytorch_model.bin`, readPytorchBin);
  throw new PolybeamError(
    'FILE_NOT_FOUND',
    `${directory} has no weights: model.safetensors, model.safetensors.index.json or pytorch_model.bin; check the path.`,
  );
}

/** The tensors of a file, bound to the file as it is now. */
export async function readFile(
  path: string,
  read: (path: string) => Promise<Map<string, StoredWeight>>,
): Promise<Map<string, StoredWeight>> {
  const version = await fileAccess().version?.(path);
  const weights = await read(path);
  for (const { data } of weights.values()) if (data.kind === 'file') data.version = version;
  return weights;
}

async function readShards(
  directory: string,
  index: string,
  read: (path: string) => Promise<Map<string, StoredWeight>>,
  tied: TiedNames,
): Promise<Map<string, StoredWeight>> {
  const path = `${directory}/${index}`;
  const map = await readWeightMap(path);
  const weights = new Map<string, StoredWeight>();
  for (const shard of new Set(Object.values(map))) {
    for (const [name, weight] of await readFile(`${directory}/${shard}`, read)) weights.set(name, weight);
  }
  const has = (name: string) => weights.has(name);
  const missing = Object.keys(map).find((name) => !has(name) && !isTiedElsewhere(name, tied, has));
  if (missing) {
    throw new PolybeamError(
      'FILE_CORRUPT',
      `${path} lists ${missing} in ${map[missing]}, which does not hold it; copy the shards again.`,
    );
  }
  return weights;
}

/** `weight_map`: tensor names to file names. */
async function readWeightMap(path: string): Promise<Record<string, string>> {
  await refuseLfsPointer(path);
  let map: unknown;
  try {
    const index = parseJson(new TextDecoder().decode(await fileAccess().read(path)));
    map = (index as { weight_map?: unknown } | null)?.weight_map;
  } catch (error) {
    if (error instanceof PolybeamError) throw error;
    throw new PolybeamError('FILE_CORRUPT', `${path} is not valid JSON; copy or download it again.`, {
      cause: error,
    });
  }
  // File names only: an index must not reach outside its directory.
  const isName = (name: unknown) => typeof name === 'string' && /^[^/\\]+$/.test(name) && !/^\.+$/.test(name);
  if (typeof map !== 'object' || map === null || !Object.values(map).every(isName)) {
    throw new PolybeamError(
      'FILE_CORRUPT',
      `${path} has no weight_map of tensor names to file names; copy or download it again.`,
    );
  }
  return map as Record<string, string>;
}

/** Names that checkpoints converted from TensorFlow have, as transformers reads them. */
function modernNames(weights: ReadonlyMap<string, StoredWeight>): Map<string, StoredWeight> {
  const modern = (name: string) =>
    name.replace(/LayerNorm\.gamma$/, 'LayerNorm.weight').replace(/LayerNorm\.beta$/, 'LayerNorm.bias');
  return new Map([...weights].map(([name, weight]) => [modern(name), weight]));
}

/** A store over tensors whose places are known. */
export function weightStore(weights: ReadonlyMap<string, StoredWeight>): WeightStore {
  const packed = packedWeights(weights);
  const own = [...weights.keys()].filter((name) => !isScale(name, weights) && !isPart(name, packed));
  const names = [...new Set([...own, ...packed.keys()])];
  const bytes = async (name: string) => readBytes(weights.get(name)!);
  return {
    names: () => names,
    get: (name) => weights.get(name) ?? packed.get(name),
    bytes,
    read: async (name) => {
      const weight = weights.get(name) ?? packed.get(name);
      if (weight?.packed) return unpack(name, weight.packed, bytes);
      if (!weight) {
        throw new PolybeamError(
          'WEIGHT_MISSING',
          `The checkpoint has no weight ${name}; check that it belongs to this model.`,
        );
      }
      return toFloats(name, weight, weights);
    },
  };
}

/** Weights that are stored as products read them (`name:int8`, `name:int4` and their scales), by name. */
function packedWeights(weights: ReadonlyMap<string, StoredWeight>): Map<string, StoredWeight> {
  const packed = new Map<string, StoredWeight>();
  for (const [name, { shape, data, format }] of weights) {
    const found = /^(.+):(int8|int4)$/.exec(name);
    if (!found || !weights.has(name + scalesSuffix)) continue;
    const precision = found[2] as 'int8' | 'int4';
    const logical = precision === 'int8' ? [shape[1], shape[0]] : [shape[0], (shape[1] ?? 0) * int4BlockSize];
    packed.set(found[1], { format, shape: logical, data, packed: precision });
  }
  return packed;
}

/** Whether a tensor is the integers or scales of one of these. */
function isPart(name: string, packed: ReadonlyMap<string, StoredWeight>): boolean {
  const found = /^(.+):(int8|int4)(:scales)?$/.exec(name);
  return found !== null && packed.has(found[1]);
}

async function unpack(
  name: string,
  precision: 'int8' | 'int4',
  bytes: (name: string) => Promise<Uint8Array>,
): Promise<Float32Array> {
  const integers = integersName(name, precision);
  const values = await bytes(integers);
  const scales = asFloats(await bytes(integers + scalesSuffix));
  if (scales.length * (precision === 'int4' ? int4BlockSize / 2 : 1) > values.length) {
    throw new PolybeamError(
      'WEIGHT_SHAPE',
      `${integers}${scalesSuffix} has ${scales.length} scales for the ${values.length} bytes of ${integers}; convert the model again.`,
    );
  }
  return precision === 'int8' ? dequantizeInt8({ values, scales }) : dequantizeInt4({ values, scales });
}

function isScale(name: string, weights: ReadonlyMap<string, StoredWeight>): boolean {
  if (!name.endsWith(scaleSuffix)) return false;
  return weights.get(name.slice(0, -scaleSuffix.length))?.format === 'I8';
}

async function toFloats(
  name: string,
  weight: StoredWeight,
  weights: ReadonlyMap<string, StoredWeight>,
): Promise<Float32Array> {
  const bytes = await readBytes(weight);
  if (weight.format === 'F32') return asFloats(bytes);
  if (weight.format === 'F16') return halvesToFloats(bytes);
  if (weight.format === 'BF16') return bfloatsToFloats(bytes);
  if (weight.format === 'F64') return doublesToFloats(bytes);
  const scale = weights.get(name + scaleSuffix);
  if (weight.format === 'I8' && scale) {
    const [rows] = weight.shape;
    if (scale.format !== 'F32' || scale.shape.length !== 1 || scale.shape[0] !== rows) {
      throw new PolybeamError(
        'WEIGHT_SHAPE',
        `${name}${scaleSuffix} is ${scale.format} [${scale.shape.join(', ')}], but the ${rows} rows of ${name} need F32 [${rows}]; convert the model again.`,
      );
    }
    const values = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return dequantizeRows({ values, scales: asFloats(await readBytes(scale)) });
  }
  throw new PolybeamError(
    'WEIGHT_DTYPE',
    `The weight ${name} is stored as ${weight.format}${weight.format === 'I8' ? ' without scales' : ''}; weights can be F32, F16, BF16, F64, or I8 with scales.`,
  );
}
