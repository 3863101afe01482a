import { Command } from 'commander';
import { type DescribedText, statisticsTable } from '../../../eval/report/tables.js';
import {
  type StatisticsOptions,
  statisticsOptionsSchema,
  textStatistics,
} from '../../../eval/textStatistics.js';
import { type EvaluateStreams, hypothesesHelp, readParallel } from './input.js';
import { readSchemaFlags, readWidth, schemaFlags } from './schemaFlags.js';
import { formatTable } from './table.js';

interface StatisticsFlags {
  source?: string;
  reference?: string;
  json?: boolean;
  width: string;
  [option: string]: unknown;
}

/** `polybeam evaluate statistics`. */
export function statisticsCommand(streams: EvaluateStreams): Command {
  const command = new Command('statistics')
    .description(
      'Describe texts: lengths, distinct n-grams, repetition, novelty and compression against a source.',
    )
    .argument('[hypotheses...]', hypothesesHelp)
    .option('--source <file>', 'file with the source of each line, for novelty and compression')
    .option(
      '--reference <file>',
      'file with the reference of each line: described too, and used for the length ratio',
    )
    .option('--json', 'print JSON, with all digits')
    .option('--width <n>', 'decimals', '3');
  for (const option of schemaFlags(statisticsOptionsSchema)) command.addOption(option);
  return command
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam evaluate statistics output.txt
  $ polybeam evaluate statistics --source test.documents --reference test.summaries a.txt b.txt`,
    )
    .action((paths: string[], flags: StatisticsFlags) =>
      describe(paths.length > 0 ? paths : ['-'], flags, streams),
    );
}

async function describe(
  paths: readonly string[],
  flags: StatisticsFlags,
  streams: EvaluateStreams,
): Promise<void> {
  const width = readWidth(flags.width);
  const options = readSchemaFlags(statisticsOptionsSchema, flags, 'evaluate statistics') as StatisticsOptions;
  const beside = [flags.source, flags.reference].filter((path) => path !== undefined);
  const files = await readParallel([...paths, ...beside], streams);
  const rest = files.slice(paths.length);
  const source = flags.source === undefined ? undefined : rest.shift();
  const reference = flags.reference === undefined ? undefined : rest.shift();
  const texts: DescribedText[] = paths.map((name, i) => ({
    name,
    statistics: textStatistics(files[i], { source, reference }, options),
  }));
  if (reference) {
    texts.push({
      name: `${flags.reference} (reference)`,
      statistics: textStatistics(reference, { source }, options),
    });
  }
  streams.stdout.write(`${flags.json ? formatJson(texts) : formatTable(statisticsTable(texts, width))}\n`);
}

function formatJson(texts: readonly DescribedText[]): string {
  // Lengths line by line are for plots.
  const rows = texts.map(({ name, statistics: { lengths: _, ...rest } }) => ({ text: name, ...rest }));
  return JSON.stringify(rows, null, 1);
}
