import type { WeightStore } from '../engine/weights.js';
import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import type { Architecture, ModelDefinition } from './architectures/definition.js';
import { architectureOf } from './architectures/index.js';
import { modelDirectoryOf } from './bundledModels.js';
import type { RawConfig } from './config.js';
import { toHalves } from './halfWeights.js';
import { requireInside } from './insideDirectory.js';
import { isTensorflowBert, readModelDirectory } from './modelDirectory.js';
import { quantizeRows } from './numberFormats.js';
import { readBytes, scaleSuffix } from './openWeights.js';
import { packWeights } from './packedWeights.js';
import { type TensorToWrite, writeSafetensors } from './safetensors.js';
import { openTensorflowBert } from './tensorflowBert.js';
import { isSameTensor } from './tiedWeights.js';

/** Number formats a model can be saved in. */
export const weightPrecisions = ['float32', 'float16', 'int8', 'int4'] as const;

/**
 * How weights are stored. float32 and float16 are what Python transformers reads. int8 and int4 are polybeam's own:
 * the weights of products as `weightPrecision` makes them when it loads (`<name>:int8`, `<name>:int4`, with scales), other
 * matrices as I8 with one float32 scale a row (`<name>.scale`), all else float32.
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
 * Writes a model directory as transformers lays it out, each file atomically, the weights last: a directory with
 * weights is complete. Weights that repeat others (tied embeddings) or are computed (sinusoidal positions) are left
 * out. One tensor is held in memory at a time, and of int8 and int4 what has been rounded.
 * @throws FILE_WRITE; MODEL_TYPE_UNKNOWN; WEIGHT_DTYPE for weights that cannot be read; OPTION_INVALID where a weight
 * does not fit the precision
 */
export async function saveModel(
  directory: string,
  model: ModelToSave,
  precision: WeightPrecision = 'float32',
): Promise<void> {
  const architecture = architectureOf(model.config, `${directory}/config.json`);
  const names = await savedNames(architecture, model);
  const tensors: TensorToWrite[] = [];
  const packed =
    precision === 'int8' || precision === 'int4'
      ? packWeights(
          definitionOf(architecture, model, names, directory),
          renamed(model.weights, names),
          precision,
        )
      : undefined;
  const rounded = new Set(packed?.tensors.map(({ name }) => name.replace(/:.*$/, '')));
  for (const [name, source] of names) {
    // Eight bits serve look-ups as well as products; four would be few.
    if (rounded.has(name) && !(precision === 'int4' && packed!.alsoRead.has(name))) continue;
    tensors.push(...(await storedAs(precision, name, source, model.weights)));
  }
  tensors.push(...(packed?.tensors ?? []));
  for (const [name, content] of model.tokenizerFiles ?? []) {
    await fileAccess().writeAtomic(`${directory}/${name}`, [content]);
  }
  if (model.generationConfig) await writeJson(`${directory}/generation_config.json`, model.generationConfig);
  await writeJson(`${directory}/config.json`, configFor(precision, model.config));
  await writeSafetensors(`${directory}/model.safetensors`, tensors);
}

/** The model as its weights will be named. */
function definitionOf(
  architecture: Architecture,
  { config, weights }: ModelToSave,
  names: ReadonlyMap<string, string>,
  directory: string,
): ModelDefinition {
  // Only the names of weights are asked of it, so any ids will do.
  return architecture.define(config, renamed(weights, names), `${directory}/config.json`, { mask: 0 });
}

function renamed(weights: WeightStore, names: ReadonlyMap<string, string>): WeightStore {
  const source = (name: string) => names.get(name) ?? name;
  return {
    names: () => [...names.keys()],
    get: (name) => (names.has(name) ? weights.get(source(name)) : undefined),
    read: (name) => weights.read(source(name)),
  };
}

/** The name each weight is saved under, and the one it has now. */
async function savedNames(architecture: Architecture, model: ModelToSave): Promise<Map<string, string>> {
  const { config, weights } = model;
  const first = architecture.repeated?.(config) ?? {};
  const names = new Map<string, string>();
  for (const name of weights.names()) {
    if (architecture.computed?.includes(name)) continue;
    const target = first[name];
    if (target === undefined) names.set(name, name);
    else if (weights.get(target) === undefined) names.set(target, name);
    else if (!(await isSameTensor(weights.get(name)!, weights.get(target)!))) names.set(name, name);
  }
  return names;
}

const floatFormats = ['F32', 'F16', 'BF16', 'F64', 'I8'];

async function storedAs(
  precision: WeightPrecision,
  name: string,
  source: string,
  weights: WeightStore,
): Promise<TensorToWrite[]> {
  const stored = weights.get(source)!;
  const { format, shape } = stored;
  // Buffers such as position_ids are no weights: they are carried along.
  if (!floatFormats.includes(format) && !stored.packed)
    return [{ name, format, shape, data: () => readBytes(stored) }];
  const read = () => weights.read(source);
  if (precision === 'float16') {
    return [{ name, format: 'F16', shape, data: async () => toHalves(name, await read()) }];
  }
  if (precision === 'float32' || shape.length !== 2 || shape[0] < 2) {
    return [{ name, format: 'F32', shape, data: async () => bytesOf(await read()) }];
  }
  const quantize = async () => quantizeRows(await read(), shape[0]);
  const { scales } = await quantize();
  const row = scales.findIndex((scale) => !Number.isFinite(scale));
  if (row >= 0) throw unfit(name, `row ${row} is not finite`, 'int8', 'float32');
  return [
    { name, format: 'I8', shape, data: async () => bytesOf((await quantize()).values) },
    { name: name + scaleSuffix, format: 'F32', shape: [shape[0]], data: bytesOf(scales) },
  ];
}

function unfit(name: string, what: string, precision: WeightPrecision, remedy: string): PolybeamError {
  return new PolybeamError(
    'OPTION_INVALID',
    `weights ${precision} cannot hold ${name}: ${what}; use ${remedy}.`,
  );
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Int8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The number format as transformers names it; int8 is said where only polybeam looks. */
export function configFor(precision: WeightPrecision, config: RawConfig): RawConfig {
  const { polybeam, torch_dtype: _, ...rest } = config;
  const dtype = precision === 'float16' ? 'float16' : 'float32';
  const own: RawConfig = { ...(polybeam as RawConfig | undefined) };
  delete own.weights;
  if (precision === 'int8' || precision === 'int4') own.weights = precision;
  for (const side of ['encoder', 'decoder']) {
    const inner = rest[side] as RawConfig | undefined;
    if (inner?.dtype ?? inner?.torch_dtype) {
      const { torch_dtype: _, ...kept } = inner!;
      rest[side] = { ...kept, dtype };
    }
  }
  return { ...rest, dtype, ...(Object.keys(own).length > 0 ? { polybeam: own } : {}) };
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await fileAccess().writeAtomic(path, [new TextEncoder().encode(configText(value))]);
}

/** The text of a config.json or generation_config.json. */
export function configText(value: unknown): string {
  return `${JSON.stringify(value, null, 2).replace(wholeFraction, '$1.0')}\n`;
}

/** Settings that are fractions by their names: transformers 5 refuses some of them where they read `0`, not `0.0`. */
const wholeFraction =
  /^(\s*"\w*(?:drop|dropout|_rate|_prob|_std|_range|_eps|_epsilon|_factor)": -?\d+)(?=,?$)/gm;

/** Name of the shortlist that a model directory may carry; it is used where `--shortlist` names it. */
const shortlistFile = 'shortlist.safetensors';

/** Files that hold weights, here or for other programs. */
const weightFiles = /\.(safetensors|bin|pt|pth|ckpt|onnx|h5|msgpack|ot|gguf)$|\.index\.json$/;

/**
 * Copies a model directory with its weights in another number format. Shards and pytorch_model.bin become one
 * model.safetensors; all other files (tokenizer, model card) are copied. A BERT checkpoint of Google's TensorFlow code becomes a
 * `bert` directory.
 * @throws what reading a model directory and `saveModel` throw; OPTION_CONFLICT where both directories are the same; INPUT_INVALID
 * for a file that would be copied and is a link to somewhere outside of the directory
 */
export async function convertModel(given: string, to: string, precision: WeightPrecision): Promise<void> {
  const from = await modelDirectoryOf(given);
  if (from.replace(/\/+$/, '') === to.replace(/\/+$/, '')) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `The model ${from} cannot be converted onto itself; name another output.`,
    );
  }
  if (await isTensorflowBert(from)) return saveModel(to, await openTensorflowBert(from), precision);
  const files = fileAccess();
  for (const name of ['config.json', 'generation_config.json']) await requireInside(from, name);
  const { config, generationConfig, weights } = await readModelDirectory(from);
  const tokenizerFiles = new Map<string, Uint8Array>();
  for (const name of await files.list(from)) {
    const path = `${from}/${name}`;
    const isConfig = name === 'config.json' || name === 'generation_config.json';
    const isWeights = weightFiles.test(name) && name !== shortlistFile;
    if (isConfig || isWeights || (await files.size(path)) === undefined) continue;
    await requireInside(from, name);
    tokenizerFiles.set(name, await files.read(path));
  }
  await saveModel(to, { config, generationConfig, weights, tokenizerFiles }, precision);
}
