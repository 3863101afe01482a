import type { Command } from 'commander';
import { PolybeamError } from '../errors.js';
import type { UnknownReplacement } from '../pretrained/unknownWords.js';

/** Flags of `addUnknownFlags`. */
export interface UnknownFlags {
  replaceUnknowns?: boolean;
  dictionary?: string;
}

/** Gives a command the flags that say what becomes of unknown words. */
export function addUnknownFlags(command: Command): Command {
  return command
    .option(
      '--replace-unknowns',
      'replace each unknown word in the output by the source word with the highest attention',
    )
    .option(
      '--dictionary <file>',
      'with --replace-unknowns: look up the source word in this file first: lines of source word, tab, translation',
    );
}

/** What the flags ask for. @throws PolybeamError OPTION_CONFLICT */
export function unknownReplacement({
  replaceUnknowns,
  dictionary,
}: UnknownFlags): UnknownReplacement | undefined {
  if (dictionary !== undefined && !replaceUnknowns) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `--dictionary "${dictionary}" has no effect without --replace-unknowns; add it, or leave --dictionary out.`,
    );
  }
  return replaceUnknowns ? (dictionary ?? true) : undefined;
}
