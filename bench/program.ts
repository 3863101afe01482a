import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { PolybeamError } from '../src/errors.js';
import type { BenchOptions } from './bench.js';
import { describeMachine } from './machine.js';
import { recordRun } from './record.js';
import { formatTable, type Report, type ReportedRow } from './rows.js';

/** Where the bench writes; tests pass their own. */
export interface BenchStreams {
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
}

/** A bench: runs its cases and reports them. */
export type Bench = (options: BenchOptions, report: Report) => Promise<void>;

/** Benches by the name of their command, imported only when they run. */
export interface BenchEntry {
  description: string;
  load: () => Promise<Bench>;
  /** Whether `--operators` is offered. */
  profiles: boolean;
}

const benches: Record<string, BenchEntry> = {
  train: {
    description: 'Time a training step: 4 layers, d 512, vocabulary 8,000, 8 x 64 tokens.',
    load: async () => (await import('./train.js')).benchTrain,
    profiles: true,
  },
  pretrain: {
    description:
      'Time a MASS update: 6+3 layers, d 256, vocabulary 8,000, 4,096 tokens; what making batches takes, and their padding.',
    load: async () => (await import('./pretrain.js')).benchPretrain,
    profiles: false,
  },
  backtranslation: {
    description:
      'Time a round of unsupervised translation: denoising and back-translation of 2 languages, 3+3 layers, d 256, 32 sentences a batch.',
    load: async () => (await import('./backtranslation.js')).benchBackTranslation,
    profiles: false,
  },
  decode: {
    description:
      'Time decoding per step: 6+6 layers, d 512, vocabulary 32,000, 24 source tokens, 32 forced steps.',
    load: async () => (await import('./decode.js')).benchDecode,
    profiles: true,
  },
  load: {
    description: 'Time loading a model of 60 M parameters until its first token, and show its memory.',
    load: async () => (await import('./load.js')).benchLoad,
    profiles: false,
  },
  start: {
    description:
      'Time the command from its start to its end: its version, and one sentence by the model that it brings.',
    load: async () => (await import('./start.js')).benchStart,
    profiles: false,
  },
  serve: {
    description:
      'Time serving sentences that come one by one, 32 at a time, beside the same work in batches; the model of decode.',
    load: async () => (await import('./serve.js')).benchServe,
    profiles: false,
  },
  controls: {
    description:
      'Time what constraints, penalties and streaming cost a step at batch 1, beam 4; the model of decode.',
    load: async () => (await import('./controls.js')).benchControls,
    profiles: false,
  },
  table: {
    description:
      'Time a translation table of 20,000 x 20,000 vectors of 300 features beside the bare products of the vectors.',
    load: async () => (await import('./table.js')).benchTable,
    profiles: false,
  },
  mapping: {
    description:
      'Time an iteration of mapping 20,000 x 20,000 vectors of 300 features beside the bare products of the vectors.',
    load: async () => (await import('./mapping.js')).benchMapping,
    profiles: false,
  },
};

const examples = `
Examples:
  $ npm run --silent bench -- decode
  $ npm run --silent bench -- decode --case "batch 1 " --rounds 9 --json
  $ npm run --silent bench -- decode --case "batch 64"
  $ npm run --silent bench -- train --peers venv/bin/python
  $ npm run --silent bench -- train --operators`;

/** The bench command. */
export function buildProgram(streams: BenchStreams, entries = benches): Command {
  const program = new Command('bench')
    .description(
      'Times polybeam on random weights, alone or in turn with PyTorch, transformers and CTranslate2.',
    )
    .helpOption('-h, --help', 'print help')
    .addHelpText('after', examples)
    .configureOutput({
      writeOut: (text) => streams.stdout.write(text),
      writeErr: (text) => streams.stderr.write(text),
      outputError: () => {},
    })
    .exitOverride();
  for (const [name, entry] of Object.entries(entries)) {
    const command = program
      .command(name)
      .description(entry.description)
      .option('--peers <python>', "a Python with the peers' packages: runs them in turn with polybeam")
      .option('--threads <n>', 'threads of each side', wholeNumber, availableParallelism())
      .option('--rounds <n>', 'rounds after warm-up; the median counts', wholeNumber, 5)
      .option('--case <text>', 'only cases whose name contains this')
      .option('--record <file>', 'put the results into this page, such as docs/benchmarks.md')
      .option('--json', 'a JSON line per row, and all else on stderr');
    if (entry.profiles) command.option('--operators', "ONNX Runtime's profile by operator instead of times");
    command.action((flags: BenchFlags) => runBench(name, entry, flags, streams));
  }
  return program;
}

type BenchFlags = BenchOptions & { json?: boolean; record?: string };

async function runBench(
  name: string,
  entry: BenchEntry,
  { json = false, record, ...options }: BenchFlags,
  streams: BenchStreams,
): Promise<void> {
  if (options.operators && options.peers) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      '--operators profiles polybeam alone, without --peers: leave one out.',
    );
  }
  const bench = await entry.load();
  const aside = json ? streams.stderr : streams.stdout;
  const rows: ReportedRow[] = [];
  const notes = [describeMachine(options.threads)];
  aside.write(`${notes[0]}\n`);
  await bench(options, {
    row: (reported) => {
      rows.push(reported);
      if (json) streams.stdout.write(`${JSON.stringify(reported.row)}\n`);
    },
    note: (text) => {
      notes.push(text);
      streams.stderr.write(`${text}\n`);
    },
  });
  if (!json) streams.stdout.write(formatTable(rows));
  if (record !== undefined) {
    const page = await readFile(record, 'utf8').catch(() => '');
    const command = describeCommand(name, { ...options, record });
    await writeFile(record, recordRun(page, { bench: name, command, notes, rows }));
  }
}

/** The command again, without the path of the peers' Python, which is that of one machine. */
function describeCommand(name: string, { peers, rounds, case: only, record }: BenchFlags): string {
  const flags = [
    ...(peers === undefined ? [] : ['--peers PYTHON']),
    `--rounds ${rounds}`,
    ...(only === undefined ? [] : [`--case "${only}"`]),
    `--record ${record}`,
  ];
  return `npm run --silent bench -- ${name} ${flags.join(' ')}`;
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('give a whole number from 1 to 9999.');
}

/**
 * Runs a command line.
 * @param args without `node` and the script
 * @returns the exit code: 0 done, 2 wrong usage, 1 any other failure
 */
export async function runProgram(
  args: readonly string[],
  streams: BenchStreams = process,
  entries = benches,
): Promise<0 | 1 | 2> {
  try {
    await buildProgram(streams, entries).parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      if (error.code !== 'commander.help')
        streams.stderr.write(`bench: ${error.message.replace(/^error: /, '')}\n`);
      return 2;
    }
    const message = error instanceof Error ? error.message : String(error);
    streams.stderr.write(`bench: ${message}\n`);
    return error instanceof PolybeamError && error.code.startsWith('OPTION_') ? 2 : 1;
  }
}
