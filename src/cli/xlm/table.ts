import { Command } from 'commander';
import type { CommandStreams } from '../streams.js';
import { tableBuildCommand } from './tableBuild.js';
import { tableLookupCommand } from './tableLookup.js';

/** `polybeam xlm table`: translations of n-grams, from vectors in one space. */
export function tableCommand(streams: CommandStreams = process): Command {
  const command = new Command('table').description(
    'Translation tables of n-grams: build them from mapped vectors, and look into them.',
  );
  for (const make of [tableBuildCommand, tableLookupCommand]) command.addCommand(make(streams));
  return command;
}
