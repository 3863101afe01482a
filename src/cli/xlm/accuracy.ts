import { Command } from 'commander';
import { z } from 'zod';
import { ngramAccuracySchema } from '../../xlm/pretraining/ngramAccuracy.js';
import { addSchemaFlags, requireFlag, schemaValues, withFlagNames } from '../flags.js';
import { requireDeviceOf } from '../requireDevice.js';
import type { CommandStreams } from '../streams.js';
import { invalidTextWarning } from './languageTexts.js';

const commandSchema = ngramAccuracySchema.extend({
  model: z.string().min(1).describe('Directory of an xlm model with its language-model head.'),
  device: z.string().default('cpu').describe('Device to compute on; `polybeam doctor` lists the devices.'),
  threads: z.int().min(1).optional().describe('Threads on the CPU. Default: one for each core.'),
});

type AccuracyFlags = Partial<z.output<typeof commandSchema>>;

/** `polybeam xlm accuracy`: how often masked n-grams are predicted as translations of a table. */
export function accuracyCommand(streams: CommandStreams = process): Command {
  const command = new Command('accuracy')
    .description(
      'Measure how often an XLM predicts a translation from a table at masked n-grams of held-out text; prints JSON.',
    )
    .argument(
      '<files...>',
      'held-out texts, one a line; .gz is unpacked, and train.tsv:2 is column 2 of a tab-separated file',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam xlm accuracy --model runs/cmlm/model --table en-fr.tsv --from en --to fr valid.en`,
    );
  addSchemaFlags(command, commandSchema);
  return command.action((files: string[], flags: AccuracyFlags) => measure(files, flags, streams));
}

async function measure(files: string[], flags: AccuracyFlags, streams: CommandStreams): Promise<void> {
  const model = requireFlag(flags.model, '--model');
  const [table, from, to] = (['table', 'from', 'to'] as const).map((name) =>
    requireFlag(flags[name], `--${name}`),
  );
  await requireDeviceOf(flags);
  const { parseTextFile, textsOf } = await import('../../xlm/texts.js');
  await import('../../node/install.js');
  const { measureNgramTranslations } = await import('../../xlm/pretraining/ngramAccuracy.js');
  const lines: string[] = [];
  for await (const part of textsOf(files.map(parseTextFile), invalidTextWarning(streams))()) {
    lines.push(...part.filter((line) => line.trim() !== ''));
  }
  const options = { ...schemaValues(ngramAccuracySchema, flags), table, from, to };
  const found = await withFlagNames(ngramAccuracySchema, () =>
    measureNgramTranslations(model, lines, options, {
      device: flags.device as 'cpu',
      threads: flags.threads,
    }),
  );
  streams.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
}
