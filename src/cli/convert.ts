import { resolve } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { PolybeamError } from '../errors.js';
import type { WeightPrecision } from '../pretrained/saveModel.js';
import { addSchemaFlags, requireFlag } from './flags.js';
import type { CommandStreams } from './streams.js';

const precisions = ['float32', 'float16', 'int8', 'int4'] as const satisfies readonly WeightPrecision[];

const optionsSchema = z.strictObject({
  model: z.string().min(1).optional().describe('Model directory to read.'),
  output: z.string().min(1).optional().describe('Directory to write the converted model into.'),
  weights: z
    .enum(precisions)
    .optional()
    .describe(
      'Number format of the weights; int8 and int4 are read by polybeam only, which then computes with them.',
    ),
});

/** `polybeam convert`: copies a model directory with its weights in another number format. */
export function convertCommand(streams: CommandStreams = process): Command {
  const command = new Command('convert')
    .description('Copy a model directory with its weights in another number format; shards become one file.')
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam convert --model runs/en-fr/model --weights int8 --output models/en-fr
  $ polybeam convert --model opus-mt-en-de --weights float16 --output opus-mt-en-de-half`,
    );
  addSchemaFlags(command, optionsSchema);
  return command.action((flags: z.output<typeof optionsSchema>) => convert(flags, streams));
}

async function convert(flags: z.output<typeof optionsSchema>, streams: CommandStreams): Promise<void> {
  const model = requireFlag(flags.model, '--model');
  const weights: WeightPrecision = requireFlag(flags.weights, '--weights');
  const output = requireFlag(flags.output, '--output');
  if (resolve(model) === resolve(output)) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `--output ${output} is the model itself: name another directory.`,
    );
  }
  const { convertModel } = await import('../pretrained/saveModel.js');
  await convertModel(model, output, weights);
  streams.stdout.write(`${output}/model.safetensors: ${weights}\n`);
}
