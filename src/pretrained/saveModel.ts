import type { WeightStore } from '../engine/weights.js';
import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import type { RawConfig } from './config.js';
import { floatsToHalves, quantizeRows } from './numberFormats.js';
import { openWeights, scaleSuffix } from './openWeights.js';
import { type TensorToWrite, writeSafetensors } from './safetensors.js';

/** Number formats a model can be saved in. */
export const weightPrecisions = ['float32', 'float16', 'int8'] as const;

/**
 * How weights are stored. float32 and float16 are what Python transformers reads. int8 is polybeam's own: matrices as
 * I8 with one float32 scale a row (`<name>.scale`), all else float32; it is computed with in float32.
 */
export type WeightPrecision = (typeof weightPrecisions)[number];

/** A model directory to be written. */
export interface ModelToSave {
  config: RawConfig;
  /** Where the model generates. */
  generationConfig?: RawConfig;
  weights: WeightStore;
  /** tokenizer.json and what else belongs to the tokenizer, by name. */
  tokenizerFiles?: ReadonlyMap<string, Uint8Array>;
}

/**
 * Writes a model directory, each file atomically, the weights last: a directory with weights is complete.
 * @throws FILE_WRITE; WEIGHT_DTYPE for weights that cannot be read
 */
export async function saveModel(
  directory: string,
  model: ModelToSave,
  precision: WeightPrecision = 'float32',
): Promise<void> {
  const tensors: TensorToWrite[] = [];
  for (const name of model.weights.names()) {
    const shape = model.weights.get(name)!.shape;
    tensors.push(...storedAs(precision, name, shape, await model.weights.read(name)));
  }
  for (const [name, content] of model.tokenizerFiles ?? []) {
    await fileAccess().writeAtomic(`${directory}/${name}`, [content]);
  }
  if (model.generationConfig) await writeJson(`${directory}/generation_config.json`, model.generationConfig);
  await writeJson(`${directory}/config.json`, configFor(precision, model.config));
  await writeSafetensors(`${directory}/model.safetensors`, tensors);
}

function storedAs(
  precision: WeightPrecision,
  name: string,
  shape: readonly number[],
  data: Float32Array,
): TensorToWrite[] {
  if (precision === 'float16') return [{ name, format: 'F16', shape, data: floatsToHalves(data) }];
  if (precision === 'int8' && shape.length === 2 && shape[0] > 1) {
    const { values, scales } = quantizeRows(data, shape[0]);
    return [
      { name, format: 'I8', shape, data: bytesOf(values) },
      { name: name + scaleSuffix, format: 'F32', shape: [shape[0]], data: bytesOf(scales) },
    ];
  }
  return [{ name, format: 'F32', shape, data: bytesOf(data) }];
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Int8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The number format as transformers names it; int8 is said where only polybeam looks. */
function configFor(precision: WeightPrecision, config: RawConfig): RawConfig {
  const { polybeam, torch_dtype: _, dtype: __, ...rest } = config;
  const own: RawConfig = { ...(polybeam as RawConfig | undefined) };
  delete own.weights;
  if (precision === 'int8') own.weights = 'int8';
  return {
    ...rest,
    dtype: precision === 'float16' ? 'float16' : 'float32',
    ...(Object.keys(own).length > 0 ? { polybeam: own } : {}),
  };
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await fileAccess().writeAtomic(path, [new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)]);
}

/** Files of a model directory that are neither weights nor this program's business. */
const weightFiles = /\.(safetensors|bin|pt|onnx|h5|msgpack)$|\.index\.json$/;

/**
 * Copies a model directory with its weights in another number format. Shards become one file.
 * @throws what reading a model directory throws; OPTION_CONFLICT where both directories are the same; FILE_WRITE
 */
export async function convertModel(from: string, to: string, precision: WeightPrecision): Promise<void> {
  if (from.replace(/\/+$/, '') === to.replace(/\/+$/, '')) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `The model ${from} cannot be converted onto itself; name another output.`,
    );
  }
  const files = fileAccess();
  const weights = await openWeights(from);
  const json = async (name: string) =>
    JSON.parse(new TextDecoder().decode(await files.read(`${from}/${name}`))) as RawConfig;
  const names = await files.list(from);
  const tokenizerFiles = new Map<string, Uint8Array>();
  for (const name of names) {
    const path = `${from}/${name}`;
    const isConfig = name === 'config.json' || name === 'generation_config.json';
    if (isConfig || weightFiles.test(name) || (await files.size(path)) === undefined) continue;
    tokenizerFiles.set(name, await files.read(path));
  }
  const generationConfig = names.includes('generation_config.json')
    ? await json('generation_config.json')
    : undefined;
  await saveModel(
    to,
    { config: await json('config.json'), generationConfig, weights, tokenizerFiles },
    precision,
  );
}
