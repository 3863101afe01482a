import { Command } from 'commander';
import { z } from 'zod';
import { PolybeamError } from '../../errors.js';
import { mappingOptionsSchema, resolveMappingOptions } from '../../xlm/mapping/mappingOptions.js';
import type { MappingReport } from '../../xlm/mapping/mappingReport.js';
import { addSchemaFlags, requireFlag, schemaValues, withFlagNames } from '../flags.js';
import { requireDeviceOf } from '../requireDevice.js';
import { type CommandStreams, createStatusLine, warn } from '../streams.js';

const file = (what: string) => z.string().min(1).optional().describe(what);

const commandSchema = z.strictObject({
  source: file('Vectors of the source language, a .vec file (.gz is unpacked).'),
  target: file('Vectors of the target language, of the same size.'),
  outputSource: file("File to write the source's mapped vectors to, such as en.mapped.vec."),
  outputTarget: file("File to write the target's mapped vectors to, such as de.mapped.vec."),
  report: file('File to write what came of it to, as JSON; also where the mapping failed.'),
  ...mappingOptionsSchema.shape,
});

type MapFlags = Partial<z.output<typeof commandSchema>>;

/** `polybeam xlm map`: two languages' vectors into one space. */
export function mapCommand(streams: CommandStreams = process): Command {
  const command = new Command('map')
    .description(
      "Map two languages' vectors into one space, so that a word's nearest neighbours in the other language are its translations. " +
        'A failed mapping is reported and not written.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam xlm map --source en.vec --target de.vec --output-source en.mapped.vec --output-target de.mapped.vec
  $ polybeam xlm map --seed-dictionary identical --report map.json --source en.vec --target de.vec \\
      --output-source en.mapped.vec --output-target de.mapped.vec
  $ polybeam evaluate lexicon --dictionary en-de.tsv en.mapped.vec de.mapped.vec`,
    );
  addSchemaFlags(command, commandSchema);
  return command.action((flags: MapFlags) => map(flags, streams));
}

async function map(flags: MapFlags, streams: CommandStreams): Promise<void> {
  const files = {
    source: requireFlag(flags.source, '--source'),
    target: requireFlag(flags.target, '--target'),
    outputSource: requireFlag(flags.outputSource, '--output-source'),
    outputTarget: requireFlag(flags.outputTarget, '--output-target'),
    report: flags.report,
  };
  const written = [files.outputSource, files.outputTarget, files.report].filter((path) => path !== undefined);
  if (new Set(written).size < written.length) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      '--output-source, --output-target and --report name the same file twice; name different ones.',
    );
  }
  const options = schemaValues(mappingOptionsSchema, flags);
  await withFlagNames(mappingOptionsSchema, () => resolveMappingOptions(options));
  await requireDeviceOf(options);
  await import('../../node/install.js');
  const { mapVectorFiles } = await import('../../xlm/mapping/mapFiles.js');
  const status = createStatusLine(streams);
  const report = await withFlagNames(mappingOptionsSchema, () =>
    mapVectorFiles(files, options, {
      onWarning: (message) => warn(streams, message),
      onIteration: ({ iteration, objective, keepProbability }) =>
        status.show(
          `iteration ${iteration}, objective ${objective.toFixed(5)}, ${percent(keepProbability)} of similarities`,
        ),
    }),
  ).finally(status.clear);
  if (report.problem !== undefined) warn(streams, `the mapping failed and is kept: ${report.problem}.`);
  streams.stdout.write(`${summary(report)}\n`);
}

function summary({ iterations, objective, seedPairs, coverage, meanBestCosine }: MappingReport): string {
  return (
    `${iterations} iterations from ${seedPairs} pairs, objective ${objective.toFixed(4)}; ` +
    `nearest at cosine ${meanBestCosine.source.toFixed(3)} and ${meanBestCosine.target.toFixed(3)} on average, ` +
    `${percent(coverage.source)} and ${percent(coverage.target)} of words nearest to each other`
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
