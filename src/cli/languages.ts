import type { Command } from 'commander';

/** Flags of `addLanguageFlags`. */
export interface LanguageFlags {
  to?: string;
  from?: string;
}

/** Gives a command the flags that name what a model translates. */
export function addLanguageFlags(command: Command): Command {
  return command
    .option('--to <language>', 'target language, checked against those of the model')
    .option('--from <language>', 'source language, for models that need it');
}
