import { createStepModel, type SequenceModel } from '../decoder/stepModel.js';
import { compile } from '../engine/compile.js';
import type { CompileOptions, Device, Program } from '../engine/program.js';
import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import { readGenerationConfig } from '../generation/generationConfig.js';
import { loadTokenizer } from '../text/loadTokenizer.js';
import type { Tokenizer } from '../text/tokenizer.js';
import type { ModelDefinition } from './architectures/definition.js';
import { architectureOf } from './architectures/index.js';
import type { RawConfig } from './config.js';
import { readLanguages } from './languages.js';
import { type Model, makeModel } from './model.js';
import { openWeights } from './openWeights.js';

export interface LoadOptions {
  /** Default 'cpu'. */
  device?: Device;
  /** Threads on the CPU; default all cores. */
  threads?: number;
  /** Told what was cut or replaced in inputs; default: nobody. */
  onWarning?: (message: string) => void;
}

/**
 * Loads a model directory as Hugging Face lays it out: config.json, generation_config.json, weights, tokenizer files
 * (which are not needed where only ids are given). Float32 weights are mapped from their file, not read; programs are
 * compiled when they are first used.
 * @throws FILE_NOT_FOUND, FILE_CORRUPT, CONFIG_INVALID, MODEL_TYPE_UNKNOWN, TOKENIZER_INVALID; and with the first use
 * WEIGHT_MISSING, WEIGHT_SHAPE
 */
export async function loadModel(directory: string, options: LoadOptions = {}): Promise<Model> {
  const path = `${directory}/config.json`;
  const config = await readJson(path);
  const architecture = architectureOf(config, path);
  const weights = await openWeights(directory);
  const definition = architecture.define(config, weights, path);
  const tokenizer = await tokenizerOf(directory);
  const compileOptions: CompileOptions = {
    device: options.device,
    weights,
    ...(options.threads === undefined ? {} : { threads: options.threads }),
  };
  const steps = definition.encoderDecoder && createStepModel(definition.encoderDecoder, compileOptions);
  const forwardProgram = lazyForward(definition, compileOptions);
  return makeModel({
    directory,
    config,
    tokenizer,
    languages: readLanguages(config, tokenizer),
    generation: steps && { steps, ...(await readGeneration(directory, config)) },
    forwardProgram,
    maxSource: Math.min(definition.maxSource, tokenizer?.modelMaxLength ?? Number.POSITIVE_INFINITY),
    onWarning: options.onWarning ?? (() => {}),
    dispose: () => disposeAll(steps, forwardProgram),
  });
}

function lazyForward(
  definition: ModelDefinition,
  options: CompileOptions,
): (() => Promise<Program>) & { made?: Promise<Program> } {
  const get: (() => Promise<Program>) & { made?: Promise<Program> } = () => {
    get.made ??= compile(
      (inputs, p) => definition.forward.run(p, inputs),
      definition.forward.signature,
      options,
    );
    return get.made;
  };
  return get;
}

async function disposeAll(
  steps: SequenceModel | undefined,
  forward: { made?: Promise<Program> },
): Promise<void> {
  await steps?.release();
  await (await forward.made)?.dispose();
}

async function tokenizerOf(directory: string): Promise<Tokenizer | undefined> {
  try {
    return await loadTokenizer(directory);
  } catch (error) {
    if (error instanceof PolybeamError && error.code === 'TOKENIZER_MISSING') return undefined;
    throw error;
  }
}

/** generation_config.json; for checkpoints older than it, the same keys of config.json. */
async function readGeneration(directory: string, config: RawConfig) {
  const path = `${directory}/generation_config.json`;
  if ((await fileAccess().size(path)) === undefined)
    return readGenerationConfig(config, `${directory}/config.json`);
  return readGenerationConfig(await readJson(path), path);
}

/** A JSON file that holds an object. */
async function readJson(path: string): Promise<RawConfig> {
  const text = new TextDecoder().decode(await fileAccess().read(path));
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as RawConfig;
  } catch (error) {
    throw new PolybeamError(
      'FILE_CORRUPT',
      `${path} is not valid JSON (${(error as Error).message}); repair or replace it.`,
      { cause: error },
    );
  }
  throw new PolybeamError('FILE_CORRUPT', `${path} does not hold a JSON object; repair or replace it.`);
}
