import { printableLine } from '../printable.js';

/** The streams of a command; tests pass their own. */
export interface CommandStreams {
  stdin: AsyncIterable<Uint8Array | string> & { isTTY?: boolean };
  stdout: {
    /** False where the reader is behind; `drain` then tells when it has caught up. */
    write(text: string): unknown;
    once?(event: 'drain' | 'close', listener: () => void): unknown;
    off?(event: 'drain' | 'close', listener: () => void): unknown;
    isTTY?: boolean;
    columns?: number;
  };
  stderr: { write(text: string): unknown; isTTY?: boolean; columns?: number };
  /** Bytes that standard input has, where it is a file. */
  inputSize?: number;
  /** Bytes of standard input up to the end of the last line that was read; `readLines` counts them. */
  inputRead?: number;
}

/** Writes to standard output and waits until its reader has caught up, so that what it has not read does not pile up. */
export async function writeOut({ stdout }: CommandStreams, text: string): Promise<void> {
  if (stdout.write(text) === false) await caughtUp(stdout);
}

/** Until a reader that is behind has caught up, or has gone. */
export async function caughtUp(stdout: CommandStreams['stdout']): Promise<void> {
  if (!stdout.once) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      stdout.off?.('drain', done);
      stdout.off?.('close', done);
      resolve();
    };
    stdout.once?.('drain', done);
    stdout.once?.('close', done);
  });
}

/** Prints a warning as every command does: one line on standard error. */
export function warn(streams: Pick<CommandStreams, 'stderr'>, message: string): void {
  streams.stderr.write(`polybeam: warning: ${printableLine(message)}\n`);
}

/** One line on standard error that is overwritten as work goes on; nothing where that is no terminal. */
export interface StatusLine {
  show(text: string): void;
  /** Takes the line away, so that something else can be written. */
  clear(): void;
}

const redrawMs = 100;

/**
 * Makes the status line of a command.
 *
 * @param now milliseconds, for tests
 */
export function createStatusLine(
  streams: CommandStreams,
  now: () => number = () => performance.now(),
): StatusLine {
  const { stderr } = streams;
  if (!stderr.isTTY) return { show() {}, clear() {} };
  let drawn = false;
  let lastDraw = Number.NEGATIVE_INFINITY;
  return {
    show(text) {
      if (drawn && now() - lastDraw < redrawMs) return;
      stderr.write(`\r${printableLine(text).slice(0, (stderr.columns || 80) - 1)}\x1b[K`);
      lastDraw = now();
      drawn = true;
    },
    clear() {
      if (drawn) stderr.write('\r\x1b[K');
      drawn = false;
    },
  };
}
