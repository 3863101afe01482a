import type { CommandStreams } from '../../../src/cli/streams.js';

/** Streams that keep what is written, and read what they are given, chunk by chunk. */
export function fakeStreams(
  input: readonly (string | Uint8Array)[] = [],
  terminal: { stdin?: boolean; stderr?: boolean } = {},
): CommandStreams & { out(): string; err(): string } {
  let out = '';
  let err = '';
  async function* stdin() {
    yield* input;
  }
  return {
    stdin: Object.assign(stdin(), { isTTY: terminal.stdin }),
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text), isTTY: terminal.stderr },
    out: () => out,
    err: () => err,
  };
}
