import { Command, CommanderError } from 'commander';
import { PolybeamError } from '../errors.js';
import { printable, printableLine } from '../printable.js';
import { convertCommand } from './convert.js';
import { doctorCommand } from './doctor.js';
import { evaluateCommand } from './evaluate.js';
import { finetuneCommand } from './finetune.js';
import { forwardCommand } from './forward.js';
import { generateCommand } from './generate.js';
import { packageVersion } from './packageRoot.js';
import { pretrainCommand } from './pretrain.js';
import { refuseArguments } from './redirect.js';
import { rerankCommand } from './rerank.js';
import { scoreCommand } from './score.js';
import { shortlistCommand } from './shortlist.js';
import type { CommandStreams } from './streams.js';
import { summarizeCommand } from './summarize.js';
import { Interrupted, trainCommand } from './train.js';
import { translateCommand } from './translate.js';
import { vocabCommand } from './vocab.js';
import { xlmCommand } from './xlm.js';

/** In the order of the help page. */
const commands = [
  translateCommand,
  summarizeCommand,
  generateCommand,
  forwardCommand,
  scoreCommand,
  rerankCommand,
  trainCommand,
  finetuneCommand,
  pretrainCommand,
  evaluateCommand,
  vocabCommand,
  xlmCommand,
  shortlistCommand,
  convertCommand,
  doctorCommand,
];

/** What the process should end with: 0 done, 2 wrong usage, 1 any other failure. */
export type ExitCode = 0 | 1 | 2;

/** The whole `polybeam` command, without running anything; help pages are made from it too. */
export function buildProgram(streams: CommandStreams = process): Command {
  const program = new Command('polybeam')
    .description(
      'Train and run BERT-family sequence-to-sequence models: translation, summarization, paraphrase.',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .option('--debug', 'print stack traces of errors')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: 30 })
    .configureOutput({
      writeOut: (text) => streams.stdout.write(text),
      writeErr: (text) => streams.stderr.write(text),
      getOutHelpWidth: () => helpWidth(streams.stdout),
      getErrHelpWidth: () => helpWidth(streams.stderr),
      // Refusals are printed by runProgram, in one form with all others.
      outputError: () => {},
    })
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam translate --to fr "This package contains the documentation."
  $ polybeam help translate`,
    );
  for (const make of commands) {
    const command = make(streams);
    inheritSettings(command, program);
    program.addCommand(command);
  }
  return program;
}

/**
 * Runs a command line, and prints what goes wrong as one sentence with its code; the stack only with `--debug`.
 *
 * @param args without `node` and the script
 */
export async function runProgram(
  args: readonly string[],
  streams: CommandStreams = process,
): Promise<ExitCode> {
  try {
    await buildProgram(streams).parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    return reportError(error, args, streams);
  }
}

/** Prints an error as one sentence and tells the exit code it stands for. */
export function reportError(error: unknown, args: readonly string[], { stderr }: CommandStreams): ExitCode {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    const missing = missingSentence(error);
    if (missing) stderr.write(`polybeam: ${printableLine(missing)} [OPTION_INVALID]\n`);
    else if (error.code !== 'commander.help')
      stderr.write(`polybeam: ${printableLine(usageSentence(error))}\n`);
    return 2;
  }
  if (error instanceof Interrupted) {
    stderr.write(`polybeam: ${error.message}\n`);
    return 1;
  }
  const debug = args.includes('--debug');
  if (error instanceof PolybeamError) {
    // Further lines are set in, so that none of a file's text looks like another message.
    stderr.write(`polybeam: ${error.message.replaceAll('\n', '\n  ')} [${error.code}]\n`);
  } else {
    const message = error instanceof Error ? error.message : String(error);
    stderr.write(
      `polybeam: ${printable(message.split('\n')[0])}${debug ? '' : ' (--debug prints where it happened)'}\n`,
    );
  }
  if (debug) stderr.write(`${printable(stackOf(error))}\n`);
  return error instanceof PolybeamError && error.code.startsWith('OPTION_') ? 2 : 1;
}

/** What commander misses, in the words of `requireFlag`. */
function missingSentence({ message, code }: CommanderError): string | undefined {
  const [, name] = /'(.*?)'/.exec(message) ?? [];
  if (code === 'commander.missingArgument') return `<${name}> is missing: give it as an argument.`;
  if (code !== 'commander.optionMissingArgument') return undefined;
  return `The value of ${name.split(' ')[0]} is missing: write ${name}.`;
}

/** commander's message as one sentence with the remedy. */
function usageSentence({ message, code }: CommanderError): string {
  const [first, ...rest] = message.replace(/^error: /, '').split('\n');
  const suggestion = rest.join(' ').trim();
  const remedy = suggestion
    ? suggestion.replace(/^\(Did/, 'did').replace(/\?\)$/, '?')
    : code === 'commander.unknownCommand'
      ? 'polybeam --help lists the commands.'
      : '--help lists what there is.';
  return `${first.replace(/\.$/, '')}; ${remedy}`;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return [error.stack ?? '', ...(error.cause ? [`caused by ${stackOf(error.cause)}`] : [])].join('\n');
}

function helpWidth(stream: { isTTY?: boolean; columns?: number }): number {
  return stream.isTTY ? (stream.columns ?? 80) : 100;
}

function inheritSettings(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  refuseArguments(command);
  for (const child of command.commands) inheritSettings(child, command);
}
