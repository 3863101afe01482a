import { Command } from 'commander';
import { z } from 'zod';
import type { Device } from '../../engine/program.js';
import { PolybeamError } from '../../errors.js';
import { phraseOptionsSchema, phraseSearchSchema } from '../../xlm/table/phraseTranslatorOptions.js';
import { openTable } from '../../xlm/table/translationTable.js';
import { addSchemaFlags, flagName, requireFlag, schemaValues, withFlagNames } from '../flags.js';
import { onOneLine, readTexts } from '../lines.js';
import { inPortions } from '../portions.js';
import { addFileFlags, type FileFlags, redirected } from '../redirect.js';
import { requireDeviceOf } from '../requireDevice.js';
import type { CommandStreams } from '../streams.js';

/** What has no meaning without a language model. */
const modelSchema = z.strictObject({
  ...phraseSearchSchema.shape,
  batchSize: z.int().min(1).default(16).describe('Maximum number of lines translated together.'),
  device: z.string().default('cpu').describe('Device to compute on; polybeam doctor lists the devices.'),
  threads: z.int().min(1).optional().describe('Threads on the CPU. Default: one for each core.'),
});

const commandSchema = z.strictObject({
  table: z
    .string()
    .min(1)
    .optional()
    .describe('Table, as polybeam xlm table build writes it (.gz is unpacked).'),
  lm: z
    .string()
    .min(1)
    .optional()
    .describe('Directory of a language model of the target language, such as a GPT-2. Default: none.'),
  ...phraseOptionsSchema.shape,
  ...modelSchema.shape,
});

const optionSchema = phraseOptionsSchema.extend(phraseSearchSchema.shape);

type TranslateFlags = Partial<z.output<typeof commandSchema>> & FileFlags;

/** `polybeam xlm table translate`: translates phrase by phrase, with a language model where there is one. */
export function tableTranslateCommand(streams: CommandStreams = process): Command {
  const command = new Command('translate')
    .description(
      'Translate lines phrase by phrase: with the most probable phrases of a table, or with --lm the text that table and language ' +
        'model together find most probable.',
    )
    .argument('[texts...]', 'texts to translate; default: lines of standard input')
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam xlm table translate --table en-de.tsv "a red car"
  $ polybeam xlm table translate --table en-de.tsv --lm gpt2-de --reordering 2 --input input.en --output output.de`,
    );
  addFileFlags(command);
  addSchemaFlags(command, commandSchema);
  return command.action((texts: string[], flags: TranslateFlags) =>
    redirected(flags, streams, (own) => translate(texts, flags, own), texts),
  );
}

async function translate(texts: string[], flags: TranslateFlags, streams: CommandStreams): Promise<void> {
  const path = requireFlag(flags.table, '--table');
  const idle = Object.keys(modelSchema.shape).find(
    (name) => flags[name as keyof TranslateFlags] !== undefined,
  );
  if (flags.lm === undefined && idle !== undefined) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `${flagName(idle)} has no effect without --lm; give a language model, or leave it out.`,
    );
  }
  await requireDeviceOf(flags);
  await import('../../node/install.js');
  const { loadLanguageModel, resolvePhraseOptions, translateByPhrases, translateByTable } = await import(
    '../../xlm/table/phraseTranslator.js'
  );
  const options = schemaValues(optionSchema, flags);
  await withFlagNames(optionSchema, () => resolvePhraseOptions(options));
  const table = await openTable(path);
  const lines = readTexts(streams, texts);
  if (flags.lm === undefined) {
    const { translations, copyProbability } = options;
    await inPortions(lines, {}, streams, async (portion) =>
      portion.map((text) => translateByTable(table, text, { translations, copyProbability }).text),
    );
    return;
  }
  const { device, threads } = flags;
  const model = await loadLanguageModel(flags.lm, { device: device as Device | undefined, threads });
  try {
    await inPortions(lines, { batchSize: flags.batchSize }, streams, async (portion, batching) => {
      const found = await withFlagNames(optionSchema, () =>
        translateByPhrases(table, model, portion, options, { ...batching, signal: flags.signal }),
      );
      return found.map(({ text }) => onOneLine(text));
    });
  } finally {
    await model.dispose();
  }
}
