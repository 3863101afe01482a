import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { PolybeamError } from '../errors.js';
import { nodeFiles } from '../node/files.js';
import { type CommandStreams, warn } from './streams.js';

/** Flags of `addFileFlags`. */
export type FileFlags = {
  input?: string;
  output?: string;
  /** No flag: what makes a search give way to Ctrl-C, which is then waited for; set by `redirected`. */
  signal?: AbortSignal;
};

/** Gives a command that reads lines and writes lines the flags that name files for them. */
export function addFileFlags(command: Command): Command {
  return command
    .option('--input <file>', 'read the lines of a file (.gz is unpacked) instead of standard input')
    .option(
      '--output <file>',
      'write to a file instead of standard output; it replaces an existing file once it is complete',
    );
}

/**
 * Runs a command on the files that its flags name in place of standard input and output.
 *
 * @param texts arguments that the command works on instead of lines; one that is the name of a file is warned of
 * @throws PolybeamError FILE_NOT_FOUND, FILE_CORRUPT, FILE_WRITE; OPTION_INVALID for a compressed output; OPTION_CONFLICT where there are texts and `--input`
 */
export async function redirected(
  flags: FileFlags,
  streams: CommandStreams,
  run: (streams: CommandStreams) => Promise<void>,
  texts: readonly string[] = [],
): Promise<void> {
  const { input, output } = flags;
  if (input !== undefined && texts.length > 0) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `--input ${input} does not go with texts as arguments ("${texts[0]}"); leave one of them out.`,
    );
  }
  if (output?.endsWith('.gz')) {
    throw new PolybeamError(
      'OPTION_INVALID',
      `--output ${output} would be plain text under the name of a compressed file; leave .gz out, and compress it afterwards.`,
    );
  }
  await warnOfFiles(texts, streams);
  const source = input === undefined ? undefined : await openInput(input);
  try {
    const own = { ...streams, ...source?.streams };
    if (output === undefined) {
      await run(own);
    } else {
      flags.signal = new AbortController().signal;
      await writeWhole(output, (stdout) => run({ ...own, stdout }));
    }
  } finally {
    await source?.file.close();
  }
}

/** Where a command takes lines and no arguments, one is refused with a hint: it probably is the name of a file. */
export function refuseArguments(command: Command): void {
  const takesLines = command.options.some(({ long }) => long === '--input');
  if (!takesLines || command.registeredArguments.length > 0) return;
  command.allowExcessArguments().hook('preAction', (_, { args }) => {
    if (args.length === 0) return;
    throw new PolybeamError(
      'OPTION_INVALID',
      `${command.name()} takes no argument, but "${args[0]}" was given: a file of lines is named by --input.`,
    );
  });
}

/** Words are seldom names of files: where they are, the file was probably meant. */
async function warnOfFiles(texts: readonly string[], streams: CommandStreams): Promise<void> {
  for (const text of texts) {
    // A text is too long for a name, or has characters that none has.
    const found = await stat(text).catch(() => undefined);
    if (!found?.isFile()) continue;
    warn(streams, `"${text}" is a file, but here it is a text; --input ${text} reads the lines of the file.`);
  }
}

type InputStreams = Pick<CommandStreams, 'stdin' | 'inputSize' | 'inputRead'>;

async function openInput(path: string): Promise<{ file: FileHandle; streams: InputStreams }> {
  const { isGzip, unpackedStream } = await import('../gzip.js');
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const status = await file.stat();
    if (status.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    // Of a packed file the number of bytes read says little about what is left.
    const inputSize = status.isFile() && !isGzip(await beginningOf(file)) ? status.size : undefined;
    const stdin = unpackedStream(file.createReadStream({ autoClose: false }), `--input ${path}`);
    return { file, streams: { stdin, inputSize, inputRead: 0 } };
  } catch (cause) {
    await file?.close();
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    const known: Record<string, string> = { ENOENT: 'does not exist', EISDIR: 'is a directory' };
    throw new PolybeamError(
      'FILE_NOT_FOUND',
      `--input ${path} ${known[code] ?? `cannot be read (${code})`}: give a readable file.`,
      { cause },
    );
  }
}

/** The first two bytes of a file, without moving the place that it is read from. */
async function beginningOf(file: FileHandle): Promise<Uint8Array> {
  return (await file.read(new Uint8Array(2), 0, 2, 0)).buffer;
}

/** Maximum number of chunks in the queue; beyond it, `write` reports backpressure. */
const mostWaiting = 64;

/** Runs what writes lines, and puts them under a name when all are there; what fails or is interrupted leaves nothing. */
async function writeWhole(
  path: string,
  run: (stdout: CommandStreams['stdout']) => Promise<void>,
): Promise<void> {
  const target = await regularTarget(path);
  const queue = createQueue();
  const written = nodeFiles.writeAtomic(target, queue.chunks());
  // Awaited below, where the command has not failed first.
  written.catch(queue.fail);
  const stop = async (signal: NodeJS.Signals) => {
    queue.fail(new Error('interrupted'));
    await written.catch(() => {});
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    await run(queue.stdout);
    queue.end();
    await written;
  } catch (error) {
    queue.fail(error);
    await written.catch(() => {});
    throw error;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

/** The file that a path leads to. @throws FILE_WRITE where something else is there, which a new file would replace */
async function regularTarget(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return path;
  if (found.isFile()) return realpath(path);
  throw new PolybeamError(
    'FILE_WRITE',
    found.isDirectory()
      ? `--output ${path} is a directory: name a file in it.`
      : `--output ${path} is no regular file: leave --output out and redirect standard output, as in > ${path}.`,
  );
}

/** Standard output whose text is taken chunk by chunk elsewhere. */
function createQueue() {
  const encoder = new TextEncoder();
  const waiting: Uint8Array[] = [];
  const drained = new Set<() => void>();
  let ended = false;
  let failed: { error: unknown } | undefined;
  let wake = () => {};
  const stdout: CommandStreams['stdout'] = {
    write: (text: string) => {
      if (failed) throw failed.error;
      waiting.push(encoder.encode(text));
      wake();
      return waiting.length < mostWaiting;
    },
    once: (event, listener) => event === 'drain' && drained.add(listener),
    off: (_, listener) => drained.delete(listener),
  };
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (failed) throw failed.error;
      yield* waiting.splice(0);
      for (const listener of [...drained]) listener();
      if (waiting.length > 0) continue;
      if (ended) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (ended || failed || waiting.length > 0) resolve();
      });
    }
  }
  const fail = (error: unknown) => {
    failed ??= { error };
    for (const listener of [...drained]) listener();
    wake();
  };
  const end = () => {
    ended = true;
    wake();
  };
  return { stdout, chunks, fail, end };
}
