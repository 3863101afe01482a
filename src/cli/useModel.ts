import type { Command } from 'commander';
import { z } from 'zod';
import type { EnsembleOptions } from '../decoder/ensemble.js';
import type { Device } from '../engine/program.js';
import { PolybeamError } from '../errors.js';
import { type GenerationOptions, generationOptionsSchema } from '../generation/options.js';
import type { LoadOptions } from '../pretrained/loadModel.js';
import type { Model } from '../pretrained/model.js';
import { addSchemaFlags, requireFlag, schemaValues } from './flags.js';
import { requireDeviceOf } from './requireDevice.js';
import { type CommandStreams, warn } from './streams.js';

/** How any command that runs a model does so. */
const runOptionsSchema = z.strictObject({
  model: z.string().min(1).optional().describe('Model directory in the layout of Hugging Face.'),
  ensemble: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe(
      'JSON list of further model directories with the same vocabulary, which decode together with the first.',
    ),
  ensembleWeights: z
    .array(z.number().gt(0))
    .optional()
    .describe(
      'JSON list of a weight for each member of the ensemble, the first model included. Default: equal.',
    ),
  ensembleCombine: z
    .enum(['linear', 'logLinear'])
    .optional()
    .describe('Mean of probabilities, or of log-probabilities. Default: linear.'),
  batchSize: z
    .int()
    .min(1)
    .default(16)
    .describe('Maximum number of inputs decoded together; with --max-batch-tokens the default is no limit.'),
  maxBatchTokens: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Maximum number of source tokens decoded together: inputs x length of the longest. A longer input is decoded alone.',
    ),
  device: z.string().default('cpu').describe('Device to compute on; polybeam doctor lists the devices.'),
  weightPrecision: z
    .enum(['float32', 'float16', 'int8', 'int4'])
    .optional()
    .describe(
      'Number format of the weights in matrix products on the CPU: int8 and int4 are faster and rounded; float16 is rounded but computed as float32, on any device. Default: as polybeam convert stored them, otherwise float32.',
    ),
  cache: z
    .boolean()
    .default(true)
    .describe('Keep weights that are rounded while loading in .polybeam in the model directory.'),
  threads: z.int().min(1).optional().describe('Threads on the CPU. Default: one for each core.'),
});

/** Flags of `addModelFlags` and of the generation options, as commander gives them. */
export type ModelFlags = z.input<typeof runOptionsSchema> & Record<string, unknown>;

/** Default of `--batch-size`. */
export const defaultBatchSize = runOptionsSchema.shape.batchSize.parse(undefined);

/** Gives a command the flags that name a model and say how to run it. */
export function addModelFlags(command: Command, skip: readonly string[] = []): Command {
  return addSchemaFlags(command, runOptionsSchema, skip);
}

/** Gives a command the flags of the generation options. */
export function addGenerationFlags(command: Command, skip: readonly string[] = []): Command {
  command.option(
    '--shortlist <file>',
    'restrict outputs to the tokens of a shortlist, as polybeam shortlist writes it',
  );
  command.option(
    '--assistant-model <directory>',
    'directory of a smaller model with the same vocabulary that drafts tokens; changes only the speed',
  );
  return addSchemaFlags(command, generationOptionsSchema, skip);
}

/**
 * Loads the model that the flags name, calls with it, and frees it. The library is imported here, so that help and
 * refusals do not wait for it.
 *
 * @param use given the model, and with --assistant-model the one that drafts
 * @param preset directory of the model where the flags name none; without it --model must be given
 */
export async function useModel<T>(
  flags: ModelFlags,
  streams: CommandStreams,
  use: (model: Model, assistant?: Model) => Promise<T>,
  preset?: string,
): Promise<T> {
  const directory = requireFlag(flags.model ?? preset, '--model');
  await import('../node/install.js');
  const given = schemaValues(runOptionsSchema, flags);
  const { ensemble, ensembleWeights: weights, ensembleCombine: combine } = given;
  if (!ensemble && (weights || combine)) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `${weights ? '--ensemble-weights' : '--ensemble-combine'} has no effect without --ensemble; give it model directories.`,
    );
  }
  await requireDeviceOf(given);
  const load = {
    device: given.device as Device | undefined,
    threads: given.threads,
    weightPrecision: given.weightPrecision,
    cache: given.cache,
    onWarning: (message: string) => warn(streams, message),
  };
  const loadOne = async (path: string) => (await import('../pretrained/loadModel.js')).loadModel(path, load);
  const model = ensemble
    ? await loadTogether([directory, ...ensemble], { ...load, weights, combine })
    : await loadOne(directory);
  let assistant: Model | undefined;
  try {
    if (flags.assistantModel !== undefined) assistant = await loadOne(String(flags.assistantModel));
    return await use(model, assistant);
  } finally {
    await assistant?.dispose();
    await model.dispose();
  }
}

/** The generation options among the flags but those that name files: see `withFiles` and `useModel`. */
export function generationFlags({ shortlist: _, assistantModel: __, ...flags }: ModelFlags) {
  return schemaValues(generationOptionsSchema, flags);
}

/**
 * The options with the shortlist that `--shortlist` names, and the assistant that `useModel` has loaded.
 *
 * @throws PolybeamError FILE_NOT_FOUND, FILE_CORRUPT
 */
export async function withFiles(
  options: GenerationOptions,
  { shortlist: path }: ModelFlags,
  assistantModel?: Model,
): Promise<GenerationOptions> {
  const given = assistantModel ? { ...options, assistantModel } : options;
  if (path === undefined) return given;
  const { loadShortlist } = await import('../pretrained/shortlistFile.js');
  return { ...given, shortlist: await loadShortlist(String(path)) };
}

/** As a model: `forward`, which an ensemble lacks, is no command that takes one. */
async function loadTogether(
  directories: readonly string[],
  options: LoadOptions & EnsembleOptions,
): Promise<Model> {
  const { loadEnsemble } = await import('../pretrained/loadEnsemble.js');
  return (await loadEnsemble(directories, options)) as Model;
}
