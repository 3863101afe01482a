import { readsSource } from '../decoder/encoderDecoder.js';
import { createScorer } from '../decoder/scorer.js';
import { createStepModel } from '../decoder/stepModel.js';
import { compile } from '../engine/compile.js';
import type { CompileOptions, Device, Program } from '../engine/program.js';
import { createPrograms } from '../engine/programs.js';
import type { WeightPrecision } from '../engine/quantize.js';
import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import {
  type ModelGeneration,
  readGenerationConfig,
  withinVocabulary,
} from '../generation/generationConfig.js';
import { describeValue, requireIntegerOption, requireOptionNames, requireText } from '../inputs.js';
import { refuseLfsPointer } from '../lfsPointer.js';
import { loadTokenizer } from '../text/loadTokenizer.js';
import type { Tokenizer } from '../text/tokenizer.js';
import type { ModelDefinition } from './architectures/definition.js';
import { modelDirectoryOf } from './bundledModels.js';
import { halfWeights } from './halfWeights.js';
import { readLanguages } from './languages.js';
import { createLifetime } from './lifetime.js';
import { type Model, makeModel } from './model.js';
import {
  generationSettingsOf,
  type ModelDirectory,
  readModelDirectory,
  readTruncation,
} from './modelDirectory.js';
import type { ModelParts } from './modelParts.js';
import { packedPrecision, withPackedWeights } from './packedWeights.js';
import { fitTokenizer } from './tokenizerFit.js';

export interface LoadOptions {
  /** Default 'cpu'. */
  device?: Device;
  /** Threads on the CPU; default all cores. */
  threads?: number;
  /**
   * Numbers that matrix products read weights as, int8 and int4 on the CPU only; 'float16' rounds all weights and computes in
   * float32, as with a model that is stored so, on any device. Default: on the CPU as `polybeam convert` stored them, int8
   * or int4; otherwise 'float32', as exact as the checkpoint.
   */
  weightPrecision?: WeightPrecision | 'float16';
  /**
   * Keep weights that are rounded to int8 or int4 while loading in `.polybeam/` below the directory, so that the next load
   * maps them; a file of weights that changes is rounded anew. A directory in Hugging Face's cache, or one that cannot be
   * written to, has them in the user's cache (`${XDG_CACHE_HOME:-~/.cache}/polybeam`). No error where nothing can be
   * written. Default true.
   */
  cache?: boolean;
  /** Told what was cut or replaced in inputs; default: nobody. */
  onWarning?: (message: string) => void;
}

/** The options of `LoadOptions`. */
export const loadOptionNames = ['device', 'threads', 'weightPrecision', 'cache', 'onWarning'] as const;

const precisions = ['float32', 'float16', 'int8', 'int4'];

/** @throws OPTION_UNKNOWN, OPTION_INVALID; INPUT_INVALID for what is no object */
function checkLoadOptions(options: LoadOptions): void {
  requireOptionNames(options, loadOptionNames, 'loadModel');
  const { device, threads, weightPrecision, cache, onWarning } = options;
  requireIntegerOption('threads', threads, 1);
  const wrong = (
    [
      ['device', device, typeof device === 'string', 'the name of a device, such as cpu'],
      [
        'weightPrecision',
        weightPrecision,
        precisions.includes(String(weightPrecision)),
        `one of ${precisions.join(', ')}`,
      ],
      ['cache', cache, typeof cache === 'boolean', 'true or false'],
      ['onWarning', onWarning, typeof onWarning === 'function', 'a function'],
    ] as const
  ).find(([, value, fits]) => value !== undefined && !fits);
  if (!wrong) return;
  throw new PolybeamError(
    'OPTION_INVALID',
    `Option ${wrong[0]} cannot be ${describeValue(wrong[1])}: give ${wrong[3]}.`,
  );
}

/**
 * Loads a model directory as Hugging Face lays it out: config.json, generation_config.json, weights, tokenizer files
 * (which are not needed where only ids are given). Float32 weights are mapped from their file, not read; programs are
 * compiled when they are first used.
 *
 * @param directory its path; in Node the name of a model that polybeam brings will do, 'en-fr-software' for example, where no
 *   directory of that name is there
 * @throws FILE_NOT_FOUND, FILE_CORRUPT, CONFIG_INVALID, MODEL_TYPE_UNKNOWN, TOKENIZER_INVALID; and with the first use
 * WEIGHT_MISSING, WEIGHT_SHAPE
 */
export async function loadModel(directory: string, options: LoadOptions = {}): Promise<Model> {
  return makeModel(await loadParts(directory, options));
}

/** What `loadModel` puts together. */
export async function loadParts(given: string, options: LoadOptions = {}): Promise<ModelParts> {
  requireText(given, 'directory');
  checkLoadOptions(options);
  const directory = await modelDirectoryOf(given);
  const found = await readModelDirectory(directory, options.onWarning);
  const { config, weights } = found;
  const ownTokenizer = await tokenizerOf(directory);
  const path = `${directory}/config.json`;
  const definition = found.architecture.define(config, weights, path, ownTokenizer?.specialIds ?? {});
  const tokenizer = ownTokenizer && (await fitTokenizer(ownTokenizer, definition, directory));
  const { device = 'cpu', cache = true } = options;
  const { weightPrecision = (device === 'cpu' && packedPrecision(weights)) || 'float32' } = options;
  const isFloat = weightPrecision === 'float32' || weightPrecision === 'float16';
  const packs = cache && device === 'cpu' && !isFloat;
  const compileOptions: CompileOptions = {
    device,
    weights: packs
      ? await withPackedWeights(directory, definition, weights, weightPrecision)
      : weightPrecision === 'float16'
        ? halfWeights(weights)
        : weights,
    weightPrecision: isFloat ? 'float32' : weightPrecision,
    ...(options.threads === undefined ? {} : { threads: options.threads }),
  };
  const steps = definition.decoder && createStepModel(definition.decoder, compileOptions);
  const scorer = definition.decoder && createScorer(definition.decoder, compileOptions);
  const { get, release } = createPrograms();
  const releases = [release, steps?.release, scorer?.release].filter((one) => one !== undefined);
  return {
    directory,
    config,
    tokenizer,
    languages: readLanguages(config, tokenizer, found.architecture, path),
    generation: steps &&
      scorer && {
        steps,
        scorer,
        ...readGeneration(directory, found, definition),
      },
    forwardProgram: () => get('forward', () => compileForward(definition, compileOptions)),
    statesProgram: () => get('states', () => compileForward(statesOnly(definition), compileOptions)),
    followsSource: definition.prefix !== undefined,
    idCounts: definition.idCounts,
    maxSource: Math.min(definition.maxSource, tokenizer?.modelMaxLength ?? Number.POSITIVE_INFINITY),
    truncation: readTruncation(config, `${directory}/config.json`),
    onWarning: options.onWarning ?? (() => {}),
    ...createLifetime(releases),
  };
}

/** The same without logits, which cost most where there are many tokens, as long as anything else is computed. */
function statesOnly({ forward }: ModelDefinition): Pick<ModelDefinition, 'forward'> {
  const run: ModelDefinition['forward']['run'] = (p, inputs) => {
    const { logits, ...states } = forward.run(p, inputs);
    return Object.keys(states).length > 0 ? states : { logits };
  };
  return { forward: { ...forward, run } };
}

function compileForward(
  { forward }: Pick<ModelDefinition, 'forward'>,
  options: CompileOptions,
): Promise<Program> {
  return compile((inputs, p) => forward.run(p, inputs), forward.signature, options);
}

/** The tokenizer of a model directory; undefined where it has none. @throws TOKENIZER_INVALID */
export async function tokenizerOf(directory: string): Promise<Tokenizer | undefined> {
  try {
    return await loadTokenizer(directory);
  } catch (error) {
    if (error instanceof PolybeamError && error.code === 'TOKENIZER_MISSING') return undefined;
    await refusePointers(directory);
    throw error;
  }
}

const tokenizerFile = /^(tokenizer.*\.json|(vocab|target_vocab)\.json|vocab\.txt|.*\.(model|spm))$/;

/** Says of a tokenizer that cannot be read that a file of it was never fetched. @throws FILE_CORRUPT */
async function refusePointers(directory: string): Promise<void> {
  for (const name of await fileAccess().list(directory))
    if (tokenizerFile.test(name)) await refuseLfsPointer(`${directory}/${name}`);
}

/** The rules and default options that a model directory generates with. @throws CONFIG_INVALID */
export function readGeneration(
  directory: string,
  { config, generationConfig }: Pick<ModelDirectory, 'config' | 'generationConfig'>,
  { decoder, generation }: ModelDefinition,
): ModelGeneration {
  const rules = { startToken: decoder !== undefined && readsSource(decoder) };
  const [given, file] = generationConfig
    ? [generationConfig, 'generation_config.json']
    : [generationSettingsOf(config), 'config.json'];
  const said = Object.entries(given).filter(([, value]) => value !== null);
  const path = `${directory}/${file}`;
  const read = readGenerationConfig({ ...generation, ...Object.fromEntries(said) }, path, rules);
  if (!decoder) return read;
  requirePadding(
    read.rules.padTokenId,
    decoder.vocabSize,
    given.pad_token_id == null ? `${directory}/config.json` : path,
  );
  return withinVocabulary(read, decoder.vocabSize, path);
}

/** @throws CONFIG_INVALID for padding that is none of the model's tokens: a lookup would go beyond its table */
function requirePadding(id: number, vocabSize: number, path: string): void {
  if (id < vocabSize) return;
  throw new PolybeamError(
    'CONFIG_INVALID',
    `${path}: pad_token_id (or what stands in for it) is ${id}, but the model has the tokens 0 to ${vocabSize - 1}; correct it.`,
  );
}
