import { Command } from 'commander';
import { z } from 'zod';
import { ngramOptionsSchema } from '../../xlm/vectors/ngrams.js';
import { addSchemaFlags, requireFlag, schemaValues, withFlagNames } from '../flags.js';
import { type CommandStreams, createStatusLine } from '../streams.js';
import { invalidTextWarning } from './languageTexts.js';

const commandSchema = ngramOptionsSchema.extend({
  output: z.string().min(1).describe('File to write: lines of n-gram, tab, count, tab, score.'),
});

type NgramFlags = Partial<z.output<typeof commandSchema>>;

/** `polybeam xlm ngrams`: chooses the words and n-grams of a language. */
export function ngramsCommand(streams: CommandStreams = process): Command {
  const command = new Command('ngrams')
    .description('Count the n-grams of a language and choose those that get vectors.')
    .argument(
      '<files...>',
      'texts, one a line; .gz is unpacked, and train.tsv:2 is column 2 of a tab-separated file',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam xlm ngrams --lowercase --output en.ngrams.tsv mono.en.gz
  $ polybeam xlm ngrams --limits '[50000,100000]' --output de.ngrams.tsv mono.de.gz more.de.gz`,
    );
  addSchemaFlags(command, commandSchema);
  return command.action((files: string[], flags: NgramFlags) => makeNgrams(files, flags, streams));
}

async function makeNgrams(files: string[], flags: NgramFlags, streams: CommandStreams): Promise<void> {
  const output = requireFlag(flags.output, '--output');
  const { chooseNgrams, writeNgrams } = await import('../../xlm/vectors/ngrams.js');
  const { parseTextFile, textsOf } = await import('../../xlm/texts.js');
  const status = createStatusLine(streams);
  const ngrams = await withFlagNames(ngramOptionsSchema, () =>
    chooseNgrams(
      textsOf(files.map(parseTextFile), invalidTextWarning(streams)),
      schemaValues(ngramOptionsSchema, flags),
      ({ length, texts }) =>
        status.show(`${length === 1 ? 'words' : `${length}-grams`}: ${texts} texts read`),
    ),
  ).finally(status.clear);
  await writeNgrams(output, ngrams);
  const lengths = ngrams.map(({ text }) => text.split(' ').length);
  const longest = lengths.reduce((most, length) => Math.max(most, length), 1);
  const counts = Array.from(
    { length: longest },
    (_, at) => lengths.filter((length) => length === at + 1).length,
  );
  streams.stdout.write(
    `${output}: ${counts.map((count, at) => `${count} ${at === 0 ? 'words' : `${at + 1}-grams`}`).join(', ')}\n`,
  );
}
