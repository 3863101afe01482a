import { Command, CommanderError } from 'commander';
import { PolybeamError } from '../errors.js';
import { packageVersion } from '../node/packageRoot.js';
import { printable, printableLine } from '../printable.js';
import { Interrupted } from './interrupted.js';
import { refuseArguments } from './redirect.js';
import type { CommandStreams } from './streams.js';

type MakeCommand = (streams: CommandStreams) => Command;

/** In the order of the help page. A command is imported when it is called, all of them for the help page. */
const commands: Record<string, () => Promise<MakeCommand>> = {
  translate: async () => (await import('./translate.js')).translateCommand,
  summarize: async () => (await import('./summarize.js')).summarizeCommand,
  generate: async () => (await import('./generate.js')).generateCommand,
  forward: async () => (await import('./forward.js')).forwardCommand,
  score: async () => (await import('./score.js')).scoreCommand,
  rerank: async () => (await import('./rerank.js')).rerankCommand,
  train: async () => (await import('./train.js')).trainCommand,
  finetune: async () => (await import('./finetune.js')).finetuneCommand,
  pretrain: async () => (await import('./pretrain.js')).pretrainCommand,
  evaluate: async () => (await import('./evaluate.js')).evaluateCommand,
  vocab: async () => (await import('./vocab.js')).vocabCommand,
  xlm: async () => (await import('./xlm.js')).xlmCommand,
  shortlist: async () => (await import('./shortlist.js')).shortlistCommand,
  convert: async () => (await import('./convert.js')).convertCommand,
  doctor: async () => (await import('./doctor.js')).doctorCommand,
};

/** What the process should end with: 0 done, 2 wrong usage, 1 any other failure. */
export type ExitCode = 0 | 1 | 2;

/**
 * The whole `polybeam` command, without running anything; help pages are made from it too.
 *
 * @param names the commands it has; default all
 */
export async function buildProgram(
  streams: CommandStreams = process,
  names: readonly string[] = Object.keys(commands),
): Promise<Command> {
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
  for (const name of names) {
    const make = await commands[name]();
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
    const program = await buildProgram(streams, commandsNeeded(args));
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    return reportError(error, args, streams);
  }
}

/** The commands that a command line has to know: the one it calls, none for the version, otherwise all. */
function commandsNeeded(args: readonly string[]): string[] | undefined {
  const isWord = (word: string) => !word.startsWith('-');
  // Help that is asked for before a command is that of all of them.
  if (args.slice(0, args.findIndex(isWord)).some((flag) => ['-h', '--help'].includes(flag))) return undefined;
  const words = args.filter(isWord);
  const name = words[0] === 'help' ? words[1] : words[0];
  if (name !== undefined && Object.hasOwn(commands, name)) return [name];
  return args.length === 1 && ['-V', '--version'].includes(args[0]) ? [] : undefined;
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
