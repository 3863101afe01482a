import type { Command } from 'commander';
import { PolybeamError } from '../errors.js';
import { readUnpacked } from '../gzip.js';
import { isBlank } from '../text/blank.js';
import { decodeUtf8Lines } from '../text/utf8.js';
import type { CommandStreams } from './streams.js';

/** Flags of `addPrefixFlags`. */
export interface PrefixFlags {
  prefix?: string;
  prefixFile?: string;
}

/** A text, and what its translation begins with; '' for nothing. */
export interface PrefixedText {
  text: string;
  prefix: string;
}

/** Gives a command the flags that say what translations begin with. */
export function addPrefixFlags(command: Command): Command {
  return command
    .option('--prefix <text>', 'beginning of every translation')
    .option(
      '--prefix-file <file>',
      'file with the beginning of each translation: one line for each input line, empty for none; all input is read first',
    );
}

/** Whether the flags name any. */
export function hasPrefixes({ prefix, prefixFile }: PrefixFlags): boolean {
  return prefix !== undefined || prefixFile !== undefined;
}

/** @throws PolybeamError OPTION_CONFLICT */
export function checkPrefixFlags({ prefix, prefixFile }: PrefixFlags): void {
  if (prefix === undefined || prefixFile === undefined) return;
  throw new PolybeamError(
    'OPTION_CONFLICT',
    `--prefix "${prefix}" does not go with --prefix-file "${prefixFile}"; leave one of them out.`,
  );
}

/**
 * Texts with what their translations begin with. With `--prefix-file` all texts are read before the first is given, so
 * that nothing is translated where a line is missing.
 *
 * @throws PolybeamError INPUT_INVALID for another number of lines, FILE_NOT_FOUND
 */
export async function* withPrefixes(
  texts: AsyncIterable<string>,
  { prefix = '', prefixFile }: PrefixFlags,
  streams: CommandStreams,
): AsyncGenerator<PrefixedText> {
  if (prefixFile === undefined) {
    for await (const text of texts) yield { text, prefix: isBlank(text) ? '' : prefix };
    return;
  }
  const { lines, firstInvalidLine } = decodeUtf8Lines(await readUnpacked(prefixFile));
  if (firstInvalidLine !== undefined) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `${prefixFile}: line ${firstInvalidLine} is not UTF-8; convert the file.`,
    );
  }
  const all: string[] = [];
  for await (const text of texts) all.push(text);
  if (all.length !== lines.length) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `${prefixFile} has ${lines.length} lines for ${all.length} lines of input; give one for each, blank for none.`,
    );
  }
  for (const [at, text] of all.entries()) {
    // How far the work is, not the reading.
    if (streams.inputSize !== undefined) streams.inputRead = ((at + 1) / all.length) * streams.inputSize;
    yield { text, prefix: lines[at] };
  }
}
