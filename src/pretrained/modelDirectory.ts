import type { WeightStore } from '../engine/weights.js';
import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import { refuseLfsPointer } from '../lfsPointer.js';
import { printableLine } from '../printable.js';
import { parseJson } from '../shallowJson.js';
import type { TruncationRule } from '../text/truncation.js';
import type { Architecture } from './architectures/definition.js';
import { architectureOf } from './architectures/index.js';
import { type RawConfig, readConfig, truncationSchema } from './config.js';
import { openWeights } from './openWeights.js';

/** What a model directory holds beside its tokenizer, each file checked to be of its kind. */
export interface ModelDirectory {
  config: RawConfig;
  architecture: Architecture;
  /** generation_config.json as it is; undefined where there is none. */
  generationConfig?: RawConfig;
  /** Headers are read, tensors are not. */
  weights: WeightStore;
}

/**
 * Reads a directory as Hugging Face lays it out.
 * @param onWarning is called where weights differ that config.json ties
 * @throws FILE_NOT_FOUND, FILE_CORRUPT, MODEL_TYPE_UNKNOWN, WEIGHT_DTYPE
 */
export async function readModelDirectory(
  directory: string,
  onWarning?: (message: string) => void,
): Promise<ModelDirectory> {
  const path = `${directory}/config.json`;
  if (await isTensorflowBert(directory)) throw unconverted(directory);
  await requireDirectory(directory, path);
  const config = await readJson(path);
  requireFewLayers(config, mostLayers, `no model has more than ${mostLayers}`, path);
  const architecture = architectureOf(config, path);
  const generationPath = `${directory}/generation_config.json`;
  // T5 saves a head of its own although transformers ties it: config.json says so.
  const warnOfTied = config.tie_word_embeddings === false ? undefined : onWarning;
  const weights = await openWeights(directory, architecture.repeated?.(config), warnOfTied);
  const count = weights.names().length;
  requireFewLayers(config, count, `there are ${count} weights in all`, path);
  const hasGeneration = (await fileAccess().size(generationPath)) !== undefined;
  return {
    config,
    architecture,
    ...(hasGeneration ? { generationConfig: await readJson(generationPath) } : {}),
    weights,
  };
}

/** @throws FILE_NOT_FOUND where there is no such directory; a model of a hub is often named in its place */
async function requireDirectory(directory: string, path: string): Promise<void> {
  if ((await fileAccess().size(path)) !== undefined || (await fileAccess().list(directory)).length > 0)
    return;
  throw new PolybeamError(
    'FILE_NOT_FOUND',
    `${path} does not exist: give a model directory, such as the snapshot that \`hf download\` prints, since nothing is downloaded, or the name of a model that polybeam brings, such as en-fr-software.`,
  );
}

/** Of any model there is, many times over: names of weights are made for each before the weights are looked at. */
const mostLayers = 10_000;

const layerCount = /^(num_|n_)?(hidden_|encoder_|decoder_)?layers?$/;

/** Every layer has weights, so that no more is made of a wrong number than there is in the checkpoint. @throws CONFIG_INVALID */
function requireFewLayers(config: RawConfig, most: number, reason: string, path: string): void {
  for (const [key, value] of Object.entries(config)) {
    if (layerCount.test(key) && typeof value === 'number' && value > most) {
      throw new PolybeamError('CONFIG_INVALID', `${path}: ${key} is ${value}, but ${reason}; correct it.`);
    }
    const isSide = (key === 'encoder' || key === 'decoder') && typeof value === 'object' && value !== null;
    if (isSide) requireFewLayers(value as RawConfig, most, reason, `${path} (${key})`);
  }
}

/** The configuration beside a BERT checkpoint of Google's TensorFlow code. */
export const tensorflowBertConfig = 'bert_config.json';

/** Whether a directory holds a BERT checkpoint of Google's code and is no model directory already. */
export async function isTensorflowBert(directory: string): Promise<boolean> {
  const has = async (name: string) => (await fileAccess().size(`${directory}/${name}`)) !== undefined;
  return !(await has('config.json')) && (await has(tensorflowBertConfig));
}

function unconverted(directory: string): PolybeamError {
  return new PolybeamError(
    'FILE_NOT_FOUND',
    `${directory} has no config.json: it is a TensorFlow checkpoint of BERT, of which \`polybeam convert ${directory} OUT\` makes a model directory.`,
  );
}

/**
 * The decoding settings that checkpoints older than generation_config.json keep in config.json: its own, then those of
 * its decoder (transformers' `GenerationConfig.from_model_config`).
 */
export function generationSettingsOf(config: RawConfig): RawConfig {
  const own = Object.entries(config).filter(([, value]) => value !== null);
  const settings = { ...(config.decoder as RawConfig | undefined), ...Object.fromEntries(own) };
  // How old BART models say that a text begins with its start token.
  if (config.force_bos_token_to_be_generated !== true || settings.bos_token_id === undefined) return settings;
  return { ...settings, forced_bos_token_id: settings.bos_token_id };
}

/** What stays of texts that are too long, where config.json says it. @throws CONFIG_INVALID */
export function readTruncation(config: RawConfig, path: string): TruncationRule | undefined {
  const rule = (config.polybeam as RawConfig | undefined)?.truncation;
  return rule === undefined ? undefined : readConfig(truncationSchema, rule, `${path}: polybeam.truncation`);
}

/** Bytes of a JSON file that polybeam reads, at most. */
const largestJson = 2 ** 27;

/** A JSON file that holds an object. Throws FILE_NOT_FOUND, FILE_CORRUPT. */
export async function readJson(path: string): Promise<RawConfig> {
  const size = await fileAccess().size(path);
  if (size === undefined || size > largestJson) {
    const [, directory, name] = /^(.*)\/([^/]*)$/.exec(path) ?? ['', '.', path];
    const isThere = (await fileAccess().list(directory)).includes(name);
    const reason =
      size !== undefined
        ? `has ${size} bytes, more than any such file`
        : isThere
          ? 'is no file'
          : 'does not exist';
    throw new PolybeamError('FILE_NOT_FOUND', `${path} ${reason}; check the path.`);
  }
  await refuseLfsPointer(path);
  const text = new TextDecoder().decode(await fileAccess().read(path));
  try {
    const value = parseJson(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as RawConfig;
  } catch (error) {
    throw new PolybeamError(
      'FILE_CORRUPT',
      `${path} is not valid JSON (${printableLine((error as Error).message)}); repair or replace it.`,
      { cause: error },
    );
  }
  throw new PolybeamError('FILE_CORRUPT', `${path} does not hold a JSON object; repair or replace it.`);
}
