import { Command } from 'commander';
import { z } from 'zod';
import { type LexiconAccuracy, lexiconOptionsSchema } from '../../xlm/mapping/lexiconAccuracy.js';
import { requireFlag } from '../flags.js';
import { requireDeviceOf } from '../requireDevice.js';
import type { EvaluateStreams } from './input.js';
import { readSchemaFlags, readWidth, schemaFlags } from './schemaFlags.js';
import { formatTable } from './table.js';

const flagSchema = lexiconOptionsSchema.extend({
  limit: z
    .int()
    .min(1)
    .optional()
    .describe('Number of vectors to read from the beginning of each file. Default: all.'),
});

interface LexiconFlags {
  dictionary?: string;
  json?: boolean;
  width: string;
  [option: string]: unknown;
}

/** `polybeam evaluate lexicon`. */
export function lexiconCommand(streams: EvaluateStreams): Command {
  const command = new Command('lexicon')
    .description(
      'Print the accuracy of a bilingual dictionary in mapped vectors: how often the nearest neighbors of a word in the other language include a translation.',
    )
    .argument('<source>', 'mapped vectors of the source language, a .vec file (.gz is unpacked)')
    .argument('<target>', 'mapped vectors of the target language')
    .option('--dictionary <file>', 'reference dictionary: lines of word, tab, translation; .gz is unpacked')
    .option('--json', 'print JSON, with all digits')
    .option('--width <n>', 'decimals of the percentages', '1');
  for (const option of schemaFlags(flagSchema)) command.addOption(option);
  return command
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam evaluate lexicon --dictionary en-de.tsv.gz en.mapped.vec de.mapped.vec
  $ polybeam evaluate lexicon --dictionary en-de.tsv.gz --precision-at 1,10 --most-frequent 5000 en.mapped.vec de.mapped.vec`,
    )
    .action((source: string, target: string, flags: LexiconFlags) =>
      evaluateLexicon(source, target, flags, streams),
    );
}

async function evaluateLexicon(
  source: string,
  target: string,
  flags: LexiconFlags,
  streams: EvaluateStreams,
): Promise<void> {
  const path = requireFlag(flags.dictionary, '--dictionary');
  const width = readWidth(flags.width);
  const { limit, ...options } = readSchemaFlags(flagSchema, flags, 'evaluate lexicon') as z.input<
    typeof flagSchema
  >;
  await requireDeviceOf(options);
  await import('../../node/install.js');
  const { readVectors } = await import('../../xlm/vectors/vectorFile.js');
  const { readDictionary } = await import('../../xlm/mapping/dictionaryFile.js');
  const { lexiconAccuracy } = await import('../../xlm/mapping/lexiconAccuracy.js');
  const dictionary = await readDictionary(path, options.lowercase);
  const vectors = [await readVectors(source, limit), await readVectors(target, limit)] as const;
  const accuracy = await lexiconAccuracy(...vectors, dictionary, options);
  streams.stdout.write(`${flags.json ? JSON.stringify(accuracy, null, 1) : format(accuracy, width)}\n`);
}

function format({ precision, coverage, words }: LexiconAccuracy, width: number): string {
  const percent = (share: number) => `${(100 * share).toFixed(width)} %`;
  const rows = Object.entries(precision).map(([length, share]) => [`P@${length}`, percent(share)]);
  return formatTable([...rows, ['coverage', percent(coverage)], ['words', String(words)]]);
}
