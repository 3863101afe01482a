import { Command } from 'commander';
import { z } from 'zod';
import { PolybeamError } from '../../errors.js';
import { resolveTableOptions, tableOptionsSchema } from '../../xlm/table/tableOptions.js';
import { addSchemaFlags, requireFlag, schemaValues, withFlagNames } from '../flags.js';
import { Interrupted } from '../interrupted.js';
import { requireDeviceOf } from '../requireDevice.js';
import { type CommandStreams, createStatusLine, warn } from '../streams.js';
import { interruptSignal } from '../train.js';

const commandSchema = z.strictObject({
  source: z
    .string()
    .min(1)
    .optional()
    .describe('Mapped vectors of the source language, a .vec file (.gz is unpacked).'),
  target: z.string().min(1).optional().describe('Mapped vectors of the target language, in the same space.'),
  output: z.string().min(1).optional().describe('File to write, such as en-de.tsv.'),
  reverse: z
    .string()
    .min(1)
    .optional()
    .describe('File for the table of the other direction, which takes half as long as in a separate run.'),
  ...tableOptionsSchema.shape,
});

type BuildFlags = Partial<z.output<typeof commandSchema>>;

/** `polybeam xlm table build`: makes a translation table of mapped vectors. */
export function tableBuildCommand(streams: CommandStreams = process): Command {
  const command = new Command('build')
    .description(
      'Build a translation table of n-grams from vectors in one space: lines of source, tab, target, tab, probability, ' +
        'sorted. Ctrl-C writes nothing.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam xlm table build --source en.mapped.vec --target de.mapped.vec --output en-de.tsv --reverse de-en.tsv
  $ polybeam xlm table build --source en.mapped.vec --target de.mapped.vec --output words.tsv --longest 1`,
    );
  addSchemaFlags(command, commandSchema);
  return command.action((flags: BuildFlags) => build(flags, streams));
}

async function build(flags: BuildFlags, streams: CommandStreams): Promise<void> {
  const source = requireFlag(flags.source, '--source');
  const target = requireFlag(flags.target, '--target');
  const output = requireFlag(flags.output, '--output');
  const { reverse } = flags;
  if (reverse === output) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `--output and --reverse are both "${output}"; name two files.`,
    );
  }
  const options = schemaValues(tableOptionsSchema, flags);
  await withFlagNames(tableOptionsSchema, () => resolveTableOptions(options));
  await requireDeviceOf(options);
  await import('../../node/install.js');
  const { buildTable } = await import('../../xlm/table/buildTable.js');
  const { readVectors } = await import('../../xlm/vectors/vectorFile.js');
  const onWarning = (message: string) => warn(streams, message);
  const vectors = [
    await readVectors(source, flags.sourceLimit, onWarning),
    await readVectors(target, flags.targetLimit, onWarning),
  ] as const;
  const status = createStatusLine(streams);
  const interrupt = interruptSignal();
  const tables = await withFlagNames(tableOptionsSchema, () =>
    buildTable(...vectors, options, {
      reverse: reverse !== undefined,
      signal: interrupt.signal,
      onProgress: (done, total) => status.show(progressText(vectors, done, total)),
    }),
  )
    .catch((error) => {
      if (!interrupt.signal.aborted) throw error;
      throw new Interrupted('interrupted; nothing was written.');
    })
    .finally(() => {
      status.clear();
      interrupt.release();
    });
  await write(output, tables.forward, streams);
  if (reverse !== undefined && tables.reverse) await write(reverse, tables.reverse, streams);
}

type Vectors = { words: readonly string[] };

function progressText([x, y]: readonly [Vectors, Vectors], done: number, total: number): string {
  const percent = Math.floor((100 * done) / total);
  return `${percent} % of ${x.words.length} x ${y.words.length} n-grams compared`;
}

async function write(
  path: string,
  table: import('../../xlm/table/buildTable.js').BuiltTable,
  streams: CommandStreams,
): Promise<void> {
  const { writeTable } = await import('../../xlm/table/translationTable.js');
  let [entries, lines] = [0, 0];
  await writeTable(path, table.sources, (index) => {
    const translations = table.translationsOf(index);
    if (translations.length > 0) entries++;
    lines += translations.length;
    return translations;
  });
  const heat = table.temperature === undefined ? '' : `, temperature ${table.temperature}`;
  streams.stdout.write(`${path}: ${lines} translations of ${entries} n-grams${heat}\n`);
}
