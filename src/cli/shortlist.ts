import { Command } from 'commander';
import { z } from 'zod';
import { PolybeamError } from '../errors.js';
import { addSchemaFlags, requireFlag, schemaValues } from './flags.js';
import { type CommandStreams, createStatusLine, warn } from './streams.js';

const optionsSchema = z.strictObject({
  tokenizer: z.string().min(1).optional().describe('Model directory, whose tokenizer is used.'),
  output: z.string().min(1).optional().describe('File to write, such as shortlist.safetensors.'),
  source: z
    .string()
    .min(1)
    .optional()
    .describe('File of source lines to learn from, with --target; .gz is unpacked.'),
  target: z.string().min(1).optional().describe('File of their translations, line by line.'),
  tsv: z
    .string()
    .min(1)
    .optional()
    .describe('Instead of --source and --target: a tab-separated file with both.'),
  sourceColumn: z.int().min(1).default(1).describe('Column of the source in --tsv, from 1.'),
  targetColumn: z.int().min(1).default(2).describe('Column of the target in --tsv, from 1.'),
  table: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Instead of text: a lexical table with lines of source token, tab, target token, tab, probability of the target given the source.',
    ),
  targetsPerToken: z
    .int()
    .min(1)
    .default(20)
    .describe('Maximum number of target tokens for each source token.'),
  minProbability: z.number().min(0).max(1).default(0.001).describe('Minimum probability of a target token.'),
  frequentTokens: z
    .int()
    .min(0)
    .default(100)
    .describe('Number of most frequent target tokens that are always allowed.'),
  iterations: z.int().min(1).default(5).describe('Iterations of expectation maximization over the text.'),
});

type ShortlistFlags = Partial<z.output<typeof optionsSchema>>;

/** `polybeam shortlist`: learns which target tokens each source token may become. */
export function shortlistCommand(streams: CommandStreams = process): Command {
  const command = new Command('shortlist')
    .description(
      'Learn the possible target tokens of each source token from parallel text, by IBM Model 1; translate --shortlist ' +
        'then computes only those, which is faster.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam shortlist --tokenizer models/en-fr-software --source train.en --target train.fr --output shortlist.safetensors
  $ polybeam shortlist --tokenizer models/en-fr-software --tsv train.tsv.gz --output shortlist.safetensors
  $ polybeam shortlist --tokenizer models/en-fr-software --table lex.tsv --output shortlist.safetensors`,
    );
  addSchemaFlags(command, optionsSchema);
  return command.action((flags: ShortlistFlags) => makeShortlist(flags, streams));
}

async function makeShortlist(flags: ShortlistFlags, streams: CommandStreams): Promise<void> {
  const directory = requireFlag(flags.tokenizer, '--tokenizer');
  const output = requireFlag(flags.output, '--output');
  requireOneInput(flags);
  await import('../node/install.js');
  const { loadTokenizer } = await import('../text/loadTokenizer.js');
  const { saveShortlist } = await import('../pretrained/shortlistFile.js');
  const { modelDirectoryOf } = await import('../pretrained/bundledModels.js');
  const tokenizer = await loadTokenizer(await modelDirectoryOf(directory));
  const status = createStatusLine(streams);
  const onIteration = (done: number, total: number) => status.show(`round ${done} of ${total}`);
  const options = { ...schemaValues(optionsSchema, flags), onIteration };
  const shortlist = await (flags.table === undefined
    ? fromText(flags, tokenizer, options, streams)
    : fromTable(flags.table, tokenizer, options, streams)
  ).finally(status.clear);
  await saveShortlist(output, shortlist);
  const { offsets, targets, always } = shortlist;
  streams.stdout.write(
    `${output}: ${targets.length} targets of ${offsets.length - 1} source tokens, and ${always.length} for all\n`,
  );
}

type Tokenizer = import('../text/tokenizer.js').Tokenizer;
type Options = import('../pretrained/makeShortlist.js').ShortlistOptions;

async function fromText(
  flags: ShortlistFlags,
  tokenizer: Tokenizer,
  options: Options,
  streams: CommandStreams,
) {
  const { readParallelText } = await import('../training/data.js');
  const { trainShortlist } = await import('../pretrained/makeShortlist.js');
  const { source, target, tsv, sourceColumn = 1, targetColumn = 2 } = flags;
  const text = await readParallelText([{ source, target, tsv, sourceColumn, targetColumn }]);
  if (text.invalidLines > 0) {
    warn(streams, `${text.invalidLines} lines were not valid UTF-8; the bad bytes were replaced by U+FFFD.`);
  }
  return trainShortlist(text.source, text.target, tokenizer, options);
}

async function fromTable(path: string, tokenizer: Tokenizer, options: Options, streams: CommandStreams) {
  const { readLines } = await import('../training/data.js');
  const { shortlistFromTable } = await import('../pretrained/makeShortlist.js');
  const { lines } = await readLines(path);
  const { shortlist, unknown } = shortlistFromTable(lines, tokenizer, path, options);
  if (unknown > 0) warn(streams, `${unknown} pairs of ${path} have a token that the vocabulary lacks.`);
  return shortlist;
}

function requireOneInput({ source, target, tsv, table }: ShortlistFlags): void {
  if ((source === undefined) !== (target === undefined)) {
    throw new PolybeamError('OPTION_CONFLICT', '--source and --target go together; give both.');
  }
  const given = [source && '--source', tsv && '--tsv', table && '--table'].filter((flag) => flag);
  if (given.length === 1) return;
  throw new PolybeamError(
    given.length === 0 ? 'OPTION_INVALID' : 'OPTION_CONFLICT',
    given.length === 0
      ? '--source with --target, --tsv or --table is missing: give one of them.'
      : `${given.join(' and ')} exclude each other; give one.`,
  );
}
