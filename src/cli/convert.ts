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
      'Number format of the weights. Only polybeam reads int8 and int4, and it computes with them. Required, except for TensorFlow checkpoints, which become float32.',
    ),
});

/** `polybeam convert`: copies a model directory with its weights in another number format. */
export function convertCommand(streams: CommandStreams = process): Command {
  const command = new Command('convert')
    .description(
      "Copy a model directory with its weights in another number format; shards become one file. A BERT checkpoint of Google's TensorFlow code (bert_config.json, bert_model.ckpt.*, vocab.txt) becomes a bert directory.",
    )
    .argument('[model]', 'in place of --model')
    .argument('[output]', 'in place of --output')
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam convert --model runs/en-fr/model --weights int8 --output models/en-fr
  $ polybeam convert --model opus-mt-en-de --weights float16 --output opus-mt-en-de-half
  $ polybeam convert uncased_L-12_H-768_A-12 bert-base-uncased`,
    );
  addSchemaFlags(command, optionsSchema);
  return command.action((model: string | undefined, output: string | undefined, flags: ConvertFlags) =>
    convert(withArguments(flags, { model, output }), streams),
  );
}

type ConvertFlags = z.output<typeof optionsSchema>;

/** @throws OPTION_CONFLICT where a directory is named twice */
function withArguments(
  flags: ConvertFlags,
  given: Pick<Partial<ConvertFlags>, 'model' | 'output'>,
): ConvertFlags {
  for (const name of ['model', 'output'] as const) {
    if (given[name] === undefined || flags[name] === undefined) continue;
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `${given[name]} and --${name} ${flags[name]} both name the ${name}: leave one of them out.`,
    );
  }
  return { ...flags, model: given.model ?? flags.model, output: given.output ?? flags.output };
}

async function convert(flags: ConvertFlags, streams: CommandStreams): Promise<void> {
  const model = requireFlag(flags.model, '--model');
  const output = requireFlag(flags.output, '--output');
  const { isTensorflowBert } = await import('../pretrained/modelDirectory.js');
  const preset = (await isTensorflowBert(model)) ? 'float32' : undefined;
  const weights: WeightPrecision = requireFlag(flags.weights ?? preset, '--weights');
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
