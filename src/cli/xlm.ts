import { Command } from 'commander';
import type { CommandStreams } from './streams.js';
import { tableCommand } from './xlm/table.js';
import { vocabularyCommand } from './xlm/vocabulary.js';

/** `polybeam xlm STAGE`: the stages of cross-lingual pre-training and unsupervised translation. */
export function xlmCommand(streams: CommandStreams = process): Command {
  const command = new Command('xlm').description(
    'Cross-lingual pre-training and unsupervised translation, stage by stage.',
  );
  for (const stage of [vocabularyCommand, tableCommand]) command.addCommand(stage(streams));
  return command;
}
