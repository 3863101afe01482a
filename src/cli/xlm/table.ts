import { Command } from 'commander';
import type { CommandStreams } from '../streams.js';
import { tableBuildCommand } from './tableBuild.js';
import { tableLookupCommand } from './tableLookup.js';
import { tableTranslateCommand } from './tableTranslate.js';

/** `polybeam xlm table`: translations of n-grams, from vectors in one space. */
export function tableCommand(streams: CommandStreams = process): Command {
  const command = new Command('table').description(
    'Translation tables of n-grams: build them from mapped vectors, look up n-grams, and translate with them.',
  );
  for (const make of [tableBuildCommand, tableLookupCommand, tableTranslateCommand])
    command.addCommand(make(streams));
  return command;
}
