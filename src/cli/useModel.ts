import type { Command } from 'commander';
import { z } from 'zod';
import type { Device } from '../engine/program.js';
import { generationOptionsSchema } from '../generation/options.js';
import type { Model } from '../pretrained/model.js';
import { addSchemaFlags, requireFlag, schemaValues } from './flags.js';
import { type CommandStreams, warn } from './streams.js';

/** How any command that runs a model does so. */
const runOptionsSchema = z.strictObject({
  model: z.string().min(1).optional().describe('Model directory, as Hugging Face lays it out.'),
  batchSize: z.int().min(1).default(16).describe('Inputs decoded together, at most.'),
  device: z.string().default('cpu').describe('Where to compute; polybeam doctor lists what there is.'),
  weightPrecision: z
    .enum(['float32', 'int8', 'int4'])
    .default('float32')
    .describe('Numbers that products read weights as, on the CPU: int8 and int4 are faster and rounded.'),
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
  return addSchemaFlags(command, generationOptionsSchema, skip);
}

/**
 * Loads the model that the flags name, calls with it, and frees it. The library is imported here, so that help and
 * refusals do not wait for it.
 *
 * @param preset directory of the model where the flags name none; without it --model must be given
 */
export async function useModel<T>(
  flags: ModelFlags,
  streams: CommandStreams,
  use: (model: Model) => Promise<T>,
  preset?: string,
): Promise<T> {
  const directory = requireFlag(flags.model ?? preset, '--model');
  await import('../node/install.js');
  const { loadModel } = await import('../pretrained/loadModel.js');
  const { device, threads, weightPrecision } = schemaValues(runOptionsSchema, flags);
  const model = await loadModel(directory, {
    device: device as Device | undefined,
    threads,
    weightPrecision,
    onWarning: (message) => warn(streams, message),
  });
  try {
    return await use(model);
  } finally {
    await model.dispose();
  }
}

/** The generation options among the flags. */
export function generationFlags(flags: ModelFlags) {
  return schemaValues(generationOptionsSchema, flags);
}
