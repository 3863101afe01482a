import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { Command, Option } from 'commander';
import { z } from 'zod';
import { bleuOptionsSchema, corpusBleu, sentenceBleu } from '../../eval/bleu.js';
import { chrfOptionsSchema, corpusChrf, sentenceChrf } from '../../eval/chrf.js';
import { readOptions } from '../../eval/options.js';
import { formatFixed, trimEnd } from '../../eval/pythonText.js';
import { formatScore, formatScoreJson, type Score } from '../../eval/score.js';
import { PolybeamError } from '../errors.js';

/** Streams that the command uses, so that tests can pass their own. */
interface EvaluateStreams {
  stdin: AsyncIterable<Uint8Array | string>;
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
}

/** A metric as the command line sees it. */
interface Metric {
  name: string;
  summary: string;
  /** The options that become flags. */
  schema: z.ZodObject;
  corpus(hypotheses: string[], references: string[][], options: object): Score;
  sentence(hypothesis: string, references: string[], options: object): Score;
  /** Whether to warn of hypotheses that look tokenized, which sacreBLEU does for BLEU. */
  expectsPlainText(options: { [name: string]: unknown }): boolean;
  examples: string;
}

const metrics: Metric[] = [
  {
    name: 'bleu',
    summary: 'corpus BLEU, as sacreBLEU 2.6 computes and prints it',
    // sacreBLEU's signature says nothing of the longest n-gram, and --sentence-level sets the effective order.
    schema: bleuOptionsSchema.omit({ maxNgramOrder: true, effectiveOrder: true }),
    corpus: corpusBleu,
    sentence: sentenceBleu,
    expectsPlainText: (options) => options.tokenize !== 'none',
    examples: `
Examples:
  $ polybeam evaluate bleu --reference test.fr output.fr
  $ polybeam translate --to fr < test.en | polybeam evaluate bleu --reference test.fr --json
  $ polybeam evaluate bleu --reference test.fr output.fr --lowercase --tokenize moses-fr   # as many papers do`,
  },
  {
    name: 'chrf',
    summary: 'corpus chrF, as sacreBLEU 2.6 computes and prints it',
    schema: chrfOptionsSchema,
    corpus: corpusChrf,
    sentence: sentenceChrf,
    expectsPlainText: () => false,
    examples: `
Examples:
  $ polybeam evaluate chrf --reference test.fr output.fr
  $ polybeam evaluate chrf --reference test.fr output.fr --word-order 2   # chrF++`,
  },
];

/** `polybeam evaluate bleu|chrf`: scores a file of lines against one or several reference files. */
export function evaluateCommand(streams: EvaluateStreams = process): Command {
  const command = new Command('evaluate').description('Score translations against references.');
  for (const metric of metrics) command.addCommand(metricCommand(metric, streams));
  return command;
}

function metricCommand(metric: Metric, streams: EvaluateStreams): Command {
  const command = new Command(metric.name)
    .description(`Print ${metric.summary}.`)
    .argument(
      '[hypothesis]',
      'file with a line per segment, .gz or not; - or nothing reads standard input',
      '-',
    )
    .addOption(
      new Option(
        '--reference <file>',
        'file with the reference of each line; repeat it for several references',
      )
        .argParser((file: string, files: string[] | undefined) => [...(files ?? []), file])
        .makeOptionMandatory(),
    )
    .option('--json', "print sacreBLEU's JSON instead of one line")
    .option('--width <n>', 'decimals of the score', '1')
    .option('--score-only', 'print the number alone')
    .option('--sentence-level', 'print a score for each line instead of one for all');
  for (const option of schemaFlags(metric.schema)) command.addOption(option);
  return command
    .addHelpText('after', metric.examples)
    .action((hypothesis: string, flags: Flags) => evaluate(metric, hypothesis, flags, streams));
}

interface Flags {
  reference: string[];
  json?: boolean;
  width: string;
  scoreOnly?: boolean;
  sentenceLevel?: boolean;
  [metricOption: string]: unknown;
}

async function evaluate(
  metric: Metric,
  hypothesisPath: string,
  flags: Flags,
  streams: EvaluateStreams,
): Promise<void> {
  const width = readWidth(flags.width);
  checkConflicts(hypothesisPath, flags);
  const options = readMetricOptions(metric, flags);
  const read = (path: string) => readLines(path, streams);
  const hypotheses = await read(hypothesisPath);
  const references: string[][] = [];
  for (const path of flags.reference) {
    const lines = await read(path);
    if (lines.length !== hypotheses.length) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `${describePath(path)} has ${count(lines)} and ${describePath(hypothesisPath)} has ${count(hypotheses)}: ` +
          'each line needs its counterpart.',
      );
    }
    references.push(lines);
  }
  if (metric.expectsPlainText(options)) warnOfTokens(hypotheses, streams);
  const scores = flags.sentenceLevel
    ? hypotheses.map((line, i) =>
        metric.sentence(
          line,
          references.map((lines) => lines[i]),
          options,
        ),
      )
    : [metric.corpus(hypotheses, references, options)];
  for (const score of scores) streams.stdout.write(`${print(score, width, flags)}\n`);
}

function print(score: Score, width: number, flags: Flags): string {
  if (flags.scoreOnly) return formatFixed(score.score, width);
  return flags.json ? formatScoreJson(score, { width }) : formatScore(score, { width });
}

function count(lines: readonly string[]): string {
  return lines.length === 1 ? '1 line' : `${lines.length} lines`;
}

function readWidth(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= 100) return Number(text);
  throw new PolybeamError(
    'OPTION_INVALID',
    `--width cannot be "${text}": give a whole number of decimals, 0 to 100.`,
  );
}

function checkConflicts(hypothesisPath: string, flags: Flags): void {
  const pairs: [unknown, string, unknown, string][] = [
    [flags.json, '--json', flags.scoreOnly, '--score-only'],
    [flags.json, '--json', flags.sentenceLevel, '--sentence-level'],
  ];
  for (const [a, nameA, b, nameB] of pairs) {
    if (a && b) {
      throw new PolybeamError('OPTION_CONFLICT', `${nameA} and ${nameB} exclude each other: leave one out.`);
    }
  }
  if ([hypothesisPath, ...flags.reference].filter((path) => path === '-').length > 1) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      'Only one of the hypothesis and the references can be - (standard input): name files for the others.',
    );
  }
}

/** What help and parsing need of each option of a schema. */
function describeOptions(schema: z.ZodObject): [string, z.core.JSONSchema.Schema][] {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input' });
  return Object.entries(properties) as [string, z.core.JSONSchema.Schema][];
}

/** Flags of a schema's options, in kebab case; help and defaults come from the schema. */
function schemaFlags(schema: z.ZodObject): Option[] {
  return describeOptions(schema).map(([name, { type, enum: values, description = '', default: preset }]) => {
    if (type === 'boolean') return new Option(kebab(name), lead(description));
    const kind = type === 'string' ? (values ? values.join('|') : 'name') : 'n';
    const shown = preset === undefined ? '' : ` (default: ${preset})`;
    return new Option(`${kebab(name)} <${kind}>`, lead(description) + shown);
  });
}

function kebab(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** A schema's description as commander's help words it: no capital, no period. */
function lead(description: string): string {
  return description[0].toLowerCase() + description.slice(1).replace(/\.$/, '');
}

function readMetricOptions(metric: Metric, flags: Flags): { [name: string]: unknown } {
  const given: { [name: string]: unknown } = {};
  for (const [name, { type }] of describeOptions(metric.schema)) {
    const value = flags[name];
    if (value === undefined) continue;
    // What is no number stays text, so that the message shows it as it was written.
    const numeric = (type === 'number' || type === 'integer') && /^[-+.\d]/.test(String(value));
    given[name] = numeric && !Number.isNaN(Number(value)) ? Number(value) : value;
  }
  // Checked here for messages that spell the flags; defaults are left to the metric, whose two modes have their own.
  readOptions(metric.schema, given, `evaluate ${metric.name}`, kebab);
  return given;
}

async function readLines(path: string, streams: EvaluateStreams): Promise<string[]> {
  const bytes = path === '-' ? await readStream(streams.stdin) : await readFileOrFail(path);
  let text: string;
  try {
    // A byte order mark is kept: sacreBLEU scores it as a character.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `${describePath(path)} is not UTF-8 (line ${brokenLine(bytes)}): convert it, for instance with iconv.`,
      { cause },
    );
  }
  if (text === '') {
    throw new PolybeamError('INPUT_INVALID', `${describePath(path)} is empty: there is nothing to score.`);
  }
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map(trimEnd);
}

/** Number of the first line that is not UTF-8, from 1; a line feed is never a part of another character. */
function brokenLine(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const feed = bytes.indexOf(10, start);
    const end = feed < 0 ? bytes.length : feed;
    try {
      decoder.decode(bytes.subarray(start, end));
    } catch {
      break;
    }
    start = end + 1;
  }
  return line;
}

async function readStream(stream: EvaluateStreams['stdin']): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

async function readFileOrFail(path: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    const reason =
      code === 'ENOENT'
        ? 'does not exist'
        : code === 'EISDIR'
          ? 'is a directory'
          : `cannot be read (${code})`;
    throw new PolybeamError('FILE_NOT_FOUND', `${describePath(path)} ${reason}: give a readable file.`, {
      cause,
    });
  }
  if (!path.endsWith('.gz')) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw new PolybeamError(
      'FILE_CORRUPT',
      `${describePath(path)} is not a whole gzip file: unpack it, or name it without .gz.`,
      { cause },
    );
  }
}

function describePath(path: string): string {
  return path === '-' ? 'Standard input' : `"${path}"`;
}

function warnOfTokens(hypotheses: readonly string[], streams: EvaluateStreams): void {
  if (hypotheses.filter((line) => line.endsWith(' .')).length < 100) return;
  streams.stderr.write(
    'warning: 100 lines or more end in " .", so the hypothesis looks tokenized, which lowers the score; ' +
      'detokenize it, or pass --tokenize none if the references are tokenized alike.\n',
  );
}
